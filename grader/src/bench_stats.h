#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "verdict.h"

namespace goro::grader {

// One round: the submission and, right after it, the reference. What disturbs the machine disturbs
// both of a round alike, so their quotient is steadier than either.
// Nanoseconds, or what a counter counts.
struct BenchSample {
  double student_ns = 0;
  double reference_ns = 0;
};

// What is known of the true ratio student / reference.
struct RatioEstimate {
  double ratio = 0;  // the quotient of the two medians
  double low = 0;    // the plausible range, at least 90 % sure; holds `ratio` too
  double high = 0;
  double student_ns = 0;
  double reference_ns = 0;
  std::size_t rounds = 0;
};

constexpr std::size_t fewest_rounds = 5;
constexpr std::size_t rounds_to_fail = 7;
constexpr std::size_t most_rounds = 21;

double median(std::vector<double> values);

// Needs no assumption about how the noise is distributed: the median's range between two order
// statistics is the sign test's.
RatioEstimate estimate(const std::vector<BenchSample>& samples);

// passed or failed only if the whole plausible range is on one side of the bound, and failed only
// after more rounds than passed; otherwise inconclusive, which means: measure more, and if that was
// the last round, leave it out of the grade.
Status decide(const RatioEstimate& estimate, double max_ratio);

// The time per iteration of benchmark `name`, in nanoseconds, from Google Benchmark's JSON report.
// 0 and a text in `problem` if the report has no such run or the run reported an error.
double time_from_report(const std::string& json, const std::string& name, std::string& problem);
// The same for one of its counters, as it is.
double counter_from_report(const std::string& json, const std::string& name,
                           const std::string& counter, std::string& problem);

// The regular expression that matches this name and no other.
std::string exact_filter(const std::string& name);

// "12.3 ns", "4.56 us", …
std::string nanoseconds(double value);

}  // namespace goro::grader
