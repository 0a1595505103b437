#include "report_json.h"

#include "json_writer.h"
#include "problem.h"
#include "report_limits.h"
#include "text.h"

namespace goro::grader {

using Json = nlohmann::ordered_json;

namespace {

Json test_json(const TestScore& test) {
  Json json{{"name", test.name},
            {"status", name_of(test.status)},
            {"points", points_json(test.points)},
            {"max_points", points_json(test.max_points)},
            {"message", bounded(printable(test.message), kept_message_bytes)},
            {"concept", test.concept_name},
            {"kind", test.benchmark ? "benchmark" : "test"},
            {"section", test.section},
            {"seconds", test.seconds}};
  if (test.is_private) {
    json["private"] = true;
  }
  if (!test.again.empty()) {
    json["again"] = test.again;
    json["debug"] = test.debug;
  }
  if (test.ratio) {
    json["ratio"] = {
        {"value", test.ratio->value}, {"low", test.ratio->low}, {"high", test.ratio->high}};
  }
  if (test.missing_step) {
    json["missing_step"] = *test.missing_step;
  }
  if (test.missing_lab) {
    json["missing_lab"] = *test.missing_lab;
  }
  if (test.broke_off) {
    json["broke_off"] = true;
  }
  if (!test.innermost.empty()) {
    json["innermost"] = bounded(printable(test.innermost), title_bytes);
  }
  if (test.time_limit_s) {
    json["time_limit_s"] = *test.time_limit_s;
  }
  return json;
}

Json lab_json(const LabScore& lab) {
  Json json{{"lab", lab.lab},
            {"number", lab.number},
            {"title", lab.title},
            {"score", points_json(lab.score())},
            {"max_score", points_json(lab.max_score())},
            {"tests", Json::array()}};
  if (!lab.problem.empty()) {
    json["problem"] = bounded(printable(lab.problem), kept_message_bytes);
  }
  for (const TestScore& test : lab.tests) {
    json["tests"].push_back(test_json(test));
  }
  return json;
}

TestScore test_from(const Json& json) {
  TestScore test;
  test.name = json.at("name").get<std::string>();
  test.benchmark = json.at("kind").get<std::string>() == "benchmark";
  test.is_private = json.value("private", false);
  test.status = status_from(json.at("status").get<std::string>()).value_or(Status::not_run);
  test.points = json.at("points").get<double>();
  test.max_points = json.at("max_points").get<double>();
  test.message = json.at("message").get<std::string>();
  test.concept_name = json.at("concept").get<std::string>();
  test.section = json.at("section").get<std::string>();
  test.seconds = json.at("seconds").get<double>();
  test.again = json.value("again", "");
  test.debug = json.value("debug", "");
  test.broke_off = json.value("broke_off", false);
  test.innermost = json.value("innermost", "");
  if (json.contains("ratio")) {
    const Json& ratio = json.at("ratio");
    test.ratio = Ratio{ratio.at("value").get<double>(), ratio.at("low").get<double>(),
                       ratio.at("high").get<double>()};
  }
  if (json.contains("missing_step")) {
    test.missing_step = json.at("missing_step").get<int>();
  }
  if (json.contains("missing_lab")) {
    test.missing_lab = json.at("missing_lab").get<int>();
  }
  if (json.contains("time_limit_s")) {
    test.time_limit_s = json.at("time_limit_s").get<int>();
  }
  return test;
}

LabScore lab_from(const Json& json) {
  LabScore lab;
  lab.lab = json.at("lab").get<std::string>();
  lab.number = json.at("number").get<int>();
  lab.title = json.at("title").get<std::string>();
  lab.problem = json.value("problem", "");
  for (const Json& test : json.at("tests")) {
    lab.tests.push_back(test_from(test));
  }
  return lab;
}

}  // namespace

std::string report_json(const Score& score) {
  Json json{{"score", points_json(score.score())},
            {"max_score", points_json(score.max_score())},
            {"submission", score.submission},
            {"architecture", score.architecture},
            {"compiler", score.compiler},
            {"own", score.own},
            {"sandbox", name_of(score.sandbox)},
            {"seconds", score.seconds},
            {"labs", Json::array()}};
  for (const LabScore& lab : score.labs) {
    json["labs"].push_back(lab_json(lab));
  }
  return dumped(json);
}

std::string lab_to_json(const LabScore& lab) {
  return dumped(lab_json(lab));
}

Score score_from_json(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    Score score;
    score.submission = json.at("submission").get<std::string>();
    score.architecture = json.at("architecture").get<std::string>();
    score.compiler = json.at("compiler").get<std::string>();
    score.own = json.at("own").get<bool>();
    score.seconds = json.at("seconds").get<double>();
    for (const Json& lab : json.at("labs")) {
      score.labs.push_back(lab_from(lab));
    }
    return score;
  } catch (const Json::exception& error) {
    throw broken(std::string("a kept grade cannot be read: ") + error.what());
  }
}

LabScore lab_from_json(const std::string& text) {
  try {
    return lab_from(Json::parse(text));
  } catch (const Json::exception& error) {
    throw broken(std::string("a kept result cannot be read: ") + error.what());
  }
}

}  // namespace goro::grader
