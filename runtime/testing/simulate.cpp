#include "testing/simulate.h"

#if GORO_SIMULATE

#include <gtest/gtest.h>

#include <cxxabi.h>

#include <cerrno>
#include <cstdlib>

#include "contracts/not_implemented.h"
#include "frame/symbols.h"
#include "testing/schedules.h"

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

// The functions between the signal and the simulator.
std::string where_it_happened(const Report& report) {
  std::string text;
  for (int i = 0; i < report.frames; ++i) {
    const Symbol symbol = find_symbol(report.pc[i] - 1);
    if (symbol.name == nullptr) {
      text.clear();  // the system's, which called the signal handler
      continue;
    }
    char* plain = abi::__cxa_demangle(symbol.name, nullptr, nullptr, nullptr);
    const std::string name = plain != nullptr ? plain : symbol.name;
    std::free(plain);
    if (name.rfind("goro::sim::", 0) == 0 && i > 2) break;
    text += "  in " + name + "\n";
  }
  return text;
}

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
