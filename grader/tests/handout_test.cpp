// ./course handout, and what works in the folder that it makes.
#include "course_test.h"
#include "edition.h"
#include "text.h"
#include "workspace.h"

namespace goro::grader {
namespace {

class HandoutTest : public CourseTest {
 protected:
  void SetUp() override {
    CourseTest::SetUp();
    write_rules_for_git("/secret.md instructors-only\n");
    write("secret.md", "# For instructors\n");
    write("README.md",
          "# Course\n\n<!-- instructors-only -->\nSee [there](secret.md).\n"
          "<!-- /instructors-only -->\n\nSee [lab 1](labs/01-sum/lab.json), [there](secret.md).\n");
    commit_all(root_, "the course");
    out_ = root_.parent_path() / "edition";
  }

  void hand_out(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"handout", out_.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ended ended = course(arguments);
    ASSERT_EQ(ended.status, 0) << ended.output;
  }

  // Nothing is left beside the course, neither the folder nor a half of it.
  void expect_no_folder() const {
    for (const fs::directory_entry& entry : fs::directory_iterator(root_.parent_path())) {
      EXPECT_EQ(entry.path(), root_);
    }
  }

  fs::path out_;
};

TEST_F(HandoutTest, LeavesOutWhatIsForInstructors) {
  hand_out();
  for (const std::string gone : {"solutions", "grader/mutants", "secret.md", ".gitattributes"}) {
    EXPECT_FALSE(fs::exists(out_ / gone)) << gone;
  }
  EXPECT_EQ(read_file(out_ / "README.md"),
            "# Course\n\nSee [lab 1](labs/01-sum/lab.json), there.\n");
  EXPECT_EQ(read_file(out_ / "edition/starters/01-sum/sum.cpp"),
            read_file(root_ / "labs/01-sum/sum.cpp"));
  const std::optional<Edition> edition = edition_in(out_);
  ASSERT_TRUE(edition);
  EXPECT_TRUE(edition->files.contains("labs/01-sum/sum.cpp"));
  EXPECT_TRUE(edition->files.contains("edition/starters/01-sum/sum.cpp"));
  EXPECT_FALSE(edition->files.contains("secret.md"));
}

TEST_F(HandoutTest, TakesCommittedFilesOnlyAndSaysSo) {
  write("labs/01-sum/sum.cpp", "my own solution\n");
  write("notes.txt", "mine\n");
  const Ended ended = course({"handout", out_.string()});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_SAYS(ended, "not committed: labs/01-sum/sum.cpp, notes.txt\n");
  EXPECT_FALSE(fs::exists(out_ / "notes.txt"));
  EXPECT_NE(read_file(out_ / "labs/01-sum/sum.cpp"), "my own solution\n");
}

TEST_F(HandoutTest, SealedChecksALabWithTheReferenceInTheOtherSlots) {
  if (host_architecture() != Architecture::x86_64) {
    GTEST_SKIP() << "editions are sealed on x86-64";
  }
  hand_out({"--sealed"});
  for (const std::string name : {"x86_64-release", "aarch64-release"}) {
    EXPECT_TRUE(fs::exists(out_ / "edition/sealed" / (name + ".tar.zst"))) << name;
  }
  const Ended starter = course_in(out_, {"check", "1"});
  EXPECT_EQ(starter.status, 1) << starter.output;
  EXPECT_SAYS(starter, "0 of 90; start with step 1");
  fs::copy_file(root_ / "solutions/01-sum/sum.cpp", out_ / "labs/01-sum/sum.cpp",
                fs::copy_options::overwrite_existing);
  const Ended solved = course_in(out_, {"check", "1", "--bench"});
  EXPECT_EQ(solved.status, 0) << solved.output;
  EXPECT_EQ(course_in(out_, {"check", "1", "--own"}).status, 0);
  EXPECT_SAYS(course_in(out_, {"reset", "1", "--yes"}), "sum.cpp is the starter again");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"test"},
                                             {"mutants"},
                                             {"attacks"},
                                             {"handout", "x"},
                                             {"grade", "--submission", "solutions"}}) {
    const Ended refused = course_in(out_, arguments);
    EXPECT_EQ(refused.status, 2) << refused.output;
    EXPECT_SAYS(refused, "this is a students' edition of the course, without the solutions");
    EXPECT_EQ(split_lines(refused.output).size(), 1U) << refused.output;
  }
  // A newer edition's objects take the place of the older one's.
  fs::remove_all(out_ / "edition/sealed");
  fs::create_directory(out_ / "edition/sealed");
  const Ended none = course_in(out_, {"check", "1"});
  EXPECT_EQ(none.status, 3) << none.output;
  EXPECT_SAYS(none, "no sealed slots for release on x86_64");
}

TEST_F(HandoutTest, WithoutASealOnlyOnesOwnSlotsAreThere) {
  hand_out();
  fs::copy_file(root_ / "solutions/01-sum/sum.cpp", out_ / "labs/01-sum/sum.cpp",
                fs::copy_options::overwrite_existing);
  const Ended alone = course_in(out_, {"check", "1"});
  EXPECT_EQ(alone.status, 2);
  EXPECT_SAYS(alone, "this edition holds no reference for the slots of other labs; --own");
  EXPECT_EQ(split_lines(alone.output).size(), 3U) << alone.output;  // the lab's title and idea
  const Ended own = course_in(out_, {"check", "1", "--own"});
  EXPECT_EQ(own.status, 0) << own.output;
  EXPECT_EQ(course_in(out_, {"check", "0"}).status, 0);
  EXPECT_SAYS(course_in(out_, {"bench", "1"}), "no reference");
}

TEST_F(HandoutTest, ResetNeedsNoRepositoryThere) {
  hand_out();
  write_file_atomically(out_ / "labs/01-sum/sum.cpp", "mine\n");
  EXPECT_EQ(course_in(out_, {"reset", "1", "--yes"}).status, 0);
  EXPECT_EQ(read_file(out_ / "labs/01-sum/sum.cpp"), read_file(root_ / "labs/01-sum/sum.cpp"));
}

TEST_F(HandoutTest, RefusesInOneLineAndLeavesNothing) {
  EXPECT_SAYS(course({"handout", root_.string()}), "exists already");
  EXPECT_SAYS(course({"handout", "/nowhere/at/all"}), "there is no folder /nowhere/at");
  EXPECT_SAYS(course({"handout", "inside"}), "lies inside the course");
  EXPECT_EQ(course({"handout", "inside"}).status, 2);
  write("solutions/01-sum/sum.cpp", "int sum(int a, int b) { return b + a; }\n");
  const Ended open = course({"handout", out_.string(), "--sealed"});
  EXPECT_EQ(open.status, 2);
  EXPECT_EQ(
      open.output,
      "course: what is sealed must be committed, and this is not: solutions/01-sum/sum.cpp\n");
  expect_no_folder();
}

TEST_F(HandoutTest, NeverHandsOutASolution) {
  write("labs/01-sum/sum.cpp", read_file(root_ / "solutions/01-sum/sum.cpp"));
  commit_all(root_, "oh no");
  const Ended given_away = course({"handout", out_.string()});
  EXPECT_EQ(given_away.status, 3);
  EXPECT_SAYS(given_away, "labs/01-sum/sum.cpp is solutions/01-sum/sum.cpp, word for word");
  git({"revert", "--no-edit", "HEAD"});
  fs::remove(root_ / ".gitattributes");
  commit_all(root_, "oh no again");
  const Ended unmarked = course({"handout", out_.string()});
  EXPECT_EQ(unmarked.status, 3);
  EXPECT_SAYS(unmarked, "the solutions would be handed out");
  expect_no_folder();
}

TEST_F(HandoutTest, APageThatPointsAtWhatIsNotThereStopsIt) {
  write("labs/01-sum/README.md", "See [there](../../README.md#for-instructors).\n");
  write("README.md",
        "<!-- instructors-only -->\n# For instructors\n<!-- /instructors-only -->\n# Course\n");
  commit_all(root_, "a link");
  const Ended ended = course({"handout", out_.string()});
  EXPECT_EQ(ended.status, 3);
  EXPECT_SAYS(ended, "labs/01-sum/README.md:1: a link to ../../README.md#for-instructors");
  expect_no_folder();
}

TEST_F(HandoutTest, SolutionsThatDoNotCompileLeaveNothing) {
  write("solutions/01-sum/sum.cpp", "int sum(int a, int b) { return a + ; }\n");
  commit_all(root_, "broken");
  const Ended ended = course({"handout", out_.string(), "--sealed"});
  EXPECT_EQ(ended.status, 3) << ended.output;
  EXPECT_SAYS(ended, "the solutions do not compile in build/gcc-release");
  expect_no_folder();
}

}  // namespace
}  // namespace goro::grader
