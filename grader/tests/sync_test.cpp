// ./course sync, on real repositories: a published edition, a student's clone of it, and a newer
// edition.
#include "sync.h"

#include "course_test.h"
#include "text.h"

namespace goro::grader {
namespace {

class SyncTest : public CourseTest {
 protected:
  void SetUp() override {
    CourseTest::SetUp();
    write_rules_for_git();
    write("docs/old.md", "# Old\n");
    write("docs/page.md", "# Page\n");
    commit_all(root_, "the course");
    const fs::path around = root_.parent_path();
    published_ = around / "published";
    student_ = around / "student";
    newer_ = around / "newer";
    hand_out(published_);
    commit_all(published_, "the edition");
    git_in(around, {"clone", "--quiet", published_, student_});
  }

  void hand_out(const fs::path& to) const {
    const Ended ended = course({"handout", to.string()});
    ASSERT_EQ(ended.status, 0) << ended.output;
  }

  // The course goes on: both starters, a page, a new file, one file less.
  void make_newer_edition() {
    new_sum_ = "// new\n" + read_file(root_ / "labs/01-sum/sum.cpp");
    new_ring_ = "// new\n" + read_file(root_ / "labs/02-ring/ring.cpp");
    write("labs/01-sum/sum.cpp", new_sum_);
    write("labs/02-ring/ring.cpp", new_ring_);
    write("docs/page.md", "# Page\n\nNew.\n");
    write("docs/more/new.sh", "#!/bin/sh\n");
    fs::permissions(root_ / "docs/more/new.sh", fs::perms::owner_exec, fs::perm_options::add);
    fs::remove(root_ / "docs/old.md");
    commit_all(root_, "the course goes on");
    hand_out(newer_);
  }

  void as_student(const std::string& file, const std::string& content) const {
    write_file_atomically(student_ / file, content);
  }

  [[nodiscard]] std::string students(const std::string& file) const {
    return read_file(student_ / file);
  }

  [[nodiscard]] Ended sync(const std::vector<std::string>& source) const {
    std::vector<std::string> arguments{"sync"};
    arguments.insert(arguments.end(), source.begin(), source.end());
    return course_in(student_, arguments);
  }

  void expect_refusal(const std::vector<std::string>& source, const std::string& part) const {
    const Ended ended = sync(source);
    EXPECT_EQ(ended.status, 2) << ended.output;
    EXPECT_SAYS(ended, part);
    const std::vector<std::string> lines = split_lines(ended.output);
    EXPECT_LE(lines.size() - (lines.front().starts_with("… ") ? 1 : 0), 1U) << ended.output;
  }

  fs::path published_;
  fs::path student_;
  fs::path newer_;
  std::string new_sum_;
  std::string new_ring_;
};

TEST_F(SyncTest, TheStudentsWorkStaysAndEverythingElseIsNew) {
  as_student("labs/01-sum/sum.cpp", "my work\n");
  commit_all(student_, "my work");
  as_student("labs/01-sum/sum.cpp", "my work, better\n");
  as_student("notes.txt", "my notes\n");
  make_newer_edition();
  const Ended ended = sync({newer_.string()});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_EQ(students("labs/01-sum/sum.cpp"), "my work, better\n");
  EXPECT_SAYS(ended,
              "labs/01-sum/sum.cpp: yours stays; its new starter is "
              "edition/starters/01-sum/sum.cpp\n");
  EXPECT_EQ(students("edition/starters/01-sum/sum.cpp"), new_sum_);
  EXPECT_EQ(students("labs/02-ring/ring.cpp"), new_ring_);
  EXPECT_EQ(students("docs/page.md"), "# Page\n\nNew.\n");
  EXPECT_NE(fs::status(student_ / "docs/more/new.sh").permissions() & fs::perms::owner_exec,
            fs::perms::none);
  EXPECT_FALSE(fs::exists(student_ / "docs/old.md"));
  EXPECT_EQ(students("notes.txt"), "my notes\n");

  EXPECT_EQ(course_in(student_, {"reset", "1", "--yes"}).status, 0);
  EXPECT_EQ(students("labs/01-sum/sum.cpp"), new_sum_);
  const Ended again = sync({newer_.string()});
  EXPECT_EQ(again.status, 0);
  EXPECT_SAYS(again, "Nothing to do: this is the edition of ");
}

TEST_F(SyncTest, ChangesOfTheCoursesOwnFilesAreNotLost) {
  as_student("docs/page.md", "# My page\n");
  as_student("labs/01-sum/lab.json", students("labs/01-sum/lab.json") + "\n");
  fs::remove(student_ / "docs/old.md");
  fs::create_symlink("page.md", student_ / "docs/old.md");
  make_newer_edition();
  const Ended ended = sync({newer_.string()});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_EQ(students("docs/page.md"), "# Page\n\nNew.\n");
  EXPECT_SAYS(ended, "docs/page.md: yours is in build/backups/docs/page.md.bak-");
  for (const fs::directory_entry& entry : fs::directory_iterator(student_ / "build/backups/docs")) {
    if (entry.path().filename().string().starts_with("page")) {
      EXPECT_EQ(read_file(entry.path()), "# My page\n");
    } else {
      EXPECT_TRUE(entry.is_symlink());
    }
  }
  EXPECT_SAYS(ended, "left as you changed it: labs/01-sum/lab.json");
}

TEST_F(SyncTest, AFileThatUpstreamGaveUpStaysIfTheStudentWorkedInIt) {
  as_student("labs/02-ring/ring.cpp", "my ring\n");
  for (const std::string folder : {"labs", "solutions"}) {
    fs::rename(root_ / folder / "02-ring/ring.cpp", root_ / folder / "02-ring/circle.cpp");
  }
  write("labs/02-ring/lab.json",
        replace_all(read_file(root_ / "labs/02-ring/lab.json"), "ring.cpp", "circle.cpp"));
  commit_all(root_, "another name");
  hand_out(newer_);
  const Ended ended = sync({newer_.string()});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_SAYS(ended, "labs/02-ring/ring.cpp: yours stays, but the new edition has no such file");
  EXPECT_EQ(students("labs/02-ring/ring.cpp"), "my ring\n");
  EXPECT_TRUE(fs::exists(student_ / "labs/02-ring/circle.cpp"));
}

TEST_F(SyncTest, WhatAnInterruptionLeftIsFinishedByTheNextSync) {
  as_student("labs/01-sum/sum.cpp", "my work\n");
  make_newer_edition();
  fs::remove(student_ / "docs/old.md");
  as_student("docs/page.md", "# Page\n\nNew.\n");
  as_student("labs/02-ring/ring.cpp", new_ring_);
  const Ended ended = sync({newer_.string()});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_FALSE(contains(ended, "yours is in")) << ended.output;
  EXPECT_EQ(students("labs/01-sum/sum.cpp"), "my work\n");
  EXPECT_SAYS(sync({newer_.string()}), "Nothing to do");
}

TEST_F(SyncTest, TakesARemoteItsUrlABranchAndARevision) {
  const std::string before = students("docs/page.md");
  make_newer_edition();
  // The instructor brings the published repository up to date in the same way.
  EXPECT_EQ(course_in(published_, {"sync", newer_.string()}).status, 0);
  git_in(published_, {"checkout", "--quiet", "-b", "second"});
  commit_all(published_, "the newer edition");
  git_in(published_, {"checkout", "--quiet", "main"});
  EXPECT_SAYS(sync({"origin"}), "Nothing to do");
  git_in(student_, {"fetch", "--quiet"});
  for (const std::vector<std::string>& source : std::vector<std::vector<std::string>>{
           {"origin", "second"}, {published_.string(), "second"}, {"origin/second"}}) {
    git_in(student_, {"reset", "--quiet", "--hard"});
    git_in(student_, {"clean", "--quiet", "-f", "-d"});
    ASSERT_EQ(students("docs/page.md"), before);
    const Ended ended = sync(source);
    EXPECT_EQ(ended.status, 0) << ended.output;
    EXPECT_EQ(students("docs/page.md"), "# Page\n\nNew.\n") << join(source, " ");
  }
  expect_refusal({"origin", "third"}, "git cannot fetch origin third: ");
  expect_refusal({"upstream"}, "no folder, no git remote and no revision \"upstream\"");
}

TEST_F(SyncTest, RefusesInTheMiddleOfSomething) {
  make_newer_edition();
  git_in(student_, {"checkout", "--quiet", "-b", "other"});
  as_student("labs/01-sum/sum.cpp", "one\n");
  commit_all(student_, "one");
  git_in(student_, {"checkout", "--quiet", "main"});
  as_student("labs/01-sum/sum.cpp", "two\n");
  commit_all(student_, "two");
  for (const std::string operation : {"merge", "rebase", "cherry-pick"}) {
    (void)run_process(
        {{"git", "-c", "user.name=a", "-c", "user.email=a@b", operation, "other"}, student_, {}},
        {});
    expect_refusal({newer_.string()}, "git is in the middle of a " + operation + " here");
    git_in(student_, {operation, "--abort"});
  }
  EXPECT_EQ(sync({newer_.string()}).status, 0);
}

TEST_F(SyncTest, RefusesWhatIsNoNewerEdition) {
  expect_refusal({student_.string()}, "is this very folder");
  expect_refusal({root_.string()}, "is no students' edition");
  const Ended in_course = course({"sync", published_.string()});
  EXPECT_EQ(in_course.status, 2);
  EXPECT_SAYS(in_course, "sync is for a students' edition");
  make_newer_edition();
  as_student("edition/edition.json",
             replace_all(students("edition/edition.json"), "\"date\": \"2", "\"date\": \"3"));
  expect_refusal({newer_.string()}, "is older than this one");
  as_student("edition/edition.json", "{\"format\": 1}");
  EXPECT_SAYS(sync({newer_.string()}), "edition.json: commit: is missing");
}

TEST_F(SyncTest, RefusesADamagedEditionBeforeAnythingIsWritten) {
  make_newer_edition();
  write_file_atomically(newer_ / "docs/page.md", "half");
  expect_refusal({newer_.string()}, "is not as it was handed out: docs/page.md was changed");
  fs::remove(newer_ / "docs/page.md");
  expect_refusal({newer_.string()}, "is not complete: docs/page.md is missing");
  write_file_atomically(
      newer_ / "edition/edition.json",
      replace_all(read_file(newer_ / "edition/edition.json"), "docs/page.md", "../page.md"));
  EXPECT_SAYS(sync({newer_.string()}), "\"../page.md\" is no path of an edition");
  EXPECT_EQ(students("docs/page.md"), "# Page\n");
}

TEST_F(SyncTest, WritesNothingWhereALinkLeads) {
  make_newer_edition();
  fs::rename(student_ / "docs", student_.parent_path() / "docs");
  fs::create_symlink(student_.parent_path() / "docs", student_ / "docs");
  expect_refusal({newer_.string()}, "docs is no ordinary folder here");
  EXPECT_EQ(read_file(student_.parent_path() / "docs/page.md"), "# Page\n");
}

}  // namespace
}  // namespace goro::grader
