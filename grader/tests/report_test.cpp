#include <algorithm>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "problem.h"
#include "report_json.h"
#include "report_junit.h"
#include "report_markdown.h"
#include "report_terminal.h"
#include "scores.h"
#include "text.h"

namespace goro::grader {
namespace {

// One lab, and a message that means something to every format.
Score example() {
  Score score = example_score();
  score.labs.resize(1);
  score.labs[0].tests[1].message = "expected <1> & \"2\" | ```x```\nsecond ]]> line";
  return score;
}

Lab example_lab() {
  Lab lab;
  lab.number = 1;
  lab.folder = "01-sum";
  lab.title = "The ring";
  lab.slot = Slot{"sum", {"sum.cpp"}, {}};
  lab.steps = {{1, "Put", "sum.cpp", "put"}, {2, "Get", "sum.cpp", "get"}};
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
  EXPECT_EQ(lab.at("lab"), "01-sum");
  EXPECT_EQ(lab.at("score"), 60);
  EXPECT_EQ(lab.at("max_score"), 90);
  const nlohmann::json& failed = lab.at("tests").at(1);
  EXPECT_EQ(failed.at("name"), "Sum.OfNegatives");
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
  lab.tests[1].missing_lab = 1;
  lab.tests[0].time_limit_s = 20;
  lab.tests[0].broke_off = true;
  lab.tests[0].innermost = "put() at labs/01-sum/sum.cpp:4";
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
  EXPECT_NE(xml.find("tests=\"3\" failures=\"1\" errors=\"0\" time=\"1.500\" skipped=\"1\""),
            std::string::npos)
      << xml;
  EXPECT_NE(xml.find("expected &lt;1&gt; &amp; &quot;2&quot;"), std::string::npos) << xml;
  EXPECT_NE(xml.find("second ]]&gt; line"), std::string::npos) << xml;
}

TEST(JunitReport, ACrashIsAnErrorAndControlCharactersAreGone) {
  Score score = example();
  score.labs[0].tests = {graded("A.B", Status::crashed, 100, "SIG\x01SEGV")};
  const std::string xml = report_junit(score);
  EXPECT_NE(xml.find("<error type=\"crashed\""), std::string::npos);
  EXPECT_EQ(xml.find('\x01'), std::string::npos);
}

TEST(MarkdownReport, NamesTheSandbox) {
  Score score = example();
  score.sandbox = Sandbox::namespaces;
  EXPECT_NE(report_markdown(score).find(", sandbox: namespaces\n"), std::string::npos);
  score.sandbox = Sandbox::limits;
  EXPECT_NE(report_markdown(score).find(", sandbox: limits\n"), std::string::npos);
}

TEST(MarkdownReport, EscapesAndFences) {
  const std::string text = report_markdown(example());
  EXPECT_NE(text.find("## Score: 60 of 90"), std::string::npos);
  EXPECT_NE(text.find("| 01-sum | 60 | 90 | Sum.OfNegatives (failed), BM\\_Sum (inconclusive) |"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\n````text\nexpected <1>"), std::string::npos)
      << "the fence is longer than what it holds: " << text;
}

TEST(MarkdownReport, ATableCellCannotBreakTheTable) {
  Score score = example();
  score.labs[0].problem = "a | b <script>\nmore";
  EXPECT_NE(report_markdown(score).find("not run: `a ¦ b <script>` |"), std::string::npos)
      << report_markdown(score);
}

TEST(TerminalReport, FailureReadsAsProse) {
  const Score score = example();
  const std::string text = failure_prose(score.labs[0], score.labs[0].tests[1], Style(false), 100);
  for (const std::string_view part :
       {"✗ Sum.OfNegatives  failed, 0 of 30 points", "expected <1>", "the idea",
        "labs/01-sum/README.md#step-1", "./course check 1 --test Sum.OfNegatives",
        "./course debug 1 Sum.OfNegatives", "./course hint 1 Sum.OfNegatives"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST(TerminalReport, AnUntouchedLabIsOneLine) {
  LabScore lab = example().labs[0];
  lab.tests = {graded("Sum.OfTwo", Status::failed, 60),
               graded("Sum.OfNegatives", Status::failed, 40)};
  lab.tests[0].missing_step = 2;
  lab.tests[1].missing_step = 1;
  const std::string text = check_summary(example_lab(), lab, 3, Style(false), 100);
  EXPECT_NE(text.find("0 of 100; start with step 1: put in labs/01-sum/sum.cpp"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("✗"), std::string::npos) << text;
}

TEST(TerminalReport, PointsForAnotherArchitectureAreNamed) {
  Score score = example();
  score.labs[0].of_other_architectures = 10;
  const std::string words = "10 more are for another architecture only";
  const std::string table = score_table(score, Style(false));
  EXPECT_NE(table.find("1 test not passed, 1 inconclusive benchmark not counted; " + words),
            std::string::npos)
      << table;
  EXPECT_EQ(table.find(words, table.find(words) + 1), std::string::npos) << table;
  const std::string text = check_summary(example_lab(), score.labs[0], 3, Style(false), 100);
  EXPECT_NE(text.find(words), std::string::npos) << text;
}

TEST(TerminalReport, OnlyTheFirstFailuresAreInFull) {
  LabScore lab = example().labs[0];
  lab.tests.clear();
  for (int i = 0; i < 5; ++i) {
    lab.tests.push_back(graded("Ring.T" + std::to_string(i), Status::failed, 20, "why"));
  }
  const std::string text = check_summary(example_lab(), lab, 3, Style(false), 100);
  EXPECT_NE(text.find("✗ Ring.T2"), std::string::npos);
  EXPECT_EQ(text.find("✗ Ring.T3"), std::string::npos);
  EXPECT_NE(text.find("2 more tests did not pass; see --verbose"), std::string::npos) << text;
}

TEST(TerminalReport, TheMostTellingFailureComesFirst) {
  LabScore lab = example().labs[0];
  const auto at = [](TestScore score, const std::string& section) {
    score.section = "labs/01-sum/README.md#" + section;
    return score;
  };
  lab.tests = {at(graded("Ring.Whole", Status::failed, 10, "why"), "all-of-it-together"),
               at(graded("Ring.Ten", Status::failed, 10, "why"), "step-10-late"),
               at(graded("Ring.Crash", Status::crashed, 10, "boom"), "step-1-put"),
               at(graded("Ring.Two", Status::failed, 10, "why"), "step-2-get"),
               at(graded("Ring.TwoAgain", Status::failed, 10, "why"), "step-2-get"),
               at(graded("Ring.MissingLater", Status::failed, 10), "step-1-put"),
               at(graded("Ring.Missing", Status::failed, 10), "step-2-get"),
               at(graded("Ring.NotRun", Status::not_run, 10), "step-1-put"),
               at(graded("Ring.Good", Status::passed, 30), "step-1-put")};
  lab.tests[2].broke_off = true;
  lab.tests[5].missing_step = 3;
  lab.tests[6].missing_step = 1;
  std::vector<std::string> names;
  for (const TestScore* each : lab.most_telling()) {
    names.push_back(each->name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"Ring.Two", "Ring.TwoAgain", "Ring.Ten", "Ring.Whole",
                                             "Ring.Crash", "Ring.Missing", "Ring.MissingLater",
                                             "Ring.NotRun"}));
  const std::string text = check_summary(example_lab(), lab, 3, Style(false), 100);
  EXPECT_LT(text.find("✗ Ring.Two"), text.find("✗ Ring.Ten")) << text;
  EXPECT_EQ(text.find("✗ Ring.Whole"), std::string::npos) << text;
}

TEST(TerminalReport, ACrashIsNotExplainedByTheTestsIdea) {
  LabScore lab = example().labs[0];
  TestScore crash = graded("Sum.OfNegatives", Status::crashed, 30, "What happened: It crashed.");
  crash.broke_off = true;
  crash.innermost = "get() at labs/01-sum/sum.cpp:4";
  const std::string text = failure_prose(lab, crash, Style(false), 100);
  EXPECT_EQ(text.find("the idea"), std::string::npos) << text;
  EXPECT_NE(text.find("get() at labs/01-sum/sum.cpp:4"), std::string::npos) << text;
}

TEST(TerminalReport, WhatIsMissingInAnotherLabIsSaidSo) {
  Lab later = example_lab();
  later.number = 4;
  LabScore lab = example().labs[0];
  lab.tests = {graded("Sum.OfTwo", Status::failed, 100,
                      "not implemented: lab 1 step 1 (add in labs/01-sum/sum.cpp)")};
  lab.tests[0].missing_step = 1;
  lab.tests[0].missing_lab = 1;
  const std::string text = check_summary(later, lab, 3, Style(false), 100);
  EXPECT_NE(text.find("not implemented: lab 1 step 1 (add in labs/01-sum/sum.cpp)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("Do lab 1 first (./course check 1), or check lab 4 without --own"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("start with"), std::string::npos) << text;
  EXPECT_NE(result_line(lab.tests[0], Style(false), 30).find("not implemented: lab 1 step 1 (add"),
            std::string::npos);
}

TEST(TerminalReport, TestsThatWereNotRunAreOneLine) {
  LabScore lab = example().labs[0];
  lab.tests.clear();
  for (int i = 0; i < 5; ++i) {
    lab.tests.push_back(graded("Ring.T" + std::to_string(i), Status::not_run, 20, "error: x"));
  }
  lab.problem = "It does not compile.\nerror: x";
  const std::string text = check_summary(example_lab(), lab, 3, Style(false), 100);
  EXPECT_EQ(text, "\n  It does not compile.\n  error: x\n\n5 tests not run\n0 of 100 points\n");
}

TEST(TerminalReport, ATimeoutSaysAfterHowLong) {
  TestScore score = graded("Sum.OfTwo", Status::timeout, 60);
  score.time_limit_s = 20;
  EXPECT_NE(result_line(score, Style(false), 30).find("timed out after 20 s"), std::string::npos);
}

TEST(TerminalReport, ALongNameKeepsTheColumns) {
  const TestScore score = graded("Ring.APutThatIsDescribedAtLength", Status::passed, 60);
  Lab lab = example_lab();
  lab.tests.resize(1);
  lab.tests[0].name = score.name;
  EXPECT_EQ(name_columns({&lab}, 100), score.name.size());
  EXPECT_EQ(result_line(score, Style(false), name_columns({&lab}, 100)),
            "  ✓ Ring.APutThatIsDescribedAtLength  60/60  0.50 s");
  EXPECT_EQ(result_line(score, Style(false), name_columns({&lab}, 50)),
            "  ✓ Ring.APutThatIsDescribedAtLength\n" + std::string(26, ' ') + "  60/60  0.50 s");
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
  const TestScore passed = graded("Sum.OfTwo", Status::passed, 60);
  EXPECT_EQ(result_line(passed, Style(false), 30).find('\x1b'), std::string::npos);
  EXPECT_NE(result_line(passed, Style(true), 30).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace goro::grader
