#include "bench/report.h"

#include <algorithm>
#include <array>

namespace goro::bars {

namespace {

// goro's ratio to these is shown.
constexpr std::array kCompared{Who::go, Who::boost};

template <typename... Values>
std::string printed(const char* format, Values... values) {
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

std::string figure(const Row& row, Who who) {
  if (!row.measured(who)) return "-";
  const double value = row.median(who);
  constexpr double kManyDigits = 10'000;
  constexpr double kMega = 1e6;
  if (row.unit == "times") return printed("%.2f", value);
  if (value >= kMega) return printed("%.1fM", value / kMega);
  return printed(value < kManyDigits ? "%.1f" : "%.0f", value);
}

// Lowest, median and highest.
std::array<double, 3> spread(std::vector<double> values) {
  return {*std::min_element(values.begin(), values.end()), median(values),
          *std::max_element(values.begin(), values.end())};
}

std::string bar_text(const Row& row, const Bar& bar) {
  const std::string limit = printed("%s <= %.4g", name_of(bar.against), bar.limit);
  return limit + (row.holds(bar) ? " holds" : " MISSED");
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

template <typename T, typename F>
std::string joined(const T& items, F&& text_of) {
  std::string all;
  for (const auto& item : items) {
    const std::string text = text_of(item);
    if (!text.empty()) all += (all.empty() ? "" : ", ") + text;
  }
  return all;
}

std::string row_json(const Row& row) {
  std::string json = "{\"name\": " + quoted(row.name) + ", \"unit\": " + quoted(row.unit) +
                     ", \"workload\": " + quoted(row.workload) +
                     ", \"procs\": " + std::to_string(row.procs);
  json += ", \"sizes\": {" +
          joined(kAll,
                 [&](Who who) {
                   return row.sizes[who] == 0
                              ? ""
                              : printed("\"%s\": %ld", name_of(who), row.sizes[who]);
                 }) +
          "}";
  json += ", \"medians\": {" +
          joined(kAll,
                 [&](Who who) {
                   return row.measured(who) ? printed("\"%s\": %.3f", name_of(who), row.median(who))
                                            : "";
                 }) +
          "}";
  json += ", \"ratios\": {" +
          joined(kAll,
                 [&](Who who) -> std::string {
                   if (who == Who::goro || !row.measured(who) || !row.measured(Who::goro))
                     return "";
                   const auto [low, middle, high] = spread(row.ratios(who));
                   return printed("\"%s\": [%.4f, %.4f, %.4f]", name_of(who), low, middle, high);
                 }) +
          "}";
  json +=
      ", \"bars\": [" +
      joined(row.bars,
             [&](const Bar& bar) -> std::string {
               if (!row.judged(bar)) return "";
               return printed("{\"against\": \"%s\", \"limit\": %.4g, \"holds\": %s}",
                              name_of(bar.against), bar.limit, row.holds(bar) ? "true" : "false");
             }) +
      "]}";
  return json;
}

}  // namespace

void print_table(std::FILE* out, const Setting& setting, const std::vector<Row>& rows) {
  std::fprintf(out, "%d rounds, medians; goro's ratio to a peer: lowest, median, highest\n",
               setting.rounds);
  for (const Who who : kAll) {
    if (!setting.version[who].empty()) {
      std::fprintf(out, "%-8s %s\n", name_of(who), setting.version[who].c_str());
    }
  }
  std::fprintf(out, "\n%-45s", "");
  for (const Who who : kAll) std::fprintf(out, "%9s", name_of(who));
  for (const Who who : kCompared) std::fprintf(out, "  %16s", name_of(who));
  std::fputs("  goro against\n", out);
  for (const Row& row : rows) {
    const std::string name = row.name + printed(", %d P, ", row.procs) + row.unit;
    std::fprintf(out, "%-45s", name.c_str());
    for (const Who who : kAll) std::fprintf(out, "%9s", figure(row, who).c_str());
    for (const Who who : kCompared) {
      if (!row.measured(who) || !row.measured(Who::goro)) {
        std::fprintf(out, "  %16s", "-");
        continue;
      }
      const auto [low, middle, high] = spread(row.ratios(who));
      std::fprintf(out, "  %s", printed("%5.2f %4.2f %5.2f", low, middle, high).c_str());
    }
    const std::string bars =
        joined(row.bars, [&](const Bar& bar) { return row.judged(bar) ? bar_text(row, bar) : ""; });
    std::fprintf(out, "  %s\n", bars.c_str());
  }
  for (const std::string& note : setting.notes) std::fprintf(out, "%s\n", note.c_str());
}

void print_json(std::FILE* out, const Setting& setting, const std::vector<Row>& rows) {
  std::fprintf(out, "{\n  \"rounds\": %d,\n  \"procs\": %d,\n", setting.rounds, setting.procs);
  const std::string versions = joined(kAll, [&](Who who) -> std::string {
    if (setting.version[who].empty()) return "";
    return quoted(name_of(who)) + ": " + quoted(setting.version[who]);
  });
  const std::string notes = joined(setting.notes, quoted);
  std::fprintf(out, "  \"versions\": {%s},\n  \"notes\": [%s],\n  \"rows\": [", versions.c_str(),
               notes.c_str());
  const char* separator = "\n    ";
  for (const Row& row : rows) {
    std::fprintf(out, "%s%s", separator, row_json(row).c_str());
    separator = ",\n    ";
  }
  const bool all =
      std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.all_hold(); });
  std::fprintf(out, "\n  ],\n  \"all_hold\": %s\n}\n", all ? "true" : "false");
}

}  // namespace goro::bars
