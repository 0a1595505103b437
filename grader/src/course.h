#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "files.h"
#include "lab.h"

namespace goro::grader {

// The trusted checkout: where things are in it, and its labs.
class Course {
 public:
  // `root` if given, else the nearest folder from `from` upwards that looks like the course.
  static Course find(const std::optional<fs::path>& root, const fs::path& from);

  // Loads every lab. One whose lab.json is broken is a Problem only for who asks for that lab.
  explicit Course(fs::path root);

  [[nodiscard]] const fs::path& root() const { return root_; }
  // Everything that is made from the course is below it.
  [[nodiscard]] const fs::path& build() const { return build_; }
  void build_in(fs::path folder) { build_ = std::move(folder); }
  [[nodiscard]] fs::path lab_folder(const Lab& lab) const { return root_ / "labs" / lab.folder; }
  // All of them, the broken ones too.
  [[nodiscard]] const std::vector<Lab>& labs() const { return labs_; }

  // "4", "04", "04-local-run-queue" and "labs/04-local-run-queue" all mean lab 4.
  [[nodiscard]] const Lab& lab(const std::string& name) const;
  // "1-5", "1,3", "2-4,7"; empty means all. In the course's order, each once.
  [[nodiscard]] std::vector<const Lab*> select(const std::string& ranges) const;

 private:
  fs::path root_;
  fs::path build_;
  std::vector<Lab> labs_;
};

}  // namespace goro::grader
