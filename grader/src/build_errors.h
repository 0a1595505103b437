#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "score.h"

namespace goro::grader {

// A line of a slot file, named from the root of the student's repository.
struct Place {
  std::string file;  // "labs/04-local-run-queue/run_queue.cpp"
  int line = 0;
  int column = 0;  // 0: not known
};

// One thing that kept a lab from being built.
struct BuildError {
  std::optional<Place> place;
  std::string message;
};

// The place that "path:line" or "path:line:column" names, if that is a file of one of the graded
// labs' folders. Whatever else a compiler can be made to name, say by #line, is no place.
std::optional<Place> place_in(const Score& score, std::string_view text);

// What a lab's problem says, error by error; empty if the lab was built.
std::vector<BuildError> build_errors(const Score& score, const LabScore& lab);

}  // namespace goro::grader
