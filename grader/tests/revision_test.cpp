#include "revision.h"

#include <gtest/gtest.h>

#include "problem.h"
#include "process.h"
#include "submission.h"
#include "test_folder.h"
#include "text.h"

namespace goro::grader {
namespace {

class RevisionTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fresh_course();
    repository_ = root_.parent_path() / "alice@home";
    fs::create_directories(repository_ / "labs/01-sum");
    fs::create_directories(repository_ / "labs/02-ring");
    write_file_atomically(repository_ / "labs/01-sum/sum.cpp", "the first sum");
    write_file_atomically(repository_ / "labs/02-ring/ring.cpp", "the ring");
    git({"init", "--quiet", "--initial-branch=main"});
    commit();
  }

  std::string git(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"git", "-c", "user.name=a", "-c", "user.email=a@b"});
    const Ended ended = run_process({arguments, repository_, {}}, {});
    EXPECT_TRUE(ended.ok()) << ended.output;
    return trim_right(ended.output);
  }

  void commit() const {
    (void)git({"add", "--all"});
    (void)git({"commit", "--quiet", "-m", "work"});
  }

  [[nodiscard]] SlotFiles take(const std::string& revision, const std::string& lab) const {
    const Course course(root_);
    return Submission::open(repository_.string() + "@" + revision, course).take(course.lab(lab));
  }

  [[nodiscard]] std::string refusal(const std::string& revision) const {
    try {
      (void)take(revision, "1");
    } catch (const Problem& problem) {
      EXPECT_EQ(problem.status(), ExitStatus::wrong_use);
      EXPECT_EQ(std::string_view(problem.what()).find('\n'), std::string_view::npos);
      return problem.what();
    }
    return "it was taken";
  }

  fs::path root_;
  fs::path repository_;
};

TEST_F(RevisionTest, TakesWhatWasCommitted) {
  const std::string first = git({"rev-parse", "HEAD"});
  write_file_atomically(repository_ / "labs/01-sum/sum.cpp", "the second sum");
  commit();
  write_file_atomically(repository_ / "labs/01-sum/sum.cpp", "not committed");
  (void)git({"tag", "-a", "-m", "handed in", "handed-in"});
  for (const std::string& revision : {first, first.substr(0, 10), std::string("HEAD~1")}) {
    EXPECT_EQ(take(revision, "1").contents.at("sum.cpp"), "the first sum") << revision;
  }
  for (const std::string revision : {"main", "handed-in", "HEAD@{0}", "main:labs", "HEAD^{tree}"}) {
    EXPECT_EQ(take(revision, "1").contents.at("sum.cpp"), "the second sum") << revision;
  }
  EXPECT_EQ(take("main", "2").contents.at("ring.cpp"), "the ring");
}

TEST_F(RevisionTest, TheCoursesOwnRepositoryIsGit) {
  fs::rename(repository_ / ".git", root_ / ".git");
  const Course course(root_);
  EXPECT_EQ(Submission::open("git:main", course).take(course.lab("1")).contents.at("sum.cpp"),
            "the first sum");
}

TEST_F(RevisionTest, WhatIsNoOrdinaryFileIsNotTaken) {
  fs::remove(repository_ / "labs/01-sum/sum.cpp");
  fs::create_symlink("../../solutions/01-sum/sum.cpp", repository_ / "labs/01-sum/sum.cpp");
  fs::remove_all(repository_ / "labs/02-ring");
  fs::create_directory_symlink("../solutions/02-ring", repository_ / "labs/02-ring");
  commit();
  EXPECT_EQ(take("main", "1").problem,
            "01-sum/sum.cpp is a symbolic link; it must be an ordinary file");
  EXPECT_EQ(take("main", "2").problem,
            "the folder 02-ring is a symbolic link; it must be an ordinary folder");
}

TEST_F(RevisionTest, SaysWhatIsMissing) {
  fs::remove_all(repository_ / "labs/02-ring");
  write_file_atomically(repository_ / "labs/01-sum/sum.cpp", std::string(2 << 20, ' '));
  commit();
  EXPECT_EQ(take("main", "1").problem, "01-sum/sum.cpp is larger than 1 MB");
  EXPECT_EQ(take("main", "2").problem, "the folder 02-ring is missing from the submission");
}

TEST_F(RevisionTest, ARevisionThatIsNoneIsRefused) {
  const std::string place = " in " + repository_.string();
  EXPECT_EQ(refusal("nowhere"), "there is no revision \"nowhere\"" + place);
  EXPECT_EQ(refusal("--help"), "there is no revision \"--help\"" + place);
  EXPECT_EQ(refusal("main:labs/01-sum"), "the submission " + repository_.string() +
                                             "@main:labs/01-sum holds no lab's folder, such as "
                                             "02-ring");
}

// A repository's own configuration must not name programs that are run here.
TEST_F(RevisionTest, NothingThatTheRepositoryConfiguresIsRun) {
  const std::string proof = (root_.parent_path() / "proof").string();
  const std::string blob = git({"rev-parse", "HEAD:labs/01-sum/sum.cpp"});
  for (const std::string key : {"core.fsmonitor", "core.pager", "core.sshCommand",
                                "remote.origin.uploadpack", "core.alternateRefsCommand"}) {
    (void)git({"config", key, "touch " + shell_quoted(proof) + "; false"});
  }
  (void)git({"config", "remote.origin.url", "ext::touch " + proof});
  (void)git({"config", "protocol.ext.allow", "always"});
  (void)git({"config", "remote.origin.promisor", "true"});
  (void)git({"config", "extensions.partialClone", "origin"});
  (void)git({"config", "core.repositoryFormatVersion", "1"});
  fs::remove(repository_ / ".git/objects" / blob.substr(0, 2) / blob.substr(2));
  EXPECT_NE(refusal("main").find("git cannot read the revision main of "), std::string::npos)
      << refusal("main");
  EXPECT_FALSE(fs::exists(proof));
}

}  // namespace
}  // namespace goro::grader
