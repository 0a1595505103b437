// What was measured, as a table and as JSON.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "bench/rows.h"

namespace goro::bars {

struct Setting {
  int rounds = 0;
  int procs = 0;
  Each<std::string> version;       // empty: not here, or not asked for
  std::vector<std::string> notes;  // what could not be measured, and why
};

void print_table(std::FILE* out, const Setting& setting, const std::vector<Row>& rows);
void print_json(std::FILE* out, const Setting& setting, const std::vector<Row>& rows);

}  // namespace goro::bars
