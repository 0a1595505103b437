#include "lab.h"

#include <gtest/gtest.h>

#include "course.h"
#include "problem.h"
#include "test_folder.h"
#include "text.h"

namespace goro::grader {
namespace {

const std::string good = R"({
  "number": 4, "title": "The ring", "idea": "one line",
  "slot": {"name": "ring", "files": ["ring.cpp", "ring_x86_64.S"]},
  "steps": [{"step": 1, "title": "Put", "file": "ring.cpp", "function": "put"}],
  "tests": [{"name": "Ring.Put", "points": 95, "concept": "c", "section": "s", "time_limit_s": 10,
             "build": "tsan", "arch": ["x86_64"], "hints": ["h"]}],
  "benchmarks": [{"name": "BM_Put", "points": 5, "concept": "c", "section": "s", "max_ratio": 1.5,
                  "time_limit_s": 30, "hints": []}]
})";

Lab parse(const std::string& json) {
  return parse_lab(json, "labs/04-ring/lab.json", "04-ring");
}

// What the loader says of the good text with `from` replaced by `to`.
std::string complaint(const std::string& from, const std::string& to) {
  EXPECT_NE(good.find(from), std::string::npos) << from;
  try {
    (void)parse(replace_all(good, from, to));
  } catch (const Problem& problem) {
    EXPECT_EQ(problem.status(), ExitStatus::broken);
    EXPECT_EQ(std::string(problem.what()).find('\n'), std::string::npos) << "one line";
    return problem.what();
  }
  return "no complaint";
}

TEST(LabLoader, ReadsEverything) {
  const Lab lab = parse(good);
  EXPECT_EQ(lab.number, 4);
  EXPECT_EQ(lab.number_text(), "04");
  EXPECT_EQ(lab.slot->files.size(), 2U);
  EXPECT_EQ(lab.find_step(1)->function, "put");
  EXPECT_EQ(lab.find_step(2), nullptr);
  EXPECT_EQ(lab.tests.at(0).build, BuildKind::tsan);
  EXPECT_TRUE(counts_on(lab.tests[0], Architecture::x86_64));
  EXPECT_FALSE(counts_on(lab.tests[0], Architecture::aarch64));
  EXPECT_TRUE(counts_on(lab.benchmarks.at(0), Architecture::aarch64));
  EXPECT_DOUBLE_EQ(lab.benchmarks[0].max_ratio, 1.5);
  EXPECT_EQ(lab.benchmarks[0].counter, "") << "time is measured";
}

TEST(LabLoader, ABenchmarkMayMeasureACounter) {
  std::string text = good;
  text.replace(text.find("\"max_ratio\""), 0, "\"counter\": \"bytes\", ");
  EXPECT_EQ(parse(text).benchmarks.at(0).counter, "bytes");
}

TEST(LabLoader, NamesFileAndKeyOfAnUnknownKey) {
  EXPECT_EQ(complaint("\"idea\": \"one line\"", "\"idea\": \"one line\", \"tilte\": \"x\""),
            "labs/04-ring/lab.json: tilte: is no known key; did you mean \"title\"?");
  EXPECT_EQ(complaint("\"build\": \"tsan\"", "\"biuld\": \"tsan\""),
            "labs/04-ring/lab.json: tests[0].biuld: is no known key; did you mean \"build\"?");
}

TEST(LabLoader, NamesAMissingKey) {
  EXPECT_EQ(complaint("\"title\": \"The ring\", ", ""), "labs/04-ring/lab.json: title: is missing");
  EXPECT_EQ(complaint("\"max_ratio\": 1.5,", ""),
            "labs/04-ring/lab.json: benchmarks[0].max_ratio: is missing");
}

TEST(LabLoader, NamesAWrongType) {
  EXPECT_EQ(complaint("\"number\": 4", "\"number\": \"4\""),
            "labs/04-ring/lab.json: number: must be a whole number, is \"4\"");
  EXPECT_EQ(complaint("[\"h\"]", "\"h\""),
            "labs/04-ring/lab.json: tests[0].hints: must be a list of texts, is a string");
  EXPECT_EQ(complaint("\"points\": 5", "\"points\": -5"),
            "labs/04-ring/lab.json: benchmarks[0].points: must be a number above 0, is -5");
  EXPECT_EQ(complaint("\"time_limit_s\": 10", "\"time_limit_s\": 0"),
            "labs/04-ring/lab.json: tests[0].time_limit_s: must be from 1 to 3600, is 0");
  EXPECT_EQ(complaint("\"build\": \"tsan\"", "\"build\": \"sim\""), "no complaint");
  EXPECT_NE(complaint("\"build\": \"tsan\"", "\"build\": \"msan\"").find("tests[0].build"),
            std::string::npos);
}

TEST(LabLoader, PointsMustSumToOneHundred) {
  EXPECT_NE(complaint("\"points\": 95", "\"points\": 90").find("sum to 95"), std::string::npos);
}

TEST(LabLoader, NamesMustBeUnique) {
  EXPECT_NE(complaint("BM_Put", "Ring.Put").find("\"Ring.Put\" stands twice"), std::string::npos);
  EXPECT_NE(complaint("ring_x86_64.S", "ring.cpp").find("twice"), std::string::npos);
}

TEST(LabLoader, RefusesKeysThatStandTwice) {
  EXPECT_EQ(complaint("\"number\": 4,", "\"number\": 4, \"number\": 4,"),
            "labs/04-ring/lab.json: the key \"number\" stands twice in one object");
}

TEST(LabLoader, RefusesPathsAsSlotFiles) {
  EXPECT_NE(complaint("\"ring_x86_64.S\"", "\"../../grader/src/main.cpp\"").find("plain file name"),
            std::string::npos);
}

TEST(LabLoader, StepsBelongToSlotFiles) {
  EXPECT_NE(complaint("\"file\": \"ring.cpp\"", "\"file\": \"other.cpp\"").find("steps[0].file"),
            std::string::npos);
}

TEST(LabLoader, NumberMustBeTheFolders) {
  EXPECT_NE(complaint("\"number\": 4", "\"number\": 5").find("the folder is 04-ring"),
            std::string::npos);
}

TEST(LabLoader, SaysWhereTextIsNoJson) {
  const std::string said = complaint("\"title\": \"The ring\",", "\"title\": \"The ring\"");
  EXPECT_NE(said.find("labs/04-ring/lab.json:2: not valid JSON"), std::string::npos) << said;
}

TEST(SlotFiles, ArchitectureIsInTheName) {
  EXPECT_TRUE(built_on("a.cpp", Architecture::aarch64));
  EXPECT_TRUE(built_on("a_x86_64.S", Architecture::x86_64));
  EXPECT_FALSE(built_on("a_x86_64.S", Architecture::aarch64));
  EXPECT_FALSE(built_on("a_aarch64.S", Architecture::x86_64));
}

TEST(CourseTest, FindsItselfFromBelowAndSelectsLabs) {
  const fs::path root = fresh_course();
  const Course course = Course::find(std::nullopt, root / "labs" / "01-sum");
  EXPECT_EQ(course.root(), root);
  ASSERT_EQ(course.labs().size(), 3U);
  EXPECT_EQ(course.lab("2").folder, "02-ring");
  EXPECT_EQ(course.lab("02").folder, "02-ring");
  EXPECT_EQ(course.lab("02-ring").folder, "02-ring");
  EXPECT_EQ(course.select("").size(), 3U);
  EXPECT_EQ(course.select("1-2").size(), 2U);
  EXPECT_EQ(course.select("2,0,2").size(), 2U);
  EXPECT_EQ(course.select("2,0").front()->number, 0);
  EXPECT_THROW((void)course.select("2-1"), Problem);
  EXPECT_THROW((void)course.select("one"), Problem);
  EXPECT_THROW((void)course.lab("9"), Problem);
}

}  // namespace
}  // namespace goro::grader
