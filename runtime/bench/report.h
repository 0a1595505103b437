// What was measured, as a table and as JSON.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace goro::bars {

// What has to hold: nothing, the ratio to the peer at most a limit, or our own figure below a
// limit.
struct Bar {
  enum class On { nothing, ratio, value } on = On::nothing;
  double limit = 0;
};

struct Pair {
  double ours = 0;
  double theirs = 0;
};

// One line of the table: the figures of every round. Ratios are of two figures of the same round.
struct Row {
  std::string name;
  std::string unit;
  std::string peer;
  Bar bar;
  std::vector<Pair> rounds;

  [[nodiscard]] bool measured() const { return !rounds.empty(); }
  [[nodiscard]] double ours() const;    // median
  [[nodiscard]] double theirs() const;  // median
  [[nodiscard]] double ratio() const;   // median
  [[nodiscard]] double lowest_ratio() const;
  [[nodiscard]] double highest_ratio() const;
  [[nodiscard]] bool holds() const;
};

struct Setting {
  int rounds = 0;
  int procs = 0;
  std::string go;  // its version, or why there is none
};

void print_table(std::FILE* out, const Setting& setting, const std::vector<Row>& rows);
void print_json(std::FILE* out, const Setting& setting, const std::vector<Row>& rows);

}  // namespace goro::bars
