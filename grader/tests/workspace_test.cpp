#include "workspace.h"

#include <gtest/gtest.h>

#include "grading.h"
#include "last_check.h"
#include "starter.h"
#include "test_folder.h"

namespace goro::grader {
namespace {

TEST(Files, AreReplacedAsAWholeAndOnlyIfDifferent) {
  const fs::path file = fresh_folder() / "below" / "file";
  EXPECT_TRUE(write_file_if_different(file, "one"));
  const fs::file_time_type written = fs::last_write_time(file);
  EXPECT_FALSE(write_file_if_different(file, "one"));
  EXPECT_EQ(fs::last_write_time(file), written);
  EXPECT_TRUE(write_file_if_different(file, "two"));
  EXPECT_EQ(read_file(file), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), fs::directory_iterator()), 1)
      << "no temporary file is left";
}

TEST(Files, AStagedLinkIsReplacedNotFollowed) {
  const fs::path folder = fresh_folder();
  write_file_atomically(folder / "target", "precious");
  fs::create_symlink(folder / "target", folder / "link");
  EXPECT_TRUE(write_file_if_different(folder / "link", "precious"));
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(folder / "link")));
}

TEST(FirstErrors, LeaveOutCommandLinesAndWarnings) {
  const std::string output =
      "[1/3] Building CXX object x.o\n"
      "FAILED: x.o \n"
      "/usr/bin/c++ -I/error: -o x.o\n"
      "/s/a.cpp: In function ‘int f()’:\n"
      "/s/a.cpp:3:1: error: no return\n"
      "    3 | }\n"
      "/s/a.cpp:5:1: warning: unused\n"
      "    5 | int x;\n"
      "ninja: build stopped: subcommand failed.\n";
  EXPECT_EQ(first_errors(output, 10),
            "/s/a.cpp: In function ‘int f()’:\n/s/a.cpp:3:1: error: no return\n    3 | }");
}

TEST(FirstErrors, AreCut) {
  std::string output;
  for (int i = 0; i < 9; ++i) {
    output += "a.cpp:1: error: e" + std::to_string(i) + "\n";
  }
  EXPECT_EQ(first_errors(output, 2), "a.cpp:1: error: e0\na.cpp:1: error: e1\n… 7 more lines");
}

TEST(Presets, SanitizersKeepTheCompiler) {
  EXPECT_EQ(preset_for("gcc-release", BuildKind::release), "gcc-release");
  EXPECT_EQ(preset_for("gcc-release", BuildKind::tsan), "gcc-tsan");
  EXPECT_EQ(preset_for("clang-release", BuildKind::asan), "clang-asan");
  EXPECT_EQ(preset_for("gcc-release", BuildKind::sim), "gcc-sim");
}

TEST(Starter, IsTheNewestVersionInWhichNothingIsImplemented) {
  const std::vector<FileVersion> versions{{"4", "int a() { return 1; }"},
                                          {"3", "int a() { NOT_IMPLEMENTED(1, 1); } // corrected"},
                                          {"2", "int a() { return 2; }"},
                                          {"1", "int a() { NOT_IMPLEMENTED(1, 1); }"}};
  EXPECT_EQ(find_starter(versions)->commit, "3");
  EXPECT_EQ(find_starter({}), nullptr);
}

TEST(Starter, WithoutMarksIsTheOldestVersion) {
  const std::vector<FileVersion> versions{{"2", "b"}, {"1", "a"}};
  EXPECT_EQ(find_starter(versions)->commit, "1");
}

TEST(LastCheckTest, APartReplacesOnlyItsOwnResults) {
  const Course course(fresh_course());
  const Lab& lab = course.lab("1");
  const LastCheck last(course);
  EXPECT_FALSE(last.of(lab));
  LabScore all{1, "01-sum", "A sum", "", {}};
  for (const goro::grader::Test& test : lab.tests) {
    TestScore& score = all.tests.emplace_back();
    score.name = test.name;
    score.status = Status::failed;
    score.max_points = test.points;
  }
  last.keep(lab, all);
  LabScore part = all;
  part.tests.erase(part.tests.begin());
  part.tests[0].status = Status::passed;
  part.tests[0].points = part.tests[0].max_points;
  last.keep(lab, part);
  const std::optional<LabScore> merged = last.of(lab);
  ASSERT_TRUE(merged);
  ASSERT_EQ(merged->tests.size(), 2U);
  EXPECT_EQ(merged->tests[0].name, lab.tests[0].name);
  EXPECT_EQ(merged->tests[0].status, Status::failed);
  EXPECT_EQ(merged->tests[1].status, Status::passed);
}

TEST(LastCheckTest, AnUnreadableResultIsNone) {
  const Course course(fresh_course());
  write_file_atomically(course.build() / "results" / "01-sum.json", "{\"lab\":");
  EXPECT_FALSE(LastCheck(course).of(course.lab("1")));
}

TEST(LastCheckTest, RemembersHints) {
  const Course course(fresh_course());
  const LastCheck last(course);
  EXPECT_EQ(last.hints_given(course.lab("1"), "Sum.OfTwo"), 0U);
  last.keep_hints_given(course.lab("1"), "Sum.OfTwo", 2);
  EXPECT_EQ(last.hints_given(course.lab("1"), "Sum.OfTwo"), 2U);
  EXPECT_EQ(last.hints_given(course.lab("1"), "Sum.OfNegatives"), 0U);
}

}  // namespace
}  // namespace goro::grader
