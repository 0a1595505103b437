#include "batch_record.h"

#include <array>
#include <nlohmann/json.hpp>

#include "problem.h"
#include "report_json.h"

namespace goro::grader {

using Json = nlohmann::ordered_json;

namespace {

constexpr int version = 1;

constexpr std::array<std::pair<BatchRecord::Outcome, std::string_view>, 3> outcomes{{
    {BatchRecord::Outcome::graded, "graded"},
    {BatchRecord::Outcome::refused, "refused"},
    {BatchRecord::Outcome::not_graded, "not graded"},
}};

}  // namespace

std::string_view name_of(BatchRecord::Outcome outcome) {
  for (const auto& [known, name] : outcomes) {
    if (known == outcome) {
      return name;
    }
  }
  return "";
}

BatchRecord BatchRecord::not_graded(const std::string& name, const std::string& reason) {
  BatchRecord record;
  record.name = name;
  record.reason = reason;
  return record;
}

std::string BatchRecord::outdated(const BatchPlan& plan, const std::string& files_now) const {
  return outcome == Outcome::not_graded ? "it could not be graded before"
         : files != files_now           ? "its files changed"
         : settings != plan.settings()  ? "graded with other options or private tests before"
         : course != plan.course        ? "the course changed"
                                        : "";
}

std::optional<BatchRecord> BatchFolder::read(const BatchEntry& entry) const {
  const std::optional<std::string> text = read_file_if_present(record(entry));
  if (!text) {
    return std::nullopt;
  }
  try {
    const Json json = Json::parse(*text);
    if (json.at("version").get<int>() != version) {
      return std::nullopt;
    }
    BatchRecord record;
    const std::string outcome = json.at("outcome").get<std::string>();
    for (const auto& [known, name] : outcomes) {
      if (name == outcome) {
        record.outcome = known;
      }
    }
    record.name = json.at("name").get<std::string>();
    record.reason = json.at("reason").get<std::string>();
    record.files = json.at("files").get<std::string>();
    record.course = json.at("course").get<std::string>();
    record.settings = json.at("settings").get<std::string>();
    record.finished = json.at("finished").get<std::string>();
    if (record.outcome == BatchRecord::Outcome::graded) {
      record.score = score_from_json(json.at("score").dump());
    }
    return record;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Problem&) {
    return std::nullopt;
  }
}

void BatchFolder::write(const BatchEntry& entry, const BatchRecord& record) const {
  Json json{{"version", version},          {"outcome", name_of(record.outcome)},
            {"name", record.name},         {"reason", record.reason},
            {"files", record.files},       {"course", record.course},
            {"settings", record.settings}, {"finished", record.finished}};
  if (record.outcome == BatchRecord::Outcome::graded) {
    json["score"] = Json::parse(report_json(record.score));
  }
  write_file_atomically(this->record(entry),
                        json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n",
                        Durable::yes);
}

}  // namespace goro::grader
