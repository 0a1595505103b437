#include "testing/simulate.h"

#if GORO_SIMULATE

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>

#include "contracts/not_implemented.h"
#include "frame/dump.h"
#include "testing/schedules.h"
#include "testing/story.h"

namespace goro::sim {

namespace {

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

// The command that does it again.
std::string again(std::uint64_t seed) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const std::string name =
      test == nullptr ? "" : std::string(test->test_suite_name()) + "." + test->name();
  const std::string program = program_invocation_short_name;
  const std::string number = std::to_string(seed);
  if (program.rfind("lab_", 0) == 0 && program.size() > 6) {
    const std::string own = program.find("_own") != std::string::npos ? " --own" : "";
    return "./course check " + std::to_string(std::atoi(program.c_str() + 4)) + " --test " + name +
           " --seed " + number + own;
  }
  return "GORO_SEED=" + number + " " + program + " --gtest_filter=" + name;
}

// The child had this program where we have it.
std::string where_it_happened(const Report& report) {
  Backtrace trace;
  while (trace.count < report.frames) {
    trace.pc[trace.count] = report.pc[trace.count];
    ++trace.count;
  }
  std::string text;
  {
    TextSink out(&text);
    print_backtrace(&out, trace);
  }
  return text;
}

// For whoever is asked to end while it explores.
const Report* explored_now = nullptr;

void tell_seed(TextSink* out) {
  const Report* report = explored_now;
  if (report == nullptr) return;
  out->put("It was at the seed ").number(report->seed).put(", after ").number(report->explored);
  out->put(" schedules that passed; --seed ").number(report->seed);
  out->put(", or GORO_SEED=").number(report->seed).put(", runs that one alone.\n");
}

class TellSeed {
 public:
  explicit TellSeed(const Report* report) {
    explored_now = report;
    goro::testing::tell_more = tell_seed;
  }
  TellSeed(const TellSeed&) = delete;
  TellSeed& operator=(const TellSeed&) = delete;
  ~TellSeed() {
    goro::testing::tell_more = nullptr;
    explored_now = nullptr;
  }
};

std::string what_went_wrong(const Ended& ended, const Report& report) {
  std::string text = report.message;
  switch (ended.outcome) {
    case Outcome::crashed:
      text = "The program crashed: " + text + "\n" + where_it_happened(report);
      break;
    case Outcome::hung:
      text += "\n" + where_it_happened(report);
      break;
    case Outcome::unfinished:
      text = "The program ended with status " + std::to_string(ended.status) + ".";
      break;
    case Outcome::passed:
    case Outcome::failed:
    case Outcome::stuck:
    case Outcome::endless:
    case Outcome::not_finished:
      break;
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  // What GoogleTest said is in the message.
  if (ended.outcome != Outcome::failed && !ended.output.empty()) text += "\n" + ended.output;
  return text;
}

}  // namespace

std::string Failure::text() const {
  return what + "\n" + story;
}

std::optional<Failure> find_failure(const Exploration& options, const std::function<void()>& body) {
  Explorer explorer(body, options.most_steps);
  const TellSeed tell(&explorer.report());
  const auto seed = number_from("GORO_SEED");
  const std::uint64_t seeds = number_from("GORO_SEEDS").value_or(options.seeds);
  const Ended first = seed ? explorer.explore(*seed, *seed) : explorer.explore(1, seeds);
  if (!first.failed()) return std::nullopt;
  const Report& report = explorer.report();
  if (first.outcome == Outcome::not_finished) {
    not_implemented(report.lab, report.step,
                    report.function[0] != '\0' ? report.function : nullptr);
  }
  Failure failure;
  failure.seed = report.seed;
  failure.explored = report.explored;
  const std::string found =
      "Seed " + std::to_string(failure.seed) + " fails (" + std::to_string(failure.explored) +
      (failure.explored == 1 ? " schedule" : " schedules") + " passed before).\n";
  const std::string replay = "To do it again: " + again(failure.seed) + "\n";
  failure.what = what_went_wrong(first, report);
  std::vector<Switch> switches = explorer.taken();
  if (!explorer.replay(failure.seed, switches, false).same_as(first)) {
    // Something was left behind by an earlier schedule, and matters.
    failure.switches = static_cast<std::uint32_t>(switches.size());
    failure.story = found + "It fails only after the schedules before it, in the same process.\n" +
                    "To do it again: GORO_SEEDS=" + std::to_string(failure.seed) + " " +
                    program_invocation_name + "\n";
    return failure;
  }
  switches = shorten(&explorer, failure.seed, first, std::move(switches));
  const Ended told = explorer.replay(failure.seed, switches, true);
  failure.switches = static_cast<std::uint32_t>(switches.size());
  // What is told may run on a little differently: its telling looks at words that others change.
  if (told.same_as(first)) failure.what = what_went_wrong(told, report);
  failure.story = found + "The shortest schedule found that fails has " +
                  std::to_string(failure.switches) + " unforced " +
                  (failure.switches == 1 ? "switch" : "switches") + ":\n" + tell_story(report) +
                  replay;
  return failure;
}

void explore(const Exploration& options, const std::function<void()>& body) {
  if (const auto failure = find_failure(options, body)) ADD_FAILURE() << failure->text();
}

std::uint64_t fingerprint(std::uint64_t seed, const std::function<void()>& body) {
  Explorer explorer(body, 0);
  if (explorer.explore(seed, seed).failed()) return 0;
  return explorer.report().fingerprint;
}

void fail(const std::string& what) {
  end(Outcome::failed, what);
}

}  // namespace goro::sim

#endif
