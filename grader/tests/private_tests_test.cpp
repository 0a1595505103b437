// Tests that only the instructor has: they count, and nobody else learns what they are.
#include "private_tests.h"

#include <nlohmann/json.hpp>

#include "batch_plan.h"
#include "course_test.h"
#include "problem.h"
#include "sandbox.h"
#include "text.h"

namespace goro::grader {
namespace {

constexpr const char* list_of_sum = R"({"tests": [
  {"name": "Hush.LargeNumbers", "points": 20, "concept": "hush, overflow", "section": "step-1-add",
   "time_limit_s": 5, "hints": ["hush, use a cast"]},
  {"name": "Hush.Zero", "points": 5, "concept": "hush, nothing", "section": "step-1-add",
   "time_limit_s": 5, "hints": []}
]})";
constexpr const char* tests_of_sum =
    "#include \"harness.h\"\n"
    "int sum(int a, int b);\n"
    "TEST(Hush, LargeNumbers) { return sum(100000, 1) == 100001 ? \"\" : \"hush, too large\"; }\n"
    "TEST(Hush,\n     Zero) { return sum(0, 0) == 0 ? \"\" : \"hush, not nothing\"; }\n"
    "int main(int argc, char** argv) { return harness::run(argc, argv, harness::tests()); }\n";
constexpr const char* list_of_ring = R"({"tests": [
  {"name": "Hush.Around", "points": 10, "concept": "hush, modulo", "section": "step-1-next",
   "time_limit_s": 5, "hints": []}
]})";
constexpr const char* tests_of_ring =
    "#include \"harness.h\"\n"
    "#include \"../shared/expect.h\"\n"
    "TEST(Hush, Around) { return next(next(2, 4), 4) == 0 ? \"\" : hush; }\n"
    "int main(int argc, char** argv) { return harness::run(argc, argv, harness::tests()); }\n";

constexpr const char* good_sum = "int sum(int a, int b) { return a + b; }\n";
// Right in the lab's own tests, and wrong in one of the private ones.
constexpr const char* small_sum =
    "int sum(int a, int b) { return a > 1000 ? (short)(a + b) : a + b; }\n";
constexpr const char* good_ring = "int next(int a, int n) { return (a + 1) % n; }\n";

class PrivateTestsTest : public CourseTest {
 protected:
  void SetUp() override {
    CourseTest::SetUp();
    folder_ = root_.parent_path() / "hush, my tests";
    keep("01-sum/private.json", list_of_sum);
    keep("01-sum/tests.cpp", tests_of_sum);
    keep("02/private.json", list_of_ring);  // a number is a name, too
    keep("02/tests.cpp", tests_of_ring);
    keep("shared/expect.h",
         "int next(int, int);\nconstexpr const char* hush = \"hush, around\";\n");
    keep("README.md", "# hush\n");
    keep(".git/HEAD", "what changes all the time\n");
  }

  void keep(const std::string& file, const std::string& content) const {
    write_file_atomically(folder_ / file, content);
  }

  [[nodiscard]] Ended grade(std::vector<std::string> more) const {
    more.insert(more.begin(), {"grade", "--no-bench", "--labs", "1-2", "--tests", folder_.string(),
                               "--report", "json=report.json"});
    return course(more);
  }

  [[nodiscard]] nlohmann::json report() const {
    return nlohmann::json::parse(read_file(root_ / "report.json"));
  }

  void hand_in(const std::string& name, const std::string& sum, const std::string& ring) const {
    write_file_atomically(root_.parent_path() / "class" / name / "01-sum/sum.cpp", sum);
    write_file_atomically(root_.parent_path() / "class" / name / "02-ring/ring.cpp", ring);
  }

  [[nodiscard]] std::string of_class(const std::string& name) const {
    return (root_.parent_path() / "class" / name).string();
  }

  fs::path folder_;
};

// Everything about the private tests, their folder's name too, says so.
bool tells(const std::string& text) {
  return lower(text).find("hush") != std::string::npos;
}

TEST_F(PrivateTestsTest, CountBesideTheLabsOwnHoweverTheRuntimeIsComposed) {
  Ended ended = grade({"--submission", "solutions"});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_EQ(report().at("max_score"), 90 + 25 + 100 + 10);
  ended = grade({"--submission", "solutions", "--own"});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_EQ(report().at("score"), 225);
  // What changes in the folder counts at once.
  keep("02/private.json", replace_all(list_of_ring, "\"points\": 10", "\"points\": 30"));
  keep("02/tests.cpp", replace_all(tests_of_ring, "== 0", "== 7"));
  ended = grade({"--submission", "solutions"});
  EXPECT_EQ(ended.status, 1) << ended.output;
  EXPECT_EQ(report().at("score"), 215);
  EXPECT_EQ(report().at("max_score"), 245);
  // And without them the grade is the lab's own.
  ended = course({"grade", "--no-bench", "--labs", "1-2", "--submission", "solutions", "--report",
                  "json=report.json"});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_EQ(report().at("max_score"), 190);
}

TEST_F(PrivateTestsTest, AreToldToTheInstructorAndNotInReports) {
  hand_in("alice", small_sum, good_ring);
  std::vector<std::string> arguments{"--submission", of_class("alice")};
  const std::vector<std::string> formats{"annotations", "gradescope", "junit",
                                         "markdown",    "sarif",      "summary"};
  for (const std::string& format : formats) {
    arguments.insert(arguments.end(), {"--report", format + "=report." + format});
  }
  const auto with = [&](const std::string& details) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), {"--private-details", details});
    return all;
  };

  const Ended told = grade(arguments);
  EXPECT_EQ(told.status, 1) << told.output;
  EXPECT_SAYS(told, "Hush.LargeNumbers (private)  failed, 0 of 20 points");
  EXPECT_SAYS(told, "hush, too large");
  EXPECT_SAYS(told, "--labs 1 --tests ");
  EXPECT_FALSE(contains(told, "./course hint")) << told.output;
  EXPECT_FALSE(tells(read_file(root_ / "report.json"))) << read_file(root_ / "report.json");
  const nlohmann::json tests = report().at("labs").at(0).at("tests");
  ASSERT_EQ(tests.size(), 4U);
  EXPECT_EQ(tests.at(2).at("name"), "private test 1");
  EXPECT_EQ(tests.at(2).at("status"), "failed");
  EXPECT_EQ(tests.at(2).at("max_points"), 20);
  EXPECT_EQ(tests.at(2).at("private"), true);
  EXPECT_EQ(tests.at(3).at("name"), "private test 2");
  EXPECT_EQ(tests.at(3).at("points"), 5);
  for (const std::string& format : formats) {
    const std::string text = read_file(root_ / ("report." + format));
    EXPECT_FALSE(tells(text)) << format << "\n" << text;
    EXPECT_EQ(text.find("private test 1") == std::string::npos, format == "sarif") << text;
  }

  const Ended silent = grade(with("nowhere"));
  EXPECT_EQ(silent.status, 1) << silent.output;
  EXPECT_FALSE(tells(silent.output)) << silent.output;
  EXPECT_SAYS(silent, "private test 1  failed, 0 of 20 points");

  EXPECT_EQ(grade(with("everywhere")).status, 1);
  EXPECT_EQ(report().at("labs").at(0).at("tests").at(2).at("name"), "Hush.LargeNumbers");
  const nlohmann::json gradescope =
      nlohmann::json::parse(read_file(root_ / "report.gradescope")).at("tests");
  EXPECT_EQ(gradescope.at(1).at("visibility"), "visible");
  EXPECT_EQ(gradescope.at(2).at("visibility"), "hidden");
}

TEST_F(PrivateTestsTest, AFolderThatCannotBeUsedIsOneLine) {
  const auto refused = [&](const std::string& why) {
    for (const std::string command : {"grade", "batch"}) {
      std::vector<std::string> arguments{command, "--labs", "1-2", "--tests", folder_.string()};
      if (command == "batch") {
        arguments.emplace_back("labs");
      }
      const Ended ended = course(arguments);
      EXPECT_EQ(ended.status, 2) << ended.output;
      EXPECT_EQ(split_lines(ended.output).size(), 1U) << ended.output;
      EXPECT_SAYS(ended, why);
    }
  };
  const fs::path good = folder_;
  const auto afresh = [&] {
    folder_ = root_.parent_path() / "spoilt";
    fs::remove_all(folder_);
    fs::copy(good, folder_, fs::copy_options::recursive);
  };
  folder_ = "nowhere";
  refused("--tests nowhere: there is no such folder");
  folder_ = "CMakeLists.txt";
  refused("--tests CMakeLists.txt: this is no folder");
  fs::create_directories(root_ / "empty");
  folder_ = "empty";
  refused("--tests empty: it has no test for any of the labs that are to be graded");
  folder_ = "labs";
  refused("private tests do not belong in " + (root_ / "labs").string());
  fs::create_directories(root_ / "runtime/mine");
  folder_ = "runtime/mine";
  refused("private tests do not belong in " + (root_ / "runtime").string());
  folder_ = "/usr/share";
  refused("private tests do not belong in /usr; put them into a folder of their own");

  afresh();
  keep("01-sum/private.json", "{\"tests\": [");
  refused("spoilt/01-sum/private.json:1: not valid JSON");
  keep("01-sum/private.json", "{\"tests\": []}");
  refused("spoilt/01-sum/private.json: tests: ");
  keep("01-sum/private.json", replace_all(list_of_sum, "\"points\": 20, ", ""));
  refused("spoilt/01-sum/private.json: tests[0].points: is missing");
  keep("01-sum/private.json", replace_all(list_of_sum, "\"hints\": []", "\"hint\": []"));
  refused("spoilt/01-sum/private.json: tests[1].hints: is missing");
  keep("01-sum/private.json", replace_all(list_of_sum, "Hush.Zero", "Hush.LargeNumbers"));
  refused("private.json: tests: the name \"Hush.LargeNumbers\" stands twice");
  keep("01-sum/private.json", replace_all(list_of_sum, "Hush.Zero", "Sum.OfTwo"));
  refused("lab 01 has a test named Sum.OfTwo that students see; choose another name");
  keep("01-sum/private.json", replace_all(list_of_sum, "Hush.Zero", "Hush.One"));
  refused("private.json: no source beside it holds the test Hush.One");
  keep("01-sum/private.json", list_of_ring);
  refused("private.json: no source beside it holds the test Hush.Around");
  keep("01-sum/private.json", list_of_sum);
  keep("01-sum/more.cpp", "TEST(Hush, More) {}\n");
  refused("private.json does not name the test Hush.More, which so has no points");

  afresh();
  fs::remove(folder_ / "02/private.json");
  refused("spoilt/02 has no private.json, which gives its tests their points");
  afresh();
  fs::remove(folder_ / "02/tests.cpp");
  refused("spoilt/02 has no source, *.cpp");
  afresh();
  fs::create_directories(folder_ / "02-ring");
  refused("spoilt/02-ring: ");
  afresh();
  fs::rename(folder_ / "02", folder_ / "02-rign");
  refused("spoilt/02-rign: no lab is named so; did you mean 02-ring?");
  afresh();
  fs::create_symlink("/etc/passwd", folder_ / "shared/data.txt");
  refused("spoilt/shared/data.txt is a symbolic link; private tests are ordinary files");
  afresh();
  keep("01-sum/a;b.h", "");
  refused("a;b.h: a path of private tests must be without ;");

  EXPECT_EQ(course({"grade", "--tests"}).status, 2);
  EXPECT_EQ(course({"grade", "--private-details", "some"}).status, 2);
}

TEST_F(PrivateTestsTest, WhatTheyHaveForOtherLabsIsNotLookedAt) {
  keep("02/private.json", "{");
  hand_in("alice", good_sum, good_ring);
  Ended ended = course({"grade", "--no-bench", "--labs", "1", "--submission", of_class("alice"),
                        "--tests", folder_.string()});
  EXPECT_EQ(ended.status, 0) << ended.output;
  const Course here(root_);
  const std::vector<const Lab*> first{&here.lab("1")};
  const std::string digest = PrivateTests(folder_, here, first).digest();
  keep("02/private.json", "{}");
  keep("README.md", "# Another word\n");
  keep(".git/HEAD", "more\n");
  EXPECT_EQ(PrivateTests(folder_, here, first).digest(), digest);
  keep("shared/expect.h", "// more\n");
  EXPECT_NE(PrivateTests(folder_, here, first).digest(), digest);
}

TEST_F(PrivateTestsTest, WhatDoesNotCompileIsTheInstructorsMistakeOrTheSubmissionsAlone) {
  hand_in("alice", std::string("int helper() { return 1; }\n") + good_sum, good_ring);
  keep("01-sum/tests.cpp", std::string(tests_of_sum) + "int helper() { return 2; }\n");
  const Ended clash = grade({"--submission", of_class("alice")});
  EXPECT_EQ(clash.status, 1) << clash.output;
  EXPECT_SAYS(clash, "Hush.LargeNumbers (private)  failed");
  EXPECT_SAYS(clash, "helper");
  EXPECT_EQ(report().at("score"), 90 + 100 + 10);
  EXPECT_FALSE(report().at("labs").at(0).contains("problem"));
  EXPECT_FALSE(tells(read_file(root_ / "report.json"))) << read_file(root_ / "report.json");

  keep("01-sum/tests.cpp", std::string(tests_of_sum) + "#error hush, unfinished\n");
  const Ended broken = grade({"--submission", of_class("alice")});
  EXPECT_EQ(broken.status, 2) << broken.output;
  EXPECT_SAYS(broken,
              "the private tests of lab 01 do not compile; what the compiler says is in "
              "build/gcc-release/build.log\n");
  EXPECT_FALSE(contains(broken, "unfinished")) << broken.output;
  EXPECT_NE(read_file(root_ / "build/gcc-release/build.log").find("unfinished"), std::string::npos);

  // What does not compile by itself is said once, as ever, and says nothing of private tests.
  keep("01-sum/tests.cpp", tests_of_sum);
  hand_in("bob", "int sum(int a, int b) { return a + c; }\n", good_ring);
  EXPECT_EQ(grade({"--submission", of_class("bob")}).status, 1);
  EXPECT_EQ(report().at("score"), 110);
  EXPECT_NE(report().at("labs").at(0).at("problem").get<std::string>().find("sum.cpp:1:"),
            std::string::npos);
  EXPECT_FALSE(tells(read_file(root_ / "report.json"))) << read_file(root_ / "report.json");
}

TEST_F(PrivateTestsTest, ABatchCountsThemAndRemembersWhichTheyWere) {
  hand_in("alice", small_sum, good_ring);
  hand_in("bob", good_sum, "int next(int a, int) { return a + 1; }\n");
  const fs::path out = root_.parent_path() / "grades";
  const auto batch = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all{"batch",      (root_.parent_path() / "class").string(),
                                 "--out",      out.string(),
                                 "--no-bench", "--labs",
                                 "1-2"};
    all.insert(all.end(), more.begin(), more.end());
    return course(all);
  };
  const std::vector<std::string> with{"--tests", folder_.string()};
  const Ended first = batch(with);
  EXPECT_EQ(first.status, 0) << first.output;
  EXPECT_EQ(read_file(out / "grades.csv"),
            "submission,status,points,max_points,lab_01,lab_01_private,lab_02,lab_02_private,note"
            "\r\n"
            "alice,graded,205,225,95,5,110,10,lab 01: private tests: Hush.LargeNumbers (failed)\r\n"
            "bob,graded,165,225,115,25,50,0,lab 02: private tests: Hush.Around (failed)\r\n");
  for (const std::string name : {"alice", "bob"}) {
    for (const std::string end : {".md", ".json"}) {
      const std::string text = read_file(out / "reports" / (name + end));
      EXPECT_FALSE(tells(text)) << text;
      EXPECT_NE(text.find("private test 1"), std::string::npos) << text;
    }
  }
  EXPECT_NE(read_file(out / "batch/records/alice.json").find("hush, too large"), std::string::npos)
      << "the instructor's own record has the message";

  EXPECT_SAYS(batch(with), "2 submissions, 2 graded already");
  keep("01-sum/tests.cpp", replace_all(tests_of_sum, "100001", "100002"));
  const Ended changed = batch(with);
  EXPECT_SAYS(changed, "(graded with other options or private tests before): alice, bob");
  EXPECT_NE(read_file(out / "grades.csv").find("\r\nbob,graded,145,225,95,5,50,0,"),
            std::string::npos)
      << read_file(out / "grades.csv");
  const Ended without = batch({});
  EXPECT_SAYS(without, "(graded with other options or private tests before): alice, bob");
  EXPECT_NE(read_file(out / "grades.csv").find("\r\nalice,graded,190,190,90,100,\r\n"),
            std::string::npos)
      << read_file(out / "grades.csv");
}

TEST_F(PrivateTestsTest, ATaskOfABatchRefusesOtherTestsThanThoseOfItsPlan) {
  hand_in("alice", good_sum, good_ring);
  BatchPlan plan;
  plan.out = root_.parent_path() / "grades";
  plan.entries = {{"alice", of_class("alice")}};
  plan.labs = "1";
  plan.benchmarks = false;
  plan.preset = "gcc-release";
  plan.tests = fs::canonical(folder_);
  plan.tests_digest = "of another day";
  const fs::path file = root_.parent_path() / "plan.json";
  write_file_atomically(file, plan_to_json(plan));
  const Ended ended = course({"batch-task", file.string(), "0", "1"});
  EXPECT_EQ(ended.status, 3) << ended.output;
  EXPECT_SAYS(ended, "the private tests changed since the batch began; run the same command again");
  const BatchPlan read = plan_from_json(plan_to_json(plan));
  EXPECT_EQ(read.settings(), plan.settings());
  plan.tests_digest = "of today";
  EXPECT_NE(read.settings(), plan.settings());
}

TEST_F(PrivateTestsTest, AreNotHandedOut) {
  write(".gitattributes", "/solutions/** instructors-only\n");
  fs::copy(folder_, root_ / "kept", fs::copy_options::recursive);
  fs::remove_all(root_ / "kept/.git");
  commit_all(root_, "the course, and private tests in it");
  const fs::path out = root_.parent_path() / "edition";
  const Ended ended = course({"handout", out.string()});
  EXPECT_EQ(ended.status, 0) << ended.output;
  EXPECT_SAYS(ended, "Left out, since it holds private tests: kept/01-sum/");
  EXPECT_SAYS(ended, "Left out, since it holds private tests: kept/02/");
  EXPECT_FALSE(fs::exists(out / "kept/01-sum"));
  EXPECT_FALSE(fs::exists(out / "kept/02"));
  EXPECT_TRUE(fs::exists(out / "labs/01-sum/tests/tests.cpp"));

  write("labs/01-sum/private.json", list_of_sum);
  commit_all(root_, "private tests where they cannot be left out");
  const Ended refused = course({"handout", (root_.parent_path() / "another").string()});
  EXPECT_EQ(refused.status, 2) << refused.output;
  EXPECT_SAYS(refused, "labs/01-sum/private.json is committed, but private tests do not belong");
}

// Only namespaces hide files, so there is nothing to see where there are none.
class PrivateTestsInTheSandbox : public PrivateTestsTest,
                                 public ::testing::WithParamInterface<Sandbox> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PrivateTestsInTheSandbox);

TEST_P(PrivateTestsInTheSandbox, CannotBeReadByASubmission) {
  const std::string list = (folder_ / "01-sum/private.json").string();
  // Where a submission can read a file, its tests pass.
  hand_in("include",
          "static const char* text =\n#include \"" + (folder_ / "01-sum/read-me.h").string() +
              "\"\n;\n" + "int sum(int a, int b) { return text ? a + b : 0; }\n",
          good_ring);
  keep("01-sum/read-me.h", "\"hush\"\n");
  hand_in("incbin", "__asm__(\".incbin \\\"" + list + "\\\"\");\n" + std::string(good_sum),
          good_ring);
  hand_in("built",
          "__asm__(\".incbin \\\"" + (root_ / "build/gcc-release/CMakeCache.txt").string() +
              "\\\"\");\n" + good_sum,
          good_ring);
  hand_in("run",
          "#include <fstream>\nint sum(int a, int b) { return std::ifstream(\"" + list +
              "\") || std::ifstream(\"" + (root_ / "build/gcc-release/CMakeCache.txt").string() +
              "\") ? a + b : a + b + 1; }\n",
          good_ring);
  for (const std::string name : {"include", "incbin", "built", "run"}) {
    const auto grade_in = [&](const std::string& sandbox) {
      const Ended ended =
          course({"grade", "--no-bench", "--labs", "1", "--tests", folder_.string(), "--report",
                  "json=report.json", "--submission", of_class(name), "--sandbox", sandbox});
      EXPECT_LE(ended.status, 1) << ended.output;
      return report().at("score").get<int>();
    };
    // First, since what was compiled elsewhere would be taken as it is.
    EXPECT_EQ(grade_in("namespaces"), 0) << name;
    EXPECT_EQ(grade_in("none"), 115) << name << " could not even read what nobody hid";
  }
}

INSTANTIATE_TEST_SUITE_P(Here, PrivateTestsInTheSandbox, ::testing::ValuesIn([] {
                           std::string why_not;
                           return best_sandbox(why_not) == Sandbox::namespaces
                                      ? std::vector<Sandbox>{Sandbox::namespaces}
                                      : std::vector<Sandbox>{};
                         }()));

}  // namespace
}  // namespace goro::grader
