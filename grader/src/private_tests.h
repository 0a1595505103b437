#pragma once

#include <map>
#include <string>
#include <vector>

#include "course.h"

namespace goro::grader {

// The instructor's own tests, which students never see. They are in a folder that no submission can
// read while it is compiled or run, one folder in it for each lab, named as the lab is or by its
// number:
//   04-local-run-queue/private.json   {"tests": […]}, as lab.json lists them
//   04-local-run-queue/*.cpp          and what they include
// CMake reads the same folder, as GORO_PRIVATE_TESTS (runtime/cmake/Labs.cmake).
class PrivateTests {
 public:
  static constexpr std::string_view list_file = "private.json";

  PrivateTests() = default;  // there are none

  // Those of `labs`. Whatever is wrong with the folder is a Problem of wrong use, of one line; what
  // it has for other labs is not looked at.
  PrivateTests(const fs::path& folder, const Course& course, const std::vector<const Lab*>& labs);

  [[nodiscard]] bool empty() const { return tests_.empty(); }
  [[nodiscard]] const fs::path& folder() const { return folder_; }  // no link on the way to it
  [[nodiscard]] const std::vector<Test>& of(const Lab& lab) const;
  // Of all that may change a grade in these labs.
  [[nodiscard]] const std::string& digest() const { return digest_; }

 private:
  fs::path folder_;
  std::map<std::string, std::vector<Test>> tests_;  // by the lab's folder
  std::string digest_;
};

}  // namespace goro::grader
