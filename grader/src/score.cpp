#include "score.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

namespace goro::grader {

namespace {

template <typename Container, typename Value>
double sum(const Container& all, Value&& value) {
  return std::accumulate(all.begin(), all.end(), 0.0,
                         [&](double total, const auto& element) { return total + value(element); });
}

// How little a test that did not pass says about what is wrong.
int silence(const TestScore& test) {
  if (test.status == Status::not_run || test.status == Status::inconclusive) {
    return 3;
  }
  return test.missing_step ? 2 : test.broke_off ? 1 : 0;
}

// The step that the test misses; else the one whose section of the handout it belongs to. What
// tests all steps together is last.
int step_of(const TestScore& test) {
  if (test.missing_step && !test.missing_lab) {
    return *test.missing_step;
  }
  constexpr std::string_view mark = "#step-";
  const std::size_t at = test.section.find(mark);
  int step = std::numeric_limits<int>::max();
  if (at != std::string::npos) {
    const char* first = test.section.data() + at + mark.size();
    (void)std::from_chars(first, test.section.data() + test.section.size(), step);
  }
  return step;
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

double LabScore::private_score() const {
  return sum(tests, [](const TestScore& test) { return test.is_private ? test.points : 0; });
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

std::vector<const TestScore*> LabScore::most_telling() const {
  std::vector<const TestScore*> all;
  for (const TestScore& test : tests) {
    if (test.status != Status::passed) {
      all.push_back(&test);
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const TestScore* a, const TestScore* b) {
    return std::pair(silence(*a), step_of(*a)) < std::pair(silence(*b), step_of(*b));
  });
  return all;
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

Score for_students(Score score) {
  for (LabScore& lab : score.labs) {
    int number = 0;
    for (TestScore& test : lab.tests) {
      if (!test.is_private) {
        continue;
      }
      // What is not named here is withheld.
      TestScore told;
      told.withheld = true;
      told.name = "private test " + std::to_string(++number);
      told.is_private = true;
      told.status = test.status;
      told.points = test.points;
      told.max_points = test.max_points;
      told.missing_step = test.missing_step;
      told.missing_lab = test.missing_lab;
      told.message = test.status == Status::passed
                         ? ""
                         : "A test of your instructor's; only its points are told.";
      test = std::move(told);
    }
  }
  return score;
}

}  // namespace goro::grader
