// main() of every test program: GoogleTest, which tells whoever grades what comes of each test.
// Where nobody grades, the program is an ordinary GoogleTest program. Either way a crash and a
// SIGQUIT print what is known.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "contracts/not_implemented.h"
#include "frame/dump.h"
#include "frame/end.h"
#include "frame/symbols.h"
#include "testing/private_line.h"
#include "testing/story.h"

namespace goro::testing {

namespace {

std::vector<std::string> steps;

std::string story() {
  if (steps.empty()) return "";
  std::string text = "What was done:\n";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    text += "  " + std::to_string(i + 1) + ". " + steps[i] + "\n";
  }
  return text;
}

std::string full_name(const ::testing::TestInfo& info) {
  return std::string(info.test_suite_name()) + "." + info.name();
}

class Reporter : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo& info) override {
    steps.clear();
    failures_.clear();
    tell("\"event\":\"start\",\"test\":" + json_string(full_name(info)));
  }

  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed()) return;
    failures_ += result.message();
    failures_ += "\n";
    if (private_line() < 0 && !steps.empty()) {
      std::fputs(story().c_str(), stderr);
    }
  }

  void OnTestEnd(const ::testing::TestInfo& info) override {
    const bool passed = info.result()->Passed() && !info.result()->Skipped();
    tell("\"event\":\"complete\",\"test\":" + json_string(full_name(info)) + ",\"passed\":" +
         (passed ? "true" : "false") + ",\"message\":" + json_string(passed ? "" : failures_));
  }

  std::string failures_;
};

void on_not_implemented(int lab, int step, const char* function) {
  tell("\"event\":\"not_implemented\",\"lab\":" + std::to_string(lab) + ",\"step\":" +
       std::to_string(step) + ",\"function\":" + json_string(function == nullptr ? "" : function));
}

// The process ends in the middle of a test: what the grader was told step by step.
void tell_story() {
  TextSink err(STDERR_FILENO);
  if (private_line() < 0 && !steps.empty()) {
    err.put("What was done:\n");
    for (std::size_t i = 0; i < steps.size(); ++i) {
      err.put("  ").number(i + 1).put(". ").put(steps[i].c_str()).put("\n");
    }
  }
  if (tell_more != nullptr) tell_more(&err);
}

// A crash may have happened anywhere, in malloc too: only what needs no heap. What is most likely
// to work comes first.
void on_crash(int signal, siginfo_t*, void*) {
  dump_in_signal = true;
  Backtrace trace;
  capture_backtrace(&trace);
  if (private_line() >= 0) {
    TextSink out(private_line());
    out.put("{\"nonce\":\"").put(private_line_nonce()).put("\",\"event\":\"crash\",\"signal\":");
    out.number(static_cast<std::uint64_t>(signal)).put(",\"message\":\"\",\"frames\":[");
    for (int i = 0; i < trace.count; ++i) {
      const Symbol symbol = find_symbol(trace.pc[i] - 1);
      out.put(i == 0 ? "\"" : ",\"").hex(trace.pc[i]).put(" ");
      out.put(symbol.file != nullptr ? symbol.file : "?").put("+");
      out.hex(trace.pc[i] - 1 - symbol.base).put("\"");
    }
    out.put("]}\n");
  }
  tell_story();
  {
    TextSink err(STDERR_FILENO);
    err.put("signal ").number(static_cast<std::uint64_t>(signal)).put("\n").flush();
    print_backtrace(&err, trace);
  }
  std::signal(signal, SIG_DFL);
  raise(signal);
}

// While goro::run is active, its own handler dumps the scheduler; this is for the time outside.
void on_quit(int, siginfo_t*, void*) {
  dump_in_signal = true;
  Backtrace trace;
  capture_backtrace(&trace);
  tell_story();
  TextSink err(STDERR_FILENO);
  err.put("SIGQUIT: quit\n\nno runtime is running; this thread is at\n");
  print_backtrace(&err, trace);
  err.flush();
  _exit(2);
}

void install(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

void install_handlers() {
  constexpr std::size_t kSignalStack = std::size_t{128} << 10;
  static char signal_stack[kSignalStack];
  stack_t own{};
  own.ss_sp = signal_stack;
  own.ss_size = kSignalStack;
  sigaltstack(&own, nullptr);
  install(SIGQUIT, on_quit);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP})
    install(signal, on_crash);
}

std::optional<std::uint64_t> seed_asked_for() {
  const char* text = std::getenv("GORO_SEED");
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 0);
}

}  // namespace

void (*tell_more)(TextSink* out) = nullptr;

void step(const std::string& text) {
  steps.push_back(text);
  tell("\"event\":\"step\",\"text\":" + json_string(text));
}

std::uint64_t seed() {
  const std::uint64_t chosen = seed_asked_for().value_or(std::random_device{}());
  step("random values of the seed " + std::to_string(chosen) + " (" + again_with(chosen) + ")");
  return chosen;
}

std::vector<std::uint64_t> seeds_up_to(std::uint64_t n) {
  if (const auto asked_for = seed_asked_for()) return {*asked_for};
  std::vector<std::uint64_t> seeds(n);
  std::iota(seeds.begin(), seeds.end(), 1);
  return seeds;
}

std::string again_with(std::uint64_t seed) {
  const std::string number = std::to_string(seed);
  return "again with --seed " + number + ", by hand with GORO_SEED=" + number;
}

}  // namespace goro::testing

// An abandoned goroutine's destructors do not run, as in Go: what its frames own is left behind by
// design.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}

// At its end a process waits a second for races of threads that still run. Ours have been joined by
// then, or the test is about how the process ends.
extern "C" const char* __tsan_default_options() {
  return "atexit_sleep_ms=0";
}

int main(int argc, char** argv) {
  using namespace goro::testing;
  ::testing::InitGoogleTest(&argc, argv);
  goro::symbols_init();
  install_handlers();
  goro_on_not_implemented = on_not_implemented;
  goro_before_end = tell_story;
  ::testing::UnitTest::GetInstance()->listeners().Append(new Reporter);
  return RUN_ALL_TESTS();
}
