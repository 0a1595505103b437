// A class is graded: who gets what, what is kept, and what happens when something goes wrong
// halfway.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <nlohmann/json.hpp>

#include "batch_plan.h"
#include "batch_reports.h"
#include "course_test.h"
#include "problem.h"
#include "text.h"

namespace goro::grader {
namespace {

constexpr const char* good_sum = "int sum(int a, int b) { return a + b; }\n";
constexpr const char* half_sum = "int sum(int a, int b) { return a < 0 ? 0 : a + b; }\n";
constexpr const char* good_ring = "int next(int a, int n) { return (a + 1) % n; }\n";
constexpr const char* bad_ring = "int next(int a, int) { return a + 1; }\n";

class Batch : public CourseTest {
 protected:
  void SetUp() override {
    CourseTest::SetUp();
    class_ = root_.parent_path() / "class";
    fs::create_directories(class_);
  }

  void hand_in(const std::string& name, const std::string& sum, const std::string& ring) const {
    write_file_atomically(class_ / name / "01-sum/sum.cpp", sum);
    write_file_atomically(class_ / name / "02-ring/ring.cpp", ring);
  }

  void hand_in_three() const {
    hand_in("alice", good_sum, good_ring);
    hand_in("bob", half_sum, bad_ring);
    hand_in("carol", "int sum(int a) { return b; }\n", good_ring);
  }

  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> more = {}) const {
    std::vector<std::string> all{"batch",      class_.string(), "--out", out().string(),
                                 "--no-bench", "--labs",        "1-2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  [[nodiscard]] Ended batch(const std::vector<std::string>& more = {}) const {
    return course(command(more));
  }

  [[nodiscard]] fs::path out() const { return root_.parent_path() / "grades"; }
  [[nodiscard]] std::string table() const { return read_file(out() / "grades.csv"); }
  [[nodiscard]] fs::path record(const std::string& name) const {
    return out() / "batch/records" / (name + ".json");
  }

  fs::path class_;
};

constexpr const char* table_of_three =
    "submission,status,points,max_points,lab_01,lab_02,note\r\n"
    "alice,graded,190,190,90,100,\r\n"
    "bob,graded,110,190,60,50,\r\n"
    "carol,graded,100,190,0,100,lab 01: It does not compile.\r\n";

TEST_F(Batch, EverybodyGetsPointsAndAReport) {
  hand_in_three();
  const Ended ended = batch({"--jobs", "2"});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_SAYS(ended, "3 submissions, none graded yet");
  EXPECT_SAYS(ended, "3 of 3");
  EXPECT_SAYS(ended, "3 graded: ");
  EXPECT_EQ(table(), table_of_three);
  const nlohmann::json bob = nlohmann::json::parse(read_file(out() / "reports/bob.json"));
  EXPECT_EQ(bob.at("score"), 110);
  EXPECT_EQ(bob.at("submission"), "bob");
  const std::string carol = read_file(out() / "reports/carol.md");
  EXPECT_NE(carol.find("labs/01-sum/sum.cpp:1:"), std::string::npos) << carol;
}

// What students read speaks of their files as they know them, and of nothing else.
TEST_F(Batch, ReportsNameNoPlaceOfTheInstructors) {
  hand_in_three();
  write_file_atomically(class_ / "dan/01-sum/sum.cpp", "int sum(int, int) { __builtin_trap(); }\n");
  ASSERT_EQ(batch().status, 0);
  for (const std::string name : {"alice", "bob", "carol", "dan"}) {
    for (const std::string end : {".md", ".json"}) {
      const std::string report = read_file(out() / "reports" / (name + end));
      EXPECT_EQ(report.find(root_.parent_path().string()), std::string::npos) << report;
      EXPECT_EQ(report.find("build/"), std::string::npos) << report;
    }
  }
  EXPECT_NE(read_file(out() / "reports/bob.md").find("./course check 2 --test Ring.Wraps"),
            std::string::npos);
}

TEST_F(Batch, OnlyWhatChangedIsGradedAgain) {
  hand_in_three();
  ASSERT_EQ(batch().status, 0);
  const std::string alice = read_file(record("alice"));
  const Ended nothing = batch();
  EXPECT_EQ(nothing.status, 0);
  EXPECT_SAYS(nothing, "3 submissions, 3 graded already");
  EXPECT_FALSE(contains(nothing, "building")) << nothing.output;

  hand_in("bob", good_sum, good_ring);
  hand_in("dan", good_sum, bad_ring);
  const Ended again = batch();
  EXPECT_SAYS(again, "4 submissions, 2 graded already");
  EXPECT_SAYS(again, "To be graded again (its files changed): bob");
  EXPECT_SAYS(again, "1 of 2");
  EXPECT_NE(table().find("bob,graded,190,190,90,100,\r\ncarol"), std::string::npos) << table();
  EXPECT_NE(table().find("dan,graded,140,190,90,50,\r\n"), std::string::npos) << table();
  EXPECT_EQ(read_file(record("alice")), alice);

  EXPECT_SAYS(batch({"--own"}),
              "(graded with other options or private tests before): alice, bob, carol, dan");
  write("labs/02-ring/lab.json", replace_all(read_file(root_ / "labs/02-ring/lab.json"),
                                             "\"points\": 50", "\"points\": 50.0"));
  EXPECT_SAYS(batch({"--own"}), "(the course changed): alice, bob, carol, dan");
}

TEST_F(Batch, ArchivesRevisionsAndAList) {
  hand_in_three();
  const fs::path repository = class_ / "bob";
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"git", "init", "--quiet", "--initial-branch=main"},
           {"git", "add", "."},
           {"git", "-c", "user.name=b", "-c", "user.email=b@b", "commit", "--quiet", "-m", "b"},
           {"tar", "-cJf", (class_ / "eve.tar.xz").string(), "-C", (class_ / "alice").string(),
            "01-sum", "02-ring"}}) {
    const Ended ended = run_process({words, repository, {}}, {});
    ASSERT_TRUE(ended.ok()) << ended.output;
  }
  write_file_atomically(class_ / "list.txt",
                        "# the class\n\neve.tar.xz\nbob's last\tbob@main\ncarol/\n");
  const Ended ended = course({"batch", (class_ / "list.txt").string(), "--out", out().string(),
                              "--no-bench", "--labs", "1,2"});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_EQ(table(),
            "submission,status,points,max_points,lab_01,lab_02,note\r\n"
            "\"bob's last\",graded,110,190,60,50,\r\n"
            "carol,graded,100,190,0,100,lab 01: It does not compile.\r\n"
            "eve,graded,190,190,90,100,\r\n");
  const Ended folder = batch();
  EXPECT_SAYS(folder, "list.txt is no folder and no archive, so no submission");
  EXPECT_NE(table().find("eve,graded,190"), std::string::npos) << table();
}

TEST_F(Batch, WhatCannotBeTakenHasNoPointsAndStopsNobody) {
  hand_in("alice", good_sum, good_ring);
  fs::create_directories(class_ / "empty");
  write_file_atomically(class_ / "mallory.zip", "no archive");
  write_file_atomically(class_ / "=cmd|'x'!A1/02-ring/ring.cpp", good_ring);
  write_file_atomically(class_ / "new\nline/02-ring/ring.cpp", good_ring);
  fs::create_symlink("/etc/passwd", class_ / "new\nline/01-sum");
  const Ended ended = batch();
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_SAYS(ended, "3 graded, 2 refused: ");
  const std::vector<std::string> lines = split_lines(table());
  ASSERT_EQ(lines.size(), 6U) << table();
  EXPECT_EQ(lines[1],
            "\"'=cmd|'x'!A1\",graded,100,190,0,100,lab 01: the folder 01-sum is missing from the "
            "submission");
  EXPECT_TRUE(lines[3].starts_with("empty,refused,0,,0,0,")) << lines[3];
  EXPECT_TRUE(lines[4].starts_with("mallory,refused,0,,0,0,\"the submission mallory is neither"))
      << lines[4];
  EXPECT_TRUE(lines[5].starts_with("new\\nline,graded,100,190,0,100,lab 01: the folder 01-sum is"))
      << lines[5];
  EXPECT_TRUE(fs::exists(out() / "reports/new%5Cnline.md"));
  EXPECT_SAYS(batch(), "5 graded already");
}

TEST_F(Batch, WrongUseIsOneLine) {
  hand_in_three();
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& why) {
    const Ended ended = course(arguments);
    EXPECT_EQ(ended.status, 2) << ended.output;
    EXPECT_EQ(split_lines(ended.output).size(), 1U) << ended.output;
    EXPECT_SAYS(ended, why);
  };
  refused({"batch", "nowhere"}, "nowhere does not exist; name a folder of submissions or a list");
  refused({"batch", (class_ / "alice").string()}, "alice is a submission itself");
  refused({"batch", class_.string(), "--labs", "7"}, "there is no lab");
  refused({"batch", class_.string(), "--jobs", "0"}, "--jobs");
  refused({"batch", class_.string(), "--engine", "steam"}, "--engine");
  write_file_atomically(class_ / "twice.txt", "alice\nbob/../alice\n");
  refused({"batch", (class_ / "twice.txt").string()}, "has two submissions named alice");
  fs::create_directories(class_ / "empty");
  refused({"batch", (class_ / "empty").string()}, "empty holds no submission");
}

TEST_F(Batch, WhatIsBrokenHereIsNobodysGradeAndStopsTheBatchAfterThree) {
  hand_in_three();
  hand_in("dan", good_sum, good_ring);
  const std::string harness = read_file(root_ / "harness/harness.h");
  write("harness/harness.h", "#error broken\n");
  const Ended broken = batch({"--jobs", "1"});
  EXPECT_EQ(broken.status, 3) << broken.output;
  EXPECT_SAYS(broken, "0 graded, 4 not graded: ");
  EXPECT_SAYS(broken,
              "3 submissions in a row could not be graded, so the batch stopped; the last "
              "was carol: the course itself does not compile");
  EXPECT_NE(table().find("dan,not graded,,,,,its turn did not come\r\n"), std::string::npos)
      << table();
  write("harness/harness.h", harness);
  const Ended mended = batch();
  EXPECT_EQ(mended.status, 0) << mended.output;
  EXPECT_SAYS(mended, "To be graded again (it could not be graded before): alice, bob, carol");
  EXPECT_EQ(table(), std::string(table_of_three) + "dan,graded,190,190,90,100,\r\n");
}

TEST_F(Batch, OfTwoOnOneFolderTheSecondIsRefused) {
  hand_in("alice", "int sum(int, int) { for (volatile int i = 0;; i = 1) {} }\n", good_ring);
  const std::string program = shell_quoted(GORO_GRADER_PROGRAM);
  std::string arguments;
  for (const std::string& word : command()) {
    arguments += " " + shell_quoted(word);
  }
  const Ended ended = run_process(
      {{"/bin/bash", "-c",
        "set -m\n" + program + arguments + " >first.log 2>&1 & first=$!\n" +
            "until pgrep -P $first goro-grader >/dev/null; do kill -0 $first || exit; done\n" +
            program + arguments +
            "; echo status $?\nkill -TERM $first; wait $first; cat first.log"},
       root_,
       {}},
      {});
  EXPECT_SAYS(ended, "another batch is at work in " + out().string());
  EXPECT_SAYS(ended, "status 2\n");
  EXPECT_SAYS(ended,
              "interrupted; 0 of 1 submission graded; run the same command again to go on\n");
  EXPECT_FALSE(fs::exists(record("alice")));
}

TEST_F(Batch, WithoutTheSandboxThatIsRequiredNobodyIsGraded) {
  hand_in_three();
  const fs::path programs = root_.parent_path() / "programs";  // and bubblewrap is none of them
  fs::create_directories(programs);
  fs::create_symlink("/usr/bin/sha256sum", programs / "sha256sum");
  std::vector<std::string> words{"/usr/bin/env", "PATH=" + programs.string(), GORO_GRADER_PROGRAM};
  const std::vector<std::string> arguments = command({"--require-sandbox"});
  words.insert(words.end(), arguments.begin(), arguments.end());
  const Ended ended = run_process({words, root_, {}}, {});
  EXPECT_EQ(ended.status, 3) << ended.output;
  EXPECT_SAYS(ended, "course: no sandbox can be made here: ");
  EXPECT_FALSE(fs::exists(record("alice")));
  EXPECT_FALSE(fs::exists(out() / "grades.csv"));
}

// Killed whenever there are some new results, a batch still ends with each graded once: no result
// that was there is touched again, and the points are right.
TEST_F(Batch, KilledThreeTimesItStillGradesEverybodyOnce) {
  constexpr int students = 12;
  std::string expected = "submission,status,points,max_points,lab_01,lab_02,note\r\n";
  for (int i = 0; i < students; ++i) {
    const std::string name = "student" + std::to_string(10 + i);
    hand_in(name, i % 3 == 0 ? half_sum : good_sum, i % 2 == 0 ? good_ring : bad_ring);
    const int sum = i % 3 == 0 ? 60 : 90;
    const int ring = i % 2 == 0 ? 100 : 50;
    expected += name + ",graded," + std::to_string(sum + ring) + ",190," + std::to_string(sum) +
                "," + std::to_string(ring) + ",\r\n";
  }
  const auto records = [&] {
    std::map<std::string, std::pair<std::string, ino_t>> all;
    std::error_code error;
    for (const fs::directory_entry& entry :
         fs::directory_iterator(out() / "batch/records", error)) {
      struct stat status {};
      if (entry.path().extension() == ".json" && ::stat(entry.path().c_str(), &status) == 0) {
        all[entry.path()] = {read_file(entry.path()), status.st_ino};
      }
    }
    return all;
  };
  std::string arguments;
  for (const std::string& word : command({"--jobs", "2"})) {
    arguments += " " + shell_quoted(word);
  }
  std::map<std::string, std::pair<std::string, ino_t>> before;
  for (int killed = 0; killed < 3; ++killed) {
    const std::string enough = std::to_string(before.size() + 2);
    const Ended ended = run_process(
        {{"/bin/bash", "-c",
          shell_quoted(GORO_GRADER_PROGRAM) + arguments + " >killed.log 2>&1 & batch=$!\n" +
              "until (( $(ls " + shell_quoted((out() / "batch/records").string()) +
              " 2>/dev/null | grep -c 'json$') >= " + enough +
              " )); do kill -0 $batch || exit; done\nkill -9 $batch; wait $batch; echo $?"},
         root_,
         {}},
        {});
    ASSERT_TRUE(contains(ended, "137")) << ended.output << read_file(root_ / "killed.log");
    const auto after = records();
    EXPECT_GE(after.size(), before.size() + 2);
    EXPECT_LT(after.size(), static_cast<std::size_t>(students));
    for (const auto& [file, content] : before) {
      EXPECT_EQ(after.at(file), content) << file << " was graded again";
    }
    before = after;
  }
  const Ended last = batch({"--jobs", "2"});
  EXPECT_EQ(last.status, 0) << last.output;
  EXPECT_SAYS(last, "12 submissions, " + std::to_string(before.size()) + " graded already");
  EXPECT_EQ(table(), expected);
  const auto after = records();
  EXPECT_EQ(after.size(), static_cast<std::size_t>(students));
  for (const auto& [file, content] : before) {
    EXPECT_EQ(after.at(file), content) << file << " was graded again";
  }
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(out())) {
    EXPECT_EQ(entry.path().string().find(".tmp-"), std::string::npos) << entry.path();
  }
}

// On a disk of a few pages, which a name space of its own mounts.
TEST_F(Batch, AFullDiskIsOneLineAndNoHalfReport) {
  hand_in_three();
  fs::create_directories(out());
  std::string arguments;
  for (const std::string& word : command({"--jobs", "1"})) {
    arguments += " " + shell_quoted(word);
  }
  std::vector<std::string> words{"unshare", "--mount"};
  if (::geteuid() != 0) {
    words.emplace_back("--map-root-user");
  }
  words.insert(words.end(),
               {"/bin/bash", "-c",
                "mount -t tmpfs -o size=32k none " + shell_quoted(out().string()) + " || exit\n" +
                    shell_quoted(GORO_GRADER_PROGRAM) + arguments + "; echo status $?\n" + "find " +
                    shell_quoted(out().string()) + " -name '*.tmp-*' -printf 'half written: %f'"});
  const Ended ended = run_process({words, root_, {}}, {});
  EXPECT_SAYS(ended, "status 3\n");
  EXPECT_FALSE(contains(ended, "half written")) << ended.output;
  const std::size_t complaint = ended.output.find("course: ");
  ASSERT_NE(complaint, std::string::npos) << ended.output;
  const std::vector<std::string> lines = split_lines(ended.output.substr(complaint));
  EXPECT_EQ(lines.size(), 2U) << ended.output;
  EXPECT_TRUE(lines[0].ends_with("No space left on device")) << ended.output;
}

TEST(BatchTable, ACellIsNoFormulaAndOneCell) {
  EXPECT_EQ(csv_cell("alice"), "alice");
  EXPECT_EQ(csv_cell("Jos\u00e9"), "Jos\u00e9");
  EXPECT_EQ(csv_cell("=1+1"), "\"'=1+1\"");
  EXPECT_EQ(csv_cell("@x"), "\"'@x\"");
  EXPECT_EQ(csv_cell("-1"), "\"'-1\"");
  EXPECT_EQ(csv_cell("+1"), "\"'+1\"");
  EXPECT_EQ(csv_cell("\t=1"), "\"'\t=1\"");
  EXPECT_EQ(csv_cell("a,b \"c\""), "\"a,b \"\"c\"\"\"");
  EXPECT_EQ(csv_cell("\x1b[2J"), "\\x1b[2J");
}

TEST(BatchNames, AreFileNamesAndDifferent) {
  EXPECT_EQ(file_name_of("alice_b-2.c@d"), "alice_b-2.c@d");
  EXPECT_EQ(file_name_of("../alice"), "%2E.%2Falice");
  EXPECT_EQ(file_name_of("%2Falice"), "%252Falice");
  EXPECT_EQ(file_name_of("Jos\u00e9"), "Jos\u00e9");
}

TEST(BatchPlanFile, KeepsPathsThatAreNoText) {
  BatchPlan plan;
  plan.entries = {{"odd", "/class/\xff%41\n"}, {"even", "/class/Jos\u00e9"}};
  const BatchPlan read = plan_from_json(plan_to_json(plan));
  EXPECT_EQ(read.entries[0].source, plan.entries[0].source);
  EXPECT_EQ(read.entries[1].source, plan.entries[1].source);
}

}  // namespace
}  // namespace goro::grader
