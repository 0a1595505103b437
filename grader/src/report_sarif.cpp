#include "report_sarif.h"

#include "build_errors.h"
#include "json_writer.h"
#include "report_limits.h"
#include "text.h"

namespace goro::grader {

using Json = nlohmann::ordered_json;

namespace {

// In a message a brace is a placeholder unless doubled, and "](" ends a link's text.
std::string message_text(const std::string& text) {
  std::string all = trim_right(bounded(printable(text), shown_message_bytes));
  all = replace_all(replace_all(std::move(all), "{", "{{"), "}", "}}");
  return replace_all(std::move(all), "](", "] (");
}

Json result(const LabScore& lab, const BuildError& error) {
  Json json{{"ruleId", "does-not-build"},
            {"ruleIndex", 0},
            {"level", "error"},
            {"message", {{"text", message_text(lab.lab + ": " + error.message)}}},
            {"locations", Json::array()}};
  if (error.place) {
    Json region{{"startLine", error.place->line}};
    if (error.place->column > 0) {
      region["startColumn"] = error.place->column;
    }
    json["locations"].push_back(
        {{"physicalLocation",
          {{"artifactLocation", {{"uri", error.place->file}, {"uriBaseId", "%SRCROOT%"}}},
           {"region", region}}}});
  }
  return json;
}

}  // namespace

std::string report_sarif(const Score& score) {
  Json results = Json::array();
  for (const LabScore& lab : score.labs) {
    for (const BuildError& error : build_errors(score, lab)) {
      results.push_back(result(lab, error));
    }
  }
  const Json rule{{"id", "does-not-build"},
                  {"shortDescription", {{"text", "The lab cannot be built."}}},
                  {"defaultConfiguration", {{"level", "error"}}}};
  const Json driver{{"name", "goro-grader"}, {"rules", Json::array({rule})}};
  const Json run{{"tool", {{"driver", driver}}}, {"results", results}};
  return dumped({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                 {"version", "2.1.0"},
                 {"runs", Json::array({run})}});
}

}  // namespace goro::grader
