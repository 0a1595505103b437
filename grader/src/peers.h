#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "course.h"
#include "terminal.h"

namespace goro::grader {

// What goro_bars printed: the finished runtime, or the students' own, beside its peers.
struct PeersReport {
  std::string json;
  std::string table;  // and notes
  int status = 0;     // 0 every bar holds, 1 one is missed, 3 somebody is missing
};

// Builds goro_bars with its peers' programs and runs it with those arguments besides --json. Throws
// a Problem if there is no runtime/bench here, or if it printed no report.
PeersReport measure_peers(const Course& course, const std::vector<std::string>& arguments,
                          Terminal& terminal);

}  // namespace goro::grader
