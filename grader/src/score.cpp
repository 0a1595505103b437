#include "score.h"

#include <algorithm>
#include <numeric>

namespace goro::grader {

namespace {

template <typename Container, typename Value>
double sum(const Container& all, Value&& value) {
  return std::accumulate(all.begin(), all.end(), 0.0,
                         [&](double total, const auto& element) { return total + value(element); });
}

bool counts(const TestScore& test) {
  return test.status != Status::inconclusive;
}

}  // namespace

double LabScore::score() const {
  return sum(tests, [](const TestScore& test) { return counts(test) ? test.points : 0; });
}

double LabScore::max_score() const {
  return sum(tests, [](const TestScore& test) { return counts(test) ? test.max_points : 0; });
}

bool LabScore::all_points() const {
  return std::all_of(tests.begin(), tests.end(), [](const TestScore& test) {
    return !counts(test) || test.status == Status::passed;
  });
}

std::size_t LabScore::inconclusive() const {
  return static_cast<std::size_t>(std::count_if(
      tests.begin(), tests.end(), [](const TestScore& test) { return !counts(test); }));
}

bool LabScore::untouched() const {
  std::size_t missing = 0;
  for (const TestScore& test : tests) {
    if (test.missing_step) {
      ++missing;
    } else if (!test.benchmark) {
      return false;
    }
  }
  return missing > 0;
}

double Score::score() const {
  return sum(labs, [](const LabScore& lab) { return lab.score(); });
}

double Score::max_score() const {
  return sum(labs, [](const LabScore& lab) { return lab.max_score(); });
}

bool Score::all_points() const {
  return std::all_of(labs.begin(), labs.end(),
                     [](const LabScore& lab) { return lab.all_points(); });
}

}  // namespace goro::grader
