#include "bench/report.h"

#include <algorithm>

namespace goro::bars {

namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

template <typename F>
std::vector<double> each(const std::vector<Pair>& rounds, F&& value) {
  std::vector<double> values;
  values.reserve(rounds.size());
  for (const Pair& pair : rounds) values.push_back(value(pair));
  return values;
}

double ratio_of(const Pair& pair) {
  return pair.ours / pair.theirs;
}

std::string bar_text(const Bar& bar) {
  std::string text;
  text.resize(32);
  switch (bar.on) {
    case Bar::On::nothing:
      return "";
    case Bar::On::ratio:
      text.resize(static_cast<std::size_t>(
          std::snprintf(text.data(), text.size(), "ratio <= %.1f", bar.limit)));
      return text;
    case Bar::On::value:
      text.resize(static_cast<std::size_t>(
          std::snprintf(text.data(), text.size(), "goro < %.0f", bar.limit)));
      return text;
  }
  return "";
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

double Row::ours() const {
  return median(each(rounds, [](const Pair& pair) { return pair.ours; }));
}

double Row::theirs() const {
  return median(each(rounds, [](const Pair& pair) { return pair.theirs; }));
}

double Row::ratio() const {
  return median(each(rounds, ratio_of));
}

double Row::lowest_ratio() const {
  const std::vector<double> ratios = each(rounds, ratio_of);
  return *std::min_element(ratios.begin(), ratios.end());
}

double Row::highest_ratio() const {
  const std::vector<double> ratios = each(rounds, ratio_of);
  return *std::max_element(ratios.begin(), ratios.end());
}

bool Row::holds() const {
  switch (bar.on) {
    case Bar::On::nothing:
      return true;
    case Bar::On::ratio:
      return ratio() <= bar.limit;
    case Bar::On::value:
      return ours() < bar.limit;
  }
  return false;
}

void print_table(std::FILE* out, const Setting& setting, const std::vector<Row>& rows) {
  std::fprintf(out, "%d rounds, medians; ratio: lowest, median, highest of the rounds\n",
               setting.rounds);
  std::fprintf(out, "%s\n\n", setting.go.c_str());
  std::fprintf(out, "%-42s %10s %10s  %-6s %20s  %s\n", "", "goro", "peer", "", "ratio", "bar");
  for (const Row& row : rows) {
    const std::string name = row.name + ", " + row.unit;
    if (!row.measured()) {
      std::fprintf(out, "%-42s %10s\n", name.c_str(), "-");
      continue;
    }
    std::fprintf(out, "%-42s %10.1f %10.1f  %-6s %6.2f %6.2f %6.2f  ", name.c_str(), row.ours(),
                 row.theirs(), row.peer.c_str(), row.lowest_ratio(), row.ratio(),
                 row.highest_ratio());
    if (row.bar.on != Bar::On::nothing) {
      std::fprintf(out, "%-13s %s", bar_text(row.bar).c_str(), row.holds() ? "holds" : "MISSED");
    }
    std::fputc('\n', out);
  }
}

void print_json(std::FILE* out, const Setting& setting, const std::vector<Row>& rows) {
  std::fprintf(out, "{\n  \"rounds\": %d,\n  \"procs\": %d,\n  \"go\": %s,\n  \"rows\": [",
               setting.rounds, setting.procs, quoted(setting.go).c_str());
  const char* separator = "\n";
  for (const Row& row : rows) {
    if (!row.measured()) continue;
    std::fprintf(out,
                 "%s    {\"name\": %s, \"unit\": %s, \"goro\": %.3f, \"peer\": %s, "
                 "\"peer_value\": %.3f, \"ratio\": %.4f, \"ratio_lowest\": %.4f, "
                 "\"ratio_highest\": %.4f",
                 separator, quoted(row.name).c_str(), quoted(row.unit).c_str(), row.ours(),
                 quoted(row.peer).c_str(), row.theirs(), row.ratio(), row.lowest_ratio(),
                 row.highest_ratio());
    if (row.bar.on != Bar::On::nothing) {
      std::fprintf(out, ", \"bar_on\": \"%s\", \"bar\": %g, \"holds\": %s",
                   row.bar.on == Bar::On::ratio ? "ratio" : "goro", row.bar.limit,
                   row.holds() ? "true" : "false");
    }
    std::fputc('}', out);
    separator = ",\n";
  }
  const bool all = std::all_of(rows.begin(), rows.end(),
                               [](const Row& row) { return row.measured() && row.holds(); });
  std::fprintf(out, "\n  ],\n  \"all_hold\": %s\n}\n", all ? "true" : "false");
}

}  // namespace goro::bars
