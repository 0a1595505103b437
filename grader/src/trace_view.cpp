#include "trace_view.h"

#include <array>
#include <cctype>
#include <cstring>
#include <nlohmann/json.hpp>

#include "problem.h"
#include "text.h"

namespace goro::grader {

namespace {

// What the page decodes: docs/viewer/src/recording.js.
template <typename T>
void put(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t three = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto byte =
          at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : std::uint8_t{0};
      three = three << 8 | byte;
    }
    const std::size_t left = std::min<std::size_t>(bytes.size() - at, 3);
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= left ? letters[three >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

nlohmann::json json_of(const TraceRun& run) {
  const std::size_t first = run.events.size() > kMostShown ? run.events.size() - kMostShown : 0;
  // One array after the other: the columns of a table.
  std::string times;
  std::string ids;
  std::string numbers;
  std::string ms;
  std::string kinds;
  std::string arguments;
  for (std::size_t i = first; i < run.events.size(); ++i) {
    const TraceEvent& event = run.events[i];
    put(times, event.ns);
    put(ids, static_cast<double>(event.id));
    put(numbers, event.number);
    put(ms, static_cast<std::uint16_t>(event.m));
    put(kinds, static_cast<std::uint8_t>(event.kind));
    put(arguments, event.argument);
  }
  return {{"procs", run.procs},
          {"first", run.first_ns},
          {"last", run.last_ns},
          {"lost", run.lost + first},
          {"cutOff", run.cut_off},
          {"count", run.events.size() - first},
          {"columns", base64(times + ids + numbers + ms + kinds + arguments)}};
}

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

void find_functions(const fs::path& root, const fs::path& file,
                    std::map<std::string, SourcePlace>& found) {
  const std::vector<std::string> lines = split_lines(read_file(root / file));
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const std::string& line = lines[at];
    if (line.empty() || (!is_name(line.front()) && line.front() != '[')) {
      continue;
    }
    const std::size_t end = line.find('(');
    if (end == std::string::npos || end == 0 || !is_name(line[end - 1])) {
      continue;
    }
    // A body comes before the statement is over.
    std::string statement;
    for (std::size_t i = at; i < lines.size() && statement.find_first_of("{;") == std::string::npos;
         ++i) {
      statement += lines[i];
    }
    const std::size_t stop = statement.find_first_of("{;");
    if (stop == std::string::npos || statement[stop] == ';') {
      continue;
    }
    std::size_t begin = end;
    while (begin > 0 && is_name(line[begin - 1])) {
      --begin;
    }
    found[line.substr(begin, end - begin)] = {file.string(), static_cast<int>(at) + 1};
  }
}

std::string view_page(const std::string& page, const TraceFile& file, const std::string& title,
                      const std::map<std::string, SourcePlace>& functions,
                      const std::string& sources_at) {
  constexpr std::string_view mark = "{\"recording\":null}";
  const std::size_t place = page.find(mark);
  if (place == std::string::npos) {
    throw broken("the viewer's page has no place for a recording");
  }
  nlohmann::json json{{"title", title}, {"reasons", file.reasons}, {"sourcesAt", sources_at}};
  json["functions"] = nlohmann::json::object();
  for (const auto& [name, source] : functions) {
    json["functions"][name] = {source.path, source.line};
  }
  json["runs"] = nlohmann::json::array();
  for (const TraceRun& run : file.runs) {
    json["runs"].push_back(json_of(run));
  }
  // Inside a script element, no "</" may stand.
  const std::string text = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return page.substr(0, place) + replace_all(text, "</", "<\\/") + page.substr(place + mark.size());
}

}  // namespace goro::grader
