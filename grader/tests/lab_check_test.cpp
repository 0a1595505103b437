#include "lab_check.h"

#include <gtest/gtest.h>

#include "test_folder.h"
#include "text.h"

namespace goro::grader {
namespace {

// Lab 1 of the small course, with all that a lab must have.
class LabCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fresh_course();
    write("labs/01-sum/README.md", "# A sum\n\n![a picture](apples.svg)\n");
    write("labs/01-sum/apples.svg", "<svg/>\n");
    write("labs/01-sum/tests/tests.cpp",
          "#include \"support.h\"\nTEST(Sum, OfTwo) {}\nTEST_F(Sum,\n       OfNegatives) {}\n");
    write("labs/01-sum/tests/support.h", "");
    write("labs/01-sum/bench/bench.cpp", "BENCHMARK(BM_Sum);\n");
    write("solutions/01-sum/NOTES.md", "# Notes\n");
    write("grader/mutants/01-sum.json", "{}\n");
    const std::string three = "\"hints\": [\"a\", \"b\", \"c\"]";
    std::string json = read_file(root_ / "labs/01-sum/lab.json");
    for (const std::string few : {"\"hints\": [\"Mind the sign.\"]", "\"hints\": [\"Do less.\"]"}) {
      json = replace_all(json, few, three);
    }
    write("labs/01-sum/lab.json", json);
  }

  void write(const std::string& file, const std::string& content) const {
    write_file_atomically(root_ / file, content);
  }

  [[nodiscard]] std::vector<std::string> complaints() const {
    std::vector<std::string> files;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root_)) {
      if (entry.is_regular_file()) {
        files.push_back(entry.path().lexically_relative(root_));
      }
    }
    const Course course(root_);
    return check_lab(course, course.labs()[1], files);
  }

  void expect_complaint(const std::string& complaint) const {
    EXPECT_EQ(complaints(), std::vector<std::string>{complaint});
  }

  fs::path root_;
};

TEST_F(LabCheckTest, ACompleteLabIsFine) {
  EXPECT_EQ(complaints(), std::vector<std::string>{});
}

TEST_F(LabCheckTest, AStrayFileIsNamed) {
  for (const std::string file : {"labs/01-sum/sum.cpp.orig", "labs/01-sum/tests/unused.h",
                                 "labs/01-sum/tests/data.txt", "solutions/01-sum/old.cpp"}) {
    write(file, "");
    expect_complaint(file + ": nothing knows this file; is it a stray one?");
    fs::remove(root_ / file);
  }
}

TEST_F(LabCheckTest, AMissingFileIsNamed) {
  for (const std::string file :
       {"labs/01-sum/sum.cpp", "solutions/01-sum/sum.cpp", "solutions/01-sum/NOTES.md"}) {
    const std::string content = read_file(root_ / file);
    fs::remove(root_ / file);
    expect_complaint(file + ": is missing");
    write(file, content);
  }
  fs::remove(root_ / "grader/mutants/01-sum.json");
  expect_complaint(
      "grader/mutants/01-sum.json: is missing: no bug proves that the lab's tests notice one");
}

TEST_F(LabCheckTest, TestsAreInLabJsonAndInTheSources) {
  const std::string tests = read_file(root_ / "labs/01-sum/tests/tests.cpp");
  write("labs/01-sum/tests/tests.cpp", tests + "TEST_P(Sum, OfMany) {}\n");
  expect_complaint(
      "labs/01-sum/lab.json: does not name the test Sum.OfMany, which so earns no points and is "
      "never run");
  write("labs/01-sum/tests/tests.cpp", replace_all(tests, "OfTwo", "OfThree"));
  EXPECT_EQ(complaints().size(), 2U);
  write("labs/01-sum/tests/tests.cpp", tests);
  write("labs/01-sum/bench/bench.cpp", "");
  expect_complaint("labs/01-sum/lab.json: no source holds the benchmark BM_Sum");
}

TEST_F(LabCheckTest, EveryExerciseHasItsHints) {
  write("labs/01-sum/lab.json",
        replace_all(read_file(root_ / "labs/01-sum/lab.json"), "\"Think of apples.\", ", ""));
  expect_complaint("labs/01-sum/lab.json: Sum.OfTwo has 2 hints, not 3");
}

TEST_F(LabCheckTest, TheSampleInTheHandoutIsWhatAStudentSees) {
  const auto sample = [&](const std::string& lines) {
    write("labs/01-sum/README.md",
          "# A sum\n\n![a picture](apples.svg)\n\n```text\n$ ./course check 1\n" + lines + "```\n");
  };
  const std::string start = "start with step 1: sum in labs/01-sum/sum.cpp (Add two)\n";
  sample("  ✗ Sum.OfTwo      0/60  not implemented: step 1\n  …\n0 of 90; " + start);
  EXPECT_EQ(complaints(), std::vector<std::string>{});
  sample("0 of 100; " + start);
  expect_complaint("labs/01-sum/README.md: the sample shows\n    0 of 100; " + trim_right(start) +
                   "\n  where a student sees\n    0 of 90; " + trim_right(start));
  sample("  ✗ Sum.OfThree      0/60  not implemented: step 1\n");
  expect_complaint(
      "labs/01-sum/README.md: the sample shows the test Sum.OfThree, which lab.json does not name");
  sample("  ✗ Sum.OfTwo      0/6  not implemented: step 1\n");
  EXPECT_EQ(complaints().size(), 1U);
}

TEST_F(LabCheckTest, ADeathTestIsNamed) {
  const std::string file = "labs/01-sum/tests/tests.cpp";
  write(file, read_file(root_ / file) + "void f() { ASSERT_EXIT(sum(1, 2), x, \"fatal\"); }\n");
  expect_complaint(file +
                   ": ASSERT_EXIT(…) says \"failed\" of a function that is not written yet; "
                   "in_child of testing/child.h says \"not implemented\"");
}

TEST_F(LabCheckTest, ASolutionIsComplete) {
  write("solutions/01-sum/sum.cpp", read_file(root_ / "labs/01-sum/sum.cpp"));
  expect_complaint("solutions/01-sum/sum.cpp: something in it is not implemented");
}

}  // namespace
}  // namespace goro::grader
