#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channel.h"
#include "process.h"

namespace goro::grader {

enum class Status { passed, failed, timeout, crashed, not_run, inconclusive };

std::string_view name_of(Status status);
std::optional<Status> status_from(std::string_view name);

struct Verdict {
  Status status = Status::not_run;
  std::string message;              // prose, may have several lines
  std::vector<std::string> frames;  // of a crash, not yet symbolized
  std::optional<Report::NotImplemented> not_implemented;
  // It crashed, hung or ended before the test could say what is wrong: what the test is about need
  // not be the cause.
  bool broke_off = false;
};

// The status with which a test program ends that met a function that is not implemented.
constexpr int not_implemented_status = 4;

// A test passed only if its process ended by itself with status 0 and reported that very test
// complete and passed. Pure: what happened in, what it means out.
Verdict judge(const Ended& ended, const Report& report, int time_limit_s);

}  // namespace goro::grader
