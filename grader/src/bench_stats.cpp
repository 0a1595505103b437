#include "bench_stats.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace goro::grader {

using nlohmann::json;

double median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

RatioEstimate estimate(const std::vector<BenchSample>& samples) {
  std::vector<double> students;
  std::vector<double> references;
  std::vector<double> ratios;
  for (const BenchSample& sample : samples) {
    students.push_back(sample.student_ns);
    references.push_back(sample.reference_ns);
    ratios.push_back(sample.student_ns / sample.reference_ns);
  }
  RatioEstimate result;
  result.rounds = samples.size();
  if (samples.empty()) {
    return result;
  }
  result.student_ns = median(students);
  result.reference_ns = median(references);
  result.ratio = result.student_ns / result.reference_ns;

  // The true median lies outside [k-th smallest, k-th largest] with probability
  // 2 * (C(n,0) + … + C(n,k-1)) / 2^n; take the largest k for which that is at most 10 %.
  std::sort(ratios.begin(), ratios.end());
  const auto n = static_cast<double>(ratios.size());
  double ways = 1;  // C(n, drop)
  double probability = std::ldexp(1.0, 1 - static_cast<int>(ratios.size()));
  double outside = 0;
  std::size_t drop = 0;
  for (std::size_t next = 0; 2 * next + 1 < ratios.size() || next == 0; ++next) {
    outside += ways * probability;
    if (outside > 0.1) {
      break;
    }
    drop = next;
    ways = ways * (n - static_cast<double>(next)) / (static_cast<double>(next) + 1);
  }
  result.low = std::min(result.ratio, ratios[drop]);
  result.high = std::max(result.ratio, ratios[ratios.size() - 1 - drop]);
  return result;
}

Status decide(const RatioEstimate& estimate, double max_ratio) {
  if (estimate.rounds >= fewest_rounds && estimate.high <= max_ratio) {
    return Status::passed;
  }
  if (estimate.rounds >= rounds_to_fail && estimate.low > max_ratio) {
    return Status::failed;
  }
  return Status::inconclusive;
}

namespace {

// Null, with a text in `problem`, if there is none that went well.
json run_named(const std::string& text, const std::string& name, std::string& problem) {
  const json report = json::parse(text, nullptr, false);
  const auto runs = report.is_object() ? report.find("benchmarks") : report.end();
  if (!report.is_object() || runs == report.end() || !runs->is_array()) {
    problem = "it wrote no benchmark report";
    return nullptr;
  }
  for (const json& run : *runs) {
    if (!run.is_object() || run.value("name", "") != name ||
        run.value("run_type", "iteration") != "iteration") {
      continue;
    }
    if (run.value("error_occurred", false)) {
      problem = run.value("error_message", "the benchmark reported an error");
      return nullptr;
    }
    return run;
  }
  problem = "its report has no run named " + name;
  return nullptr;
}

}  // namespace

double time_from_report(const std::string& text, const std::string& name, std::string& problem) {
  const json run = run_named(text, name, problem);
  if (run.is_null()) {
    return 0;
  }
  const std::string unit = run.value("time_unit", "ns");
  const double scale = unit == "s" ? 1e9 : unit == "ms" ? 1e6 : unit == "us" ? 1e3 : 1;
  const bool real_time = name.ends_with("/real_time");
  const double time = run.value(real_time ? "real_time" : "cpu_time", 0.0) * scale;
  if (time <= 0) {
    problem = "it reported no time";
    return 0;
  }
  return time;
}

double counter_from_report(const std::string& text, const std::string& name,
                           const std::string& counter, std::string& problem) {
  const json run = run_named(text, name, problem);
  if (run.is_null()) {
    return 0;
  }
  const auto found = run.find(counter);
  if (found == run.end() || !found->is_number() || found->get<double>() <= 0) {
    problem = "it reported no " + counter;
    return 0;
  }
  return found->get<double>();
}

std::string exact_filter(const std::string& name) {
  std::string filter = "^";
  for (const char letter : name) {
    if (std::string_view("\\^$.|?*+()[]{}").find(letter) != std::string_view::npos) {
      filter += '\\';
    }
    filter += letter;
  }
  return filter + "$";
}

std::string nanoseconds(double value) {
  constexpr std::array<const char*, 4> units{"ns", "us", "ms", "s"};
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 64> text{};
  (void)std::snprintf(text.data(), text.size(),
                      value < 10    ? "%.2f %s"
                      : value < 100 ? "%.1f %s"
                                    : "%.0f %s",
                      value, units.at(unit));
  return text.data();
}

}  // namespace goro::grader
