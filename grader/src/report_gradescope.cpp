#include "report_gradescope.h"

#include "json_writer.h"
#include "report_limits.h"
#include "text.h"

namespace goro::grader {

using Json = nlohmann::ordered_json;

namespace {

std::string output_of(const LabScore& lab, const TestScore& test) {
  if (test.status == Status::passed) {
    return {};
  }
  // What kept the whole lab from being built stands once, above the tests.
  const std::string why = lab.problem.empty()
                              ? bounded(printable(test.message), shown_message_bytes)
                              : first_line(printable(lab.problem));
  std::string output = trim_right(why) + "\n";
  if (!test.withheld) {
    output += "\nWhat this is about: " + test.concept_name + "\nRead " + test.section + "\n";
  }
  return output;
}

Json test_json(const LabScore& lab, const TestScore& test, std::size_t index) {
  const bool counts = test.status != Status::inconclusive;
  Json json{{"name", lab.lab + ": " + test.name},
            {"name_format", "text"},
            {"number", std::to_string(lab.number) + "." + std::to_string(index + 1)},
            {"score", points_json(counts ? test.points : 0)},
            {"max_score", points_json(counts ? test.max_points : 0)},
            {"status", test.status == Status::passed ? "passed" : "failed"},
            {"output", output_of(lab, test)},
            {"output_format", "text"},
            {"tags", {lab.lab}},
            {"visibility", test.is_private && !test.withheld ? "hidden" : "visible"},
            {"extra_data", {{"status", name_of(test.status)}}}};
  return json;
}

}  // namespace

std::string report_gradescope(const Score& score) {
  std::string output = number(score.score()) + " of " + number(score.max_score()) + " points\n";
  Json tests = Json::array();
  for (const LabScore& lab : score.labs) {
    output += lab.lab + ": " + number(lab.score()) + " of " + number(lab.max_score()) + "\n";
    if (!lab.problem.empty()) {
      output += indent(bounded(printable(lab.problem), shown_message_bytes), "  ");
    }
    for (std::size_t i = 0; i < lab.tests.size(); ++i) {
      tests.push_back(test_json(lab, lab.tests[i], i));
    }
  }
  return dumped({{"score", points_json(score.score())},
                 {"execution_time", score.seconds},
                 {"output", output},
                 {"output_format", "text"},
                 {"visibility", "visible"},
                 {"stdout_visibility", "hidden"},
                 {"tests", tests}});
}

}  // namespace goro::grader
