// The reports for other programs and sites, above all when what a submission says is hostile.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "build_errors.h"
#include "problem.h"
#include "report_annotations.h"
#include "report_classroom50.h"
#include "report_gradescope.h"
#include "report_json.h"
#include "report_junit.h"
#include "report_limits.h"
#include "report_markdown.h"
#include "report_sarif.h"
#include "reports.h"
#include "scores.h"
#include "test_folder.h"
#include "text.h"

namespace goro::grader {
namespace {

using nlohmann::json;

Score broken_build(const std::string& errors) {
  Score score = example_score();
  score.labs[0].problem = "It does not compile.\n" + errors;
  for (TestScore& each : score.labs[0].tests) {
    each.status = Status::not_run;
    each.points = 0;
    each.message = score.labs[0].problem;
  }
  return score;
}

const std::vector<std::string>& hostile_texts() {
  static const std::vector<std::string> texts{
      "::set-output name=score::1600\n::error file=x::forged\n##[error]forged\n::stop-commands::x",
      "%0A::error::forged%0D%0A",
      "]]></failure></testcase><testcase name=\"forged\"/><!-- <![CDATA[ &amp; &#0; \"'",
      "```\n## Score: 1600 of 1600\n````\n~~~\n</details>\n",
      "``\r`\n## Score: 1600 of 1600\n``\r``\n",
      "<script>alert(1)</script><img src=x onerror=alert(1)><!--",
      "| a | b |\n|---|---|\n![x](http://evil.example/x.png) [link](javascript:alert(1)) [x]: y",
      "@everyone http://evil.example www.evil.example a@b.example #1 :tada: **bold**",
      std::string("\x1b[2J\x1b[31m\x1b]0;title\x07\x9b") + "31m\b\b\b\x7f",
      std::string("\xe2\x80\xae\xe2\x81\xa6") + "desrever \xe2\x80\x8f",
      "\xff\xfe\xc0\xaf\xed\xa0\x80\xf5\x80\x80\x80 no UTF-8",
      "\xef\xbf\xbe\xef\xbf\xbf no characters",
      std::string("a zero\0byte", 11),
      "{0} {{1}} } [text](0) [text](http://evil.example)",
      "\n\n\n\t\v\f\r\r\n",
      "",
      std::string(300'000, 'A'),
      std::string(100'000, '`'),
      std::string(100'000, '\n') + "end",
      "\xf0\x9f\x98\x80 \xc3\xa9 \xe4\xb8\xad"};
  return texts;
}

// Everything that a submission has a say in says each of the hostile texts.
Score hostile() {
  std::vector<TestScore> tests;
  const std::vector<Status> statuses{Status::failed, Status::crashed, Status::timeout,
                                     Status::not_run, Status::inconclusive};
  for (std::size_t i = 0; i < hostile_texts().size(); ++i) {
    TestScore each = graded("Hostile.T" + std::to_string(i), statuses[i % statuses.size()], 2,
                            hostile_texts()[i]);
    each.innermost = hostile_texts()[i] + " at labs/01-sum/sum.cpp:7";
    tests.push_back(each);
  }
  Score score = score_of({graded_lab(1, "01-sum", tests)});
  for (std::size_t i = 0; i < hostile_texts().size(); ++i) {
    const std::string number = (i < 8 ? "0" : "") + std::to_string(i + 2);
    LabScore broken = graded_lab(static_cast<int>(i) + 2, number + "-broken",
                                 {graded("Broken.Test", Status::not_run, 100, hostile_texts()[i])});
    broken.problem = hostile_texts()[i] + "\nlabs/01-sum/sum.cpp:1:2: error: " + hostile_texts()[i];
    score.labs.push_back(broken);
  }
  return score;
}

// With tests that students do not see.
Score with_private_tests() {
  Score score = example_score();
  TestScore hidden = graded("Hush.Around", Status::crashed, 10, "hush, around");
  hidden.is_private = true;
  hidden.broke_off = true;
  hidden.innermost = "hush() at labs/02-ring/ring.cpp:3";
  hidden.time_limit_s = 5;
  score.labs[1].tests.push_back(hidden);
  return score;
}

// As many failures as the whole course has tests, each with much to say.
Score huge() {
  std::vector<TestScore> tests;
  for (int i = 0; i < 900; ++i) {
    tests.push_back(
        graded("Huge.T" + std::to_string(i), Status::failed, 1, std::string(50'000, 'x')));
  }
  return score_of({graded_lab(1, "01-sum", tests)});
}

ClassroomSubmission handed_in() {
  ClassroomSubmission known;
  known.classroom = "systems";
  known.assignment = "goro";
  known.assignment_type = "individual";
  known.owner = "alice";
  known.submission = "submit/2026-06-01T14-32-05Z-a1b2c3d";
  known.commit = "https://github.com/x/y/commit/1";
  known.release = "https://github.com/x/y/releases/tag/1";
  known.review = known.commit;
  known.datetime = "2026-06-01T14:32:01Z";
  return known;
}

struct Sample {
  std::string name;
  Score score;
};

std::vector<Sample> samples() {
  return {{"honest", example_score()},
          {"broken", broken_build("labs/01-sum/sum.cpp:3:7: error: 'x' was not declared {0}")},
          {"hostile", hostile()},
          {"huge", huge()},
          {"private", for_students(with_private_tests())},
          {"private and told", with_private_tests()},
          {"empty", score_of({})}};
}

std::vector<std::pair<std::string, std::string>> all_formats(const Score& score) {
  return {{"annotations", report_annotations(score)},
          {"classroom50", report_classroom50(score, handed_in())},
          {"gradescope", report_gradescope(score)},
          {"json", report_json(score)},
          {"junit", report_junit(score)},
          {"markdown", report_markdown(score)},
          {"sarif", report_sarif(score)},
          {"summary", report_summary(score)}};
}

// What the stage `formats` checks against the formats' schemas.
TEST(ReportSamples, AreWrittenForTheSchemas) {
  const fs::path folder = fresh_folder();
  for (const Sample& sample : samples()) {
    for (const auto& [format, text] : all_formats(sample.score)) {
      write_file_atomically(folder / sample.name / format, text);
    }
  }
}

TEST(ReportSamples, HoldNoControlCharacter) {
  for (const Sample& sample : samples()) {
    for (const auto& [format, text] : all_formats(sample.score)) {
      EXPECT_TRUE(std::all_of(
          text.begin(), text.end(),
          [](unsigned char c) { return (c >= 0x20 && c != 0x7f) || c == '\n' || c == '\t'; }))
          << format << " of " << sample.name;
      EXPECT_EQ(printable(text), text) << format << " of " << sample.name;
    }
  }
}

TEST(ReportSamples, StayOfAReasonableSize) {
  for (const Sample& sample : samples()) {
    EXPECT_LT(report_summary(sample.score).size(), summary_bytes + 200) << sample.name;
    EXPECT_LT(report_annotations(sample.score).size(), 100'000U) << sample.name;
    EXPECT_LT(report_gradescope(sample.score).size(), 6U << 20) << sample.name;
    EXPECT_LT(report_classroom50(sample.score, handed_in()).size(), 6U << 20) << sample.name;
    EXPECT_LT(report_sarif(sample.score).size(), 1U << 20) << sample.name;
    EXPECT_LT(report_markdown(sample.score).size(), page_bytes + 200) << sample.name;
    EXPECT_LT(report_junit(sample.score).size(), 24U << 20) << sample.name;
    EXPECT_LT(report_json(sample.score).size(), 24U << 20) << sample.name;
  }
  EXPECT_NE(report_summary(huge()).find("more failures left out here"), std::string::npos);
}

TEST(BuildErrors, HavePlacesInTheStudentsRepository) {
  const Score score = broken_build(
      "In file included from labs/01-sum/sum.cpp:1:\n"
      "/tmp/pr/labs/01-sum/sum.cpp:3:7: error: 'x' was not declared\n"
      "  3 |  x: error: \n"
      "pr/02-ring/ring.cpp:9: Error: no such instruction: `jmpp'\n"
      "labs/01-sum/sum.h:1:10: fatal error: nothing.h: No such file or directory");
  const std::vector<BuildError> errors = build_errors(score, score.labs[0]);
  ASSERT_EQ(errors.size(), 4U);
  ASSERT_TRUE(errors[0].place);
  EXPECT_EQ(errors[0].place->file, "labs/01-sum/sum.cpp");
  EXPECT_EQ(errors[0].place->line, 3);
  EXPECT_EQ(errors[0].place->column, 7);
  EXPECT_EQ(errors[0].message, "'x' was not declared");
  EXPECT_FALSE(errors[1].place) << "that is the student's own text";
  ASSERT_TRUE(errors[2].place);
  EXPECT_EQ(errors[2].place->file, "labs/02-ring/ring.cpp");
  EXPECT_EQ(errors[2].place->column, 0);
  EXPECT_EQ(errors[3].message, "nothing.h: No such file or directory");
}

TEST(BuildErrors, AForgedPlaceIsNone) {
  const Score score = example_score();
  for (const std::string place :
       {"/etc/passwd:1:1", "labs/01-sum/../../x.cpp:1:1", "labs/03-other/x.cpp:1:1", "x.cpp:1",
        "labs/01-sum/x.cpp", "labs/01-sum/x.cpp:0:1", "labs/01-sum/x.cpp:1:99999999999999999999",
        "labs/01-sum/x,y.cpp:1:1", "labs/01-sum/%0A.cpp:1:1", "labs/01-sum/.cpp:1:1", ":1:1", "1",
        "", "http://evil/01-sum/a b.cpp:1:1", "labs/01-sum/:1:1"}) {
    EXPECT_FALSE(place_in(score, place)) << place;
  }
  // Whatever stands before it, it is a file of the lab's folder.
  EXPECT_EQ(place_in(score, "http://evil/01-sum/sum.cpp:1:1")->file, "labs/01-sum/sum.cpp");
}

TEST(BuildErrors, WhatNamesNoErrorIsOneError) {
  Score score = example_score();
  EXPECT_TRUE(build_errors(score, score.labs[0]).empty());
  score.labs[0].problem = "01-sum/sum.cpp is a symbolic link";
  const std::vector<BuildError> errors = build_errors(score, score.labs[0]);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_FALSE(errors[0].place);
  EXPECT_EQ(errors[0].message, "01-sum/sum.cpp is a symbolic link");
}

TEST(AnnotationsReport, PutsErrorsAtTheirLines) {
  const std::string text =
      report_annotations(broken_build("labs/01-sum/sum.cpp:3:7: error: 100% wrong, it: is"));
  EXPECT_EQ(text,
            "::error file=labs/01-sum/sum.cpp,line=3,col=7,title=01-sum cannot be built::100%25 "
            "wrong, it: is\n::notice title=Score::100 of 200 points\n");
}

TEST(AnnotationsReport, AFailureIsOneLineAndACrashIsWhereItCrashed) {
  Score score = example_score();
  score.labs[0].tests[1].innermost = "sum(int, int) at labs/01-sum/sum.cpp:12";
  EXPECT_EQ(report_annotations(score),
            "::error file=labs/01-sum/sum.cpp,line=12,title=01-sum%3A Sum.OfNegatives failed::want "
            "-3%0Agot 3\n::notice title=Score::160 of 190 points\n");
}

TEST(AnnotationsReport, EveryLineIsACommandOfOurs) {
  for (const Sample& sample : samples()) {
    const std::vector<std::string> lines = split_lines(report_annotations(sample.score));
    EXPECT_LE(lines.size(), annotations_shown + 1) << sample.name;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool last = i + 1 == lines.size();
      EXPECT_TRUE(lines[i].starts_with(last ? "::notice title=Score::" : "::error "))
          << sample.name << ": " << lines[i];
      EXPECT_EQ(lines[i].find('\r'), std::string::npos) << sample.name;
    }
  }
}

TEST(GradescopeReport, HasPointsAndReasons) {
  const json report = json::parse(report_gradescope(example_score()));
  EXPECT_EQ(report.at("score"), 160);
  EXPECT_EQ(report.at("stdout_visibility"), "hidden");
  const json& failed = report.at("tests").at(1);
  EXPECT_EQ(failed.at("name"), "01-sum: Sum.OfNegatives");
  EXPECT_EQ(failed.at("number"), "1.2");
  EXPECT_EQ(failed.at("score"), 0);
  EXPECT_EQ(failed.at("max_score"), 30);
  EXPECT_EQ(failed.at("status"), "failed");
  EXPECT_EQ(failed.at("output_format"), "text");
  EXPECT_EQ(failed.at("output"),
            "want -3\ngot 3\n\nWhat this is about: the idea\nRead labs/01-sum/README.md#step-1\n");
  EXPECT_EQ(report.at("tests").at(0).at("output"), "");
  EXPECT_EQ(report.at("tests").at(2).at("max_score"), 0) << "inconclusive is in neither sum";
}

TEST(GradescopeReport, ABuildErrorStandsOnce) {
  const json report =
      json::parse(report_gradescope(broken_build("labs/01-sum/sum.cpp:3:7: error: x")));
  EXPECT_NE(report.at("output").get<std::string>().find("sum.cpp:3:7: error: x"),
            std::string::npos);
  EXPECT_TRUE(report.at("tests").at(0).at("output").get<std::string>().starts_with(
      "It does not compile.\n\nWhat"));
}

TEST(PrivateTestsInReports, AreNumbersWithPoints) {
  const Score told = for_students(with_private_tests());
  EXPECT_EQ(told.score(), with_private_tests().score());
  EXPECT_EQ(told.max_score(), with_private_tests().max_score());
  for (const auto& [format, text] : all_formats(told)) {
    EXPECT_EQ(lower(text).find("hush"), std::string::npos) << format << "\n" << text;
  }
  const json report = json::parse(report_gradescope(told));
  EXPECT_EQ(report.at("tests").at(4).at("name"), "02-ring: private test 1");
  EXPECT_EQ(report.at("tests").at(4).at("max_score"), 10);
  EXPECT_EQ(report.at("tests").at(4).at("visibility"), "visible");
  EXPECT_EQ(report.at("tests").at(4).at("output"),
            "A test of your instructor's; only its points are told.\n");
}

TEST(PrivateTestsInReports, AreHiddenOnGradescopeIfTheyAreToldThere) {
  const json report = json::parse(report_gradescope(with_private_tests()));
  EXPECT_EQ(report.at("tests").at(3).at("visibility"), "visible");
  EXPECT_EQ(report.at("tests").at(4).at("name"), "02-ring: Hush.Around");
  EXPECT_EQ(report.at("tests").at(4).at("visibility"), "hidden");
  EXPECT_EQ(report.at("output").get<std::string>().find("Hush"), std::string::npos);
}

TEST(Classroom50Report, SumsWholePointsOfItsTests) {
  const json report = json::parse(report_classroom50(example_score(), handed_in()));
  EXPECT_EQ(report.at("score"), 160);
  EXPECT_EQ(report.at("max-score"), 190);
  EXPECT_EQ(report.at("tests").size(), 3U) << "without the inconclusive one";
  EXPECT_EQ(report.at("tests").at(1).at("message"), "want -3\ngot 3");
  EXPECT_EQ(report.at("owner"), "alice");
}

TEST(Classroom50Report, SaysWhichVariableIsMissing) {
  const std::vector<std::pair<const char*, const char*>> variables{
      {"CLASSROOM", "c"},
      {"ASSIGNMENT", "a"},
      {"ASSIGNMENT_TYPE", "individual"},
      {"OWNER", "alice"},
      {"COMMIT_URL", "u"},
      {"RELEASE_URL", "r"},
      {"SUBMISSION_TAG", "submit/1"}};
  for (const auto& [name, value] : variables) {
    try {
      (void)ClassroomSubmission::from_environment();
      FAIL() << "without " << name;
    } catch (const Problem& problem) {
      EXPECT_EQ(problem.status(), ExitStatus::wrong_use);
    }
    ::setenv(name, value, 1);
  }
  EXPECT_EQ(ClassroomSubmission::from_environment().review, "u") << "nothing to compare";
  for (const auto& [name, value] : variables) {
    ::unsetenv(name);
  }
}

TEST(SarifReport, HoldsBuildErrorsOnly) {
  const json report =
      json::parse(report_sarif(broken_build("pr/labs/01-sum/sum.cpp:3:7: error: a {b} [c](d)")));
  const json& results = report.at("runs").at(0).at("results");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results.at(0).at("message").at("text"), "01-sum: a {{b}} [c] (d)");
  const json& place = results.at(0).at("locations").at(0).at("physicalLocation");
  EXPECT_EQ(place.at("artifactLocation").at("uri"), "labs/01-sum/sum.cpp");
  EXPECT_EQ(place.at("region").at("startLine"), 3);
  EXPECT_EQ(place.at("region").at("startColumn"), 7);
  EXPECT_TRUE(json::parse(report_sarif(example_score())).at("runs").at(0).at("results").empty());
}

TEST(ReportFiles, WrongOnesAreRefusedBeforeAnythingIsGraded) {
  const fs::path folder = fresh_folder();
  fs::create_directory(folder / "a folder");
  const std::string file = (folder / "x").string();
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"pdf=" + file},
                                             {"json"},
                                             {"json="},
                                             {"=" + file},
                                             {"json=" + (folder / "a folder").string()},
                                             {"json=/dev/null"},
                                             {"json=-", "junit=-"},
                                             {"json=" + file, "junit=" + file},
                                             {"classroom50=" + file}}) {
    try {
      const Reports reports(arguments);
      FAIL() << join(arguments, " ") << " was taken";
    } catch (const Problem& problem) {
      EXPECT_EQ(problem.status(), ExitStatus::wrong_use) << problem.what();
      EXPECT_EQ(split_lines(problem.what()).size(), 1U) << problem.what();
    }
  }
  EXPECT_FALSE(fs::exists(file)) << "asking leaves nothing behind";
  write_file_atomically(file, "");
  EXPECT_THROW(Reports({"json=" + file + "/under-a-file"}), Problem);
}

// A disk that fills up halfway, as a limit on the size of files makes write() see it.
TEST(ReportFiles, AreWrittenWholeOrNotAtAll) {
  const fs::path folder = fresh_folder();
  const std::string small = (folder / "small").string();
  const std::string large = (folder / "large").string();
  write_file_atomically(large, "what was there");
  const Reports reports({"junit=" + large, "annotations=" + small});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit little{200'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const std::vector<std::string> failed = reports.write(huge());
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  (void)std::signal(SIGXFSZ, old_handler);
  ASSERT_EQ(failed.size(), 1U) << "the other one is written";
  EXPECT_EQ(failed[0], "cannot write " + large + ": File too large");
  EXPECT_EQ(read_file(large), "what was there");
  EXPECT_EQ(read_file(small), report_annotations(huge()));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 2)
      << "a temporary file is left";
}

}  // namespace
}  // namespace goro::grader
