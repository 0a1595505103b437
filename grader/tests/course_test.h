#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "process.h"
#include "test_folder.h"

namespace goro::grader {

// The whole program on a course of three tiny labs, as a user meets it.
class CourseTest : public testing::Test {
 protected:
  void SetUp() override { root_ = fresh_course(); }

  [[nodiscard]] Ended course(const std::vector<std::string>& arguments) const {
    return course_in(root_, arguments);
  }

  [[nodiscard]] Ended course_in(const fs::path& folder, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), GORO_GRADER_PROGRAM);
    return run_process({arguments, folder,
                        std::vector<std::string>{
                            std::string("PATH=") + std::getenv("PATH"), "LANG=C.UTF-8",
                            "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a",
                            "GIT_COMMITTER_EMAIL=a@b", "HOME=" + root_.string()}},
                       {});
  }

  void write(const std::string& file, const std::string& content) const {
    write_file_atomically(root_ / file, content);
  }

  // What git must know in a course that is handed out: what is built, and what is left out of a
  // students' edition; `more` as well.
  void write_rules_for_git(const std::string& more = "") const {
    write(".gitignore", "/build/\n");
    write(".gitattributes",
          "/.gitattributes instructors-only\n/solutions/** instructors-only\n"
          "/grader/mutants/** instructors-only\n" +
              more);
  }

  void git(const std::vector<std::string>& arguments) const { git_in(root_, arguments); }

  static void git_in(const fs::path& folder, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"git", "-c", "user.name=a", "-c", "user.email=a@b", "-c",
                                         "init.defaultBranch=main"});
    const Ended ended = run_process({arguments, folder, {}}, {});
    ASSERT_TRUE(ended.ok()) << ended.output;
  }

  static void commit_all(const fs::path& folder, const std::string& message) {
    if (!fs::exists(folder / ".git")) {
      git_in(folder, {"init", "--quiet"});
    }
    git_in(folder, {"add", "--all"});
    git_in(folder, {"commit", "--quiet", "-m", message});
  }

  fs::path root_;
};

inline bool contains(const Ended& ended, const std::string& part) {
  return ended.output.find(part) != std::string::npos;
}

#define EXPECT_SAYS(ended, part) \
  EXPECT_TRUE(contains(ended, part)) << "wanted: " << (part) << "\ngot: " << (ended).output

}  // namespace goro::grader
