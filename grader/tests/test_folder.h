#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "files.h"

namespace goro::grader {

// A fresh folder for one test, below the build folder. Named after the test, so that what a failed
// one left can be looked at.
inline fs::path fresh_folder() {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  const fs::path folder =
      fs::path(GORO_TEST_FOLDER) / (std::string(test->test_suite_name()) + "." + test->name());
  fs::remove_all(folder);
  fs::create_directories(folder);
  return fs::canonical(folder);
}

// A course of three tiny labs in a folder of its own.
inline fs::path fresh_course() {
  ::unsetenv("GORO_COURSE_ROOT");  // ./course test sets it, and the grader would look there
  const fs::path folder = fresh_folder() / "a course";
  fs::copy(GORO_FAKE_COURSE, folder, fs::copy_options::recursive);
  fs::create_directory(folder / "runtime");
  fs::copy(GORO_CMAKE_MODULES, folder / "runtime/cmake", fs::copy_options::recursive);
  return folder;
}

}  // namespace goro::grader
