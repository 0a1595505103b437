#include <algorithm>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "problem.h"
#include "report_json.h"
#include "report_junit.h"
#include "report_markdown.h"
#include "report_terminal.h"
#include "score.h"
#include "text.h"

namespace goro::grader {
namespace {

TestScore test(const std::string& name, Status status, double points,
               const std::string& message = "") {
  TestScore score;
  score.name = name;
  score.status = status;
  score.max_points = points;
  score.points = status == Status::passed ? points : 0;
  score.message = message;
  score.concept_name = "the idea";
  score.section = "labs/04-ring/README.md#step-1";
  score.again = "./course check 4 --test " + name;
  score.debug = "gdb --args x";
  score.seconds = 0.5;
  return score;
}

Score example() {
  Score score;
  score.submission = "labs";
  score.architecture = "x86_64";
  score.compiler = "g++ 12";
  LabScore& lab = score.labs.emplace_back();
  lab.number = 4;
  lab.lab = "04-ring";
  lab.title = "The ring";
  lab.tests = {
      test("Ring.Put", Status::passed, 60),
      test("Ring.Get", Status::failed, 30, "expected <1> & \"2\" | ```x```\nsecond ]]> line"),
      test("BM_Put", Status::inconclusive, 10, "too noisy")};
  lab.tests[2].benchmark = true;
  return score;
}

Lab example_lab() {
  Lab lab;
  lab.number = 4;
  lab.folder = "04-ring";
  lab.title = "The ring";
  lab.slot = Slot{"ring", {"ring.cpp"}};
  lab.steps = {{1, "Put", "ring.cpp", "put"}, {2, "Get", "ring.cpp", "get"}};
  return lab;
}

TEST(ScoreRules, AnInconclusiveBenchmarkIsInNeitherSum) {
  const Score score = example();
  EXPECT_DOUBLE_EQ(score.score(), 60);
  EXPECT_DOUBLE_EQ(score.max_score(), 90);
  EXPECT_FALSE(score.all_points());
  EXPECT_EQ(score.labs[0].inconclusive(), 1U);
}

TEST(JsonReport, HasTheAgreedShape) {
  const nlohmann::json json = nlohmann::json::parse(report_json(example()));
  EXPECT_EQ(json.at("score"), 60);
  EXPECT_EQ(json.at("max_score"), 90);
  const nlohmann::json& lab = json.at("labs").at(0);
  EXPECT_EQ(lab.at("lab"), "04-ring");
  EXPECT_EQ(lab.at("score"), 60);
  EXPECT_EQ(lab.at("max_score"), 90);
  const nlohmann::json& failed = lab.at("tests").at(1);
  EXPECT_EQ(failed.at("name"), "Ring.Get");
  EXPECT_EQ(failed.at("status"), "failed");
  EXPECT_EQ(failed.at("points"), 0);
  EXPECT_EQ(failed.at("max_points"), 30);
  EXPECT_EQ(failed.at("concept"), "the idea");
  EXPECT_EQ(failed.at("message"), example().labs[0].tests[1].message);
  EXPECT_EQ(lab.at("tests").at(2).at("status"), "inconclusive");
}

TEST(JsonReport, KeptResultsComeBackTheSame) {
  LabScore lab = example().labs[0];
  lab.tests[1].missing_step = 2;
  EXPECT_EQ(lab_to_json(lab_from_json(lab_to_json(lab))), lab_to_json(lab));
  EXPECT_THROW((void)lab_from_json("{}"), Problem);
  EXPECT_THROW((void)lab_from_json("nonsense"), Problem);
}

TEST(JsonReport, SurvivesBytesThatAreNoText) {
  Score score = example();
  score.submission = "dir\xff";
  EXPECT_TRUE(nlohmann::json::accept(report_json(score)));
}

// A reader of the little XML that the report uses: elements balance, attributes are quoted, and no
// bare & or < is left in text. Returns what is wrong.
std::string xml_fault(const std::string& xml) {
  std::vector<std::string> open;
  std::size_t at = 0;
  while (at < xml.size()) {
    if (xml[at] == '&') {
      const std::size_t end = xml.find(';', at);
      const std::string name = xml.substr(at + 1, end - at - 1);
      if (name != "amp" && name != "lt" && name != "gt" && name != "quot" && name != "#10") {
        return "bare &";
      }
    }
    if (xml[at] != '<') {
      ++at;
      continue;
    }
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) {
      return "open tag";
    }
    const std::string tag = xml.substr(at + 1, end - at - 1);
    at = end + 1;
    if (tag.starts_with("?")) {
      continue;
    }
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0 || tag.find('<') != std::string::npos) {
      return "bad attributes in " + tag;
    }
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) {
        return "unbalanced " + tag;
      }
      open.pop_back();
    } else if (!tag.ends_with("/")) {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  return open.empty() ? "" : "left open: " + open.back();
}

TEST(JunitReport, IsWellFormedAndEscaped) {
  const std::string xml = report_junit(example());
  EXPECT_EQ(xml_fault(xml), "") << xml;
  EXPECT_NE(xml.find("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""), std::string::npos)
      << xml;
  EXPECT_NE(xml.find("expected &lt;1&gt; &amp; &quot;2&quot;"), std::string::npos) << xml;
  EXPECT_NE(xml.find("second ]]&gt; line"), std::string::npos) << xml;
}

TEST(JunitReport, ACrashIsAnErrorAndControlCharactersAreGone) {
  Score score = example();
  score.labs[0].tests = {test("A.B", Status::crashed, 100, "SIG\x01SEGV")};
  const std::string xml = report_junit(score);
  EXPECT_NE(xml.find("<error type=\"crashed\""), std::string::npos);
  EXPECT_EQ(xml.find('\x01'), std::string::npos);
}

TEST(MarkdownReport, EscapesAndFences) {
  const std::string text = report_markdown(example());
  EXPECT_NE(text.find("## Score: 60 of 90"), std::string::npos);
  EXPECT_NE(text.find("| 04-ring | 60 | 90 | Ring.Get (failed), BM\\_Put (inconclusive) |"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\n````text\nexpected <1>"), std::string::npos)
      << "the fence is longer than what it holds: " << text;
}

TEST(MarkdownReport, ATableCellCannotBreakTheTable) {
  Score score = example();
  score.labs[0].problem = "a | b <script>\nmore";
  EXPECT_NE(report_markdown(score).find("not run: a \\| b &lt;script&gt; |"), std::string::npos)
      << report_markdown(score);
}

TEST(TerminalReport, FailureReadsAsProse) {
  const Score score = example();
  const std::string text = failure_prose(score.labs[0], score.labs[0].tests[1], Style(false), 100);
  for (const std::string_view part :
       {"✗ Ring.Get  failed, 0 of 30 points", "expected <1>", "the idea",
        "labs/04-ring/README.md#step-1", "./course check 4 --test Ring.Get", "gdb --args x",
        "./course hint 4 Ring.Get"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST(TerminalReport, AnUntouchedLabIsOneLine) {
  LabScore lab = example().labs[0];
  lab.tests = {test("Ring.Put", Status::failed, 60), test("Ring.Get", Status::failed, 40)};
  lab.tests[0].missing_step = 2;
  lab.tests[1].missing_step = 1;
  const std::string text = check_summary(example_lab(), lab, 3, Style(false), 100);
  EXPECT_NE(text.find("0 of 100; start with step 1: put in labs/04-ring/ring.cpp"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("✗"), std::string::npos) << text;
}

TEST(TerminalReport, OnlyTheFirstFailuresAreInFull) {
  LabScore lab = example().labs[0];
  lab.tests.clear();
  for (int i = 0; i < 5; ++i) {
    lab.tests.push_back(test("Ring.T" + std::to_string(i), Status::failed, 20, "why"));
  }
  const std::string text = check_summary(example_lab(), lab, 3, Style(false), 100);
  EXPECT_NE(text.find("✗ Ring.T2"), std::string::npos);
  EXPECT_EQ(text.find("✗ Ring.T3"), std::string::npos);
  EXPECT_NE(text.find("2 more tests did not pass; see --verbose"), std::string::npos) << text;
}

TEST(TerminalReport, NoLineIsWiderThanAsked) {
  Score score = example();
  std::string words;
  for (int i = 0; i < 60; ++i) {
    words += "word ";
  }
  score.labs[0].tests[1].message = words;
  for (const std::string& line :
       split_lines(failure_prose(score.labs[0], score.labs[0].tests[1], Style(false), 80))) {
    EXPECT_LE(line.size(), 82U) << line;
  }
}

TEST(TerminalReport, ColoursOnlyWhenAsked) {
  const TestScore passed = test("Ring.Put", Status::passed, 60);
  EXPECT_EQ(result_line(passed, Style(false)).find('\x1b'), std::string::npos);
  EXPECT_NE(result_line(passed, Style(true)).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace goro::grader
