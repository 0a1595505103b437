// Schedules in processes of their own.
//
// A schedule may end its process in any way, so it never runs in the test's: a child is forked, and
// what it finds out goes through shared memory. One child explores until a schedule fails; the
// failing one is then replayed in children of its own. The child has one thread, as its parent has
// at that moment, so fork is safe.
#if GORO_SIMULATE

#include "testing/schedules.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <new>
#include <type_traits>

#include "contracts/not_implemented.h"
#include "frame/dump.h"
#include "frame/end.h"
#include "simulation/simulation.h"
#include "simulation/strategy.h"
#include "testing/private_line.h"
#include "testing/story.h"

namespace goro::sim {

namespace {

constexpr std::uint64_t kFirstLimit = 5'000'000;
constexpr std::uint64_t kLeastLimit = 100'000;
constexpr std::uint64_t kTimesExpected = 50;
// Of processor time, not of the clock: a loaded machine changes nothing.
constexpr time_t kSecondsWithoutEnd = 10;
constexpr int kExitSignal = 128;
constexpr std::size_t kMostOutput = std::size_t{16} << 10;

// In a child: where everything goes.
Report* child_report = nullptr;

void put_message(const char* text) {
  std::strncpy(child_report->message, text, sizeof(child_report->message) - 1);
}

// GoogleTest's expectations in the body.
class FirstFailure : public ::testing::EmptyTestEventListener {
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::string text;
    if (result.file_name() != nullptr) {
      const char* slash = std::strrchr(result.file_name(), '/');
      text = std::string(slash != nullptr ? slash + 1 : result.file_name()) + ":" +
             std::to_string(result.line_number()) + ": ";
    }
    end(Outcome::failed, text + result.message());
  }
};

void on_not_implemented(int lab, int step, const char* function) {
  child_report->outcome = Outcome::not_finished;
  child_report->lab = lab;
  child_report->step = step;
  if (function != nullptr) {
    std::strncpy(child_report->function, function, sizeof(child_report->function) - 1);
  }
}

void on_signal(int signal, siginfo_t*, void*) {
  active = false;
  dump_in_signal = true;
  child_report->outcome = signal == SIGVTALRM ? Outcome::hung : Outcome::crashed;
  child_report->signal = signal;
  put_message(signal == SIGVTALRM ? "A thread goes round in a loop in which no atomic is accessed."
                                  : strsignal(signal));
  Backtrace trace;
  capture_backtrace(&trace);
  for (int i = 0; i < trace.count && i < Report::kMostFrames; ++i) {
    child_report->pc[child_report->frames++] = trace.pc[i];
  }
  _exit(kExitSignal + signal);
}

void become_child(Report* report, int output) {
  child_report = report;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDERR_FILENO);
  dup2(output, STDOUT_FILENO);
  goro::testing::leave_private_line();
  goro_on_not_implemented = on_not_implemented;
  goro_before_end = nullptr;
  auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
  listeners.Append(new FirstFailure);
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGVTALRM}) {
    sigaction(signal, &action, nullptr);
  }
}

void limit_processor_time() {
  itimerval limit{};
  limit.it_value.tv_sec = kSecondsWithoutEnd;
  setitimer(ITIMER_VIRTUAL, &limit, nullptr);
}

void run_one(Report* report, const Plan& plan, std::uint64_t limit, bool tell,
             const std::function<void()>& body) {
  limit_processor_time();
  run_schedule(
      report, plan, limit, tell,
      [](void* arg) { (*static_cast<const std::function<void()>*>(arg))(); },
      const_cast<std::function<void()>*>(&body));
}

std::string read_all(int fd) {
  std::string text(kMostOutput, '\0');
  const ssize_t n = pread(fd, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

template <typename T>
T* shared() {
  void* at = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  return static_cast<T*>(at);  // all zero is a T without anything in it
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

bool Ended::same_as(const Ended& other) const {
  if (outcome != other.outcome || status != other.status) return false;
  // Ended by the runtime: by what it said.
  return outcome != Outcome::unfinished || first_line(output) == first_line(other.output);
}

Explorer::Explorer(std::function<void()> body, std::uint64_t most_steps)
    : body_(std::move(body)),
      most_steps_(most_steps),
      report_(shared<Report>()),
      switches_(shared<Schedule>()) {}

Explorer::~Explorer() {
  munmap(report_, sizeof(Report));
  munmap(switches_, sizeof(Schedule));
}

std::uint64_t Explorer::limit_for(std::uint64_t expected) const {
  return most_steps_ != 0 ? most_steps_ : std::max(kLeastLimit, expected * kTimesExpected);
}

template <typename F>
Ended Explorer::in_child(F&& work) {
  Ended ended;
  report_->finished = false;
  report_->outcome = Outcome::unfinished;
  report_->message[0] = '\0';
  report_->frames = 0;
  const int output = memfd_create("output", MFD_CLOEXEC);
  const pid_t child = fork();
  if (child == 0) {
    become_child(report_, output);
    work();
    report_->finished = true;
    _exit(0);
  }
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ended.output = read_all(output);
  close(output);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : kExitSignal + WTERMSIG(status);
  ended.outcome = report_->outcome;
  // Only a process that came to its end by itself has passed.
  if (child <= 0 || (ended.outcome == Outcome::passed && !report_->finished)) {
    ended.outcome = Outcome::unfinished;
  }
  return ended;
}

Ended Explorer::explore(std::uint64_t first, std::uint64_t last) {
  report_->explored = 0;
  limit_ = kFirstLimit;
  const Ended ended = in_child([&] {
    run_one(report_, Plan{}, most_steps_ != 0 ? most_steps_ : kFirstLimit, false, body_);
    const std::uint64_t expected = report_->steps;
    report_->explored = 1;
    for (std::uint64_t seed = std::max<std::uint64_t>(first, 1); seed <= last; ++seed) {
      run_one(report_, Plan{seed, expected, nullptr}, limit_for(expected), false, body_);
      ++report_->explored;
    }
  });
  limit_ = report_->explored == 0 ? kFirstLimit : limit_for(report_->longest);
  if (most_steps_ != 0) limit_ = most_steps_;
  return ended;
}

Ended Explorer::replay(std::uint64_t seed, const std::vector<Switch>& switches, bool tell) {
  switches_->count = std::min(static_cast<std::uint32_t>(switches.size()), Schedule::kMost);
  std::copy_n(switches.begin(), switches_->count, switches_->switches);
  return in_child([&] { run_one(report_, Plan{seed, 1, switches_}, limit_, tell, body_); });
}

Ended Explorer::search(std::uint64_t seed, int most_switches, std::uint64_t most_steps) {
  switches_->count = 0;
  return in_child([&] {
    std::uint64_t steps = 0;
    try_with_more(seed, most_switches, most_steps, &steps);
  });
}

bool Explorer::try_with_more(std::uint64_t seed, int more, std::uint64_t most_steps,
                             std::uint64_t* steps) {
  run_one(report_, Plan{seed, 1, switches_}, limit_, false, body_);
  *steps += report_->steps;
  if (*steps > most_steps) return false;
  if (more == 0) return true;
  const std::vector<std::uint32_t> steps_of(report_->steps_of,
                                            report_->steps_of + report_->threads);
  const auto threads = static_cast<std::uint16_t>(steps_of.size());
  Switch& added = switches_->switches[switches_->count++];
  for (std::uint16_t thread = 0; thread < threads; ++thread) {
    for (std::uint32_t step = 1; step <= steps_of[thread]; ++step) {
      for (std::uint16_t to = 0; to < threads; ++to) {
        if (to == thread) continue;
        added = {step, thread, to};
        if (!try_with_more(seed, more - 1, most_steps, steps)) return false;
      }
    }
  }
  --switches_->count;
  return true;
}

std::vector<Switch> Explorer::searched() const {
  return {switches_->switches, switches_->switches + switches_->count};
}

std::vector<Switch> Explorer::taken() const {
  return {report_->taken.switches, report_->taken.switches + report_->taken.count};
}

}  // namespace goro::sim

#endif
