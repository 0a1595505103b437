#include "submission.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "problem.h"
#include "temporary_folder.h"
#include "test_folder.h"

namespace goro::grader {
namespace {

class SubmissionTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fresh_course();
    folder_ = root_.parent_path() / "submission";
    fs::create_directories(folder_ / "01-sum");
    fs::create_directories(folder_ / "02-ring");
    write_file_atomically(folder_ / "01-sum/sum.cpp", "the sum");
    write_file_atomically(folder_ / "02-ring/ring.cpp", "the ring");
  }

  [[nodiscard]] SlotFiles take(const std::string& lab) const {
    const Course course(root_);
    return Submission(folder_, course).take(course.lab(lab));
  }

  fs::path root_;
  fs::path folder_;
};

TEST_F(SubmissionTest, TakesSlotFilesAndNothingElse) {
  write_file_atomically(folder_ / "01-sum/lab.json", "{}");
  write_file_atomically(folder_ / "01-sum/harness.h", "#define cheat");
  const SlotFiles taken = take("1");
  EXPECT_EQ(taken.problem, "");
  EXPECT_EQ(taken.contents, (std::map<std::string, std::string>{{"sum.cpp", "the sum"}}));
}

TEST_F(SubmissionTest, RefusesASymbolicLink) {
  fs::remove(folder_ / "01-sum/sum.cpp");
  fs::create_symlink(root_ / "solutions/01-sum/sum.cpp", folder_ / "01-sum/sum.cpp");
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is a symbolic link; it must be an ordinary file");
  EXPECT_EQ(take("2").problem, "");
}

TEST_F(SubmissionTest, RefusesASymbolicLinkAsTheFolder) {
  fs::remove_all(folder_ / "01-sum");
  fs::create_directory_symlink(root_ / "solutions/01-sum", folder_ / "01-sum");
  EXPECT_EQ(take("1").problem,
            "the folder 01-sum is a symbolic link; it must be an ordinary folder");
}

TEST_F(SubmissionTest, RefusesAFolderAsAFile) {
  fs::remove(folder_ / "01-sum/sum.cpp");
  fs::create_directory(folder_ / "01-sum/sum.cpp");
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is a folder; it must be an ordinary file");
}

TEST_F(SubmissionTest, RefusesANamedPipeWithoutWaitingForIt) {
  fs::remove(folder_ / "01-sum/sum.cpp");
  ASSERT_EQ(::mkfifo((folder_ / "01-sum/sum.cpp").c_str(), 0600), 0);
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is a special file; it must be an ordinary file");
}

TEST_F(SubmissionTest, SaysWhatIsMissing) {
  fs::remove(folder_ / "01-sum/sum.cpp");
  fs::remove_all(folder_ / "02-ring");
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is missing");
  EXPECT_EQ(take("2").problem, "the folder 02-ring is missing from the submission");
}

TEST_F(SubmissionTest, RefusesHugeFiles) {
  write_file_atomically(folder_ / "01-sum/sum.cpp", std::string(2 << 20, ' '));
  EXPECT_EQ(take("1").problem, "01-sum/sum.cpp is larger than 1 MB");
}

TEST_F(SubmissionTest, MayBeACloneOfTheCourse) {
  const fs::path clone = root_.parent_path() / "clone";
  fs::create_directories(clone);
  fs::copy(folder_, clone / "labs", fs::copy_options::recursive);
  folder_ = clone;
  EXPECT_EQ(take("2").contents.at("ring.cpp"), "the ring");
}

TEST_F(SubmissionTest, AFolderWithoutLabsIsWrongUse) {
  folder_ = root_ / "harness";
  EXPECT_THROW((void)take("1"), Problem);
  folder_ = root_ / "no such folder";
  EXPECT_THROW((void)take("1"), Problem);
}

// In a process that is not root's, whom nothing is hidden from.
TEST_F(SubmissionTest, AFolderThatMayNotBeReadIsNamedAsSuch) {
  const TemporaryFolder outside(fs::temp_directory_path() / "goro-unreadable");
  const fs::path hidden = outside.path() / "alice";
  fs::create_directory(hidden);
  fs::permissions(hidden, fs::perms::none);
  const Course course(root_);
  const auto look = [&] {
    constexpr uid_t nobody = 65534;
    fs::permissions(outside.path(), fs::perms::all);
    if (::geteuid() == 0 && ::setresuid(nobody, nobody, nobody) != 0) {
      std::_Exit(2);
    }
    try {
      (void)Submission(hidden, course);
    } catch (const Problem& problem) {
      std::fputs(problem.what(), stderr);
      std::_Exit(static_cast<int>(problem.status()));
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(look(), testing::ExitedWithCode(2), "alice: Permission denied");
}

TEST_F(SubmissionTest, CanBeChangedWithoutTouchingTheFolder) {
  const Course course(root_);
  const Submission changed = Submission(folder_, course).with(course.lab("1"), "sum.cpp", "mutant");
  EXPECT_EQ(changed.take(course.lab("1")).contents.at("sum.cpp"), "mutant");
  EXPECT_EQ(take("1").contents.at("sum.cpp"), "the sum");
}

}  // namespace
}  // namespace goro::grader
