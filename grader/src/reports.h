#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report_classroom50.h"
#include "score.h"

namespace goro::grader {

// The reports that a command line asks for, as FORMAT=FILE. FILE - is stdout.
class Reports {
 public:
  // Throws a Problem if one of them could not be written later: a grading may take an hour, and
  // nobody wants to learn only then that its results have no place to go.
  explicit Reports(const std::vector<std::string>& arguments);

  // Writes them all; a file gets the whole report or keeps what it held. The result is what could
  // not be written, one line each.
  [[nodiscard]] std::vector<std::string> write(const Score& score) const;

  // What FORMAT can be: "json, junit, …".
  static std::string formats();
  static bool to_stdout(const std::vector<std::string>& arguments);

 private:
  struct Wanted {
    std::string format;
    std::string file;
  };

  [[nodiscard]] std::string text_of(const Wanted& wanted, const Score& score) const;

  std::vector<Wanted> wanted_;
  std::optional<ClassroomSubmission> classroom_;
};

}  // namespace goro::grader
