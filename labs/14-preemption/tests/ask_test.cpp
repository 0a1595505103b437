// Step 1: a signal to the thread, but not more than one. The thread is the test's own: it has taken
// a signal before tgkill returns.
#include <csignal>
#include <cstdlib>

#include "frame/settings.h"
#include "support.h"

namespace goro::testing {
namespace {

volatile std::sig_atomic_t signals_taken = 0;

// Counts SIGURG instead of stopping anybody.
class CountSignals {
 public:
  CountSignals() {
    signals_taken = 0;
    struct sigaction count {};
    count.sa_handler = [](int) { signals_taken = signals_taken + 1; };
    sigaction(SIGURG, &count, &before_);
  }
  ~CountSignals() { sigaction(SIGURG, &before_, nullptr); }
  CountSignals(const CountSignals&) = delete;
  CountSignals& operator=(const CountSignals&) = delete;

  [[nodiscard]] static int taken() { return signals_taken; }

 private:
  struct sigaction before_ {};
};

// A goroutine that runs on the test's thread, with no signal on its way.
struct Runs : InterruptedG {
  Runs() {
    m()->signal_pending.store(false);
    m()->tid.store(::gettid());
  }
  CountSignals signals;
};

TEST(Ask, SendsASignalToTheThread) {
  Runs runs;
  GORO_STEP("preempt_m for an M that runs a goroutine");
  preempt_m(runs.m());
  EXPECT_EQ(CountSignals::taken(), 1) << "the M's thread must get one SIGURG";
  EXPECT_TRUE(runs.m()->signal_pending.load())
      << "signal_pending stays up until the handler takes it down";
}

TEST(Ask, OneSignalIsOnItsWayAtATime) {
  Runs runs;
  GORO_STEP("preempt_m three times, while no handler takes signal_pending down");
  for (int i = 0; i < 3; ++i) preempt_m(runs.m());
  EXPECT_EQ(CountSignals::taken(), 1)
      << "while a signal is on its way (signal_pending), no other must be sent";
  GORO_STEP("the handler has taken signal_pending down; preempt_m again");
  runs.m()->signal_pending.store(false);
  preempt_m(runs.m());
  EXPECT_EQ(CountSignals::taken(), 2) << "now another signal must be sent";
}

TEST(Ask, NotAThreadInASystemCall) {
  Runs runs;
  GORO_STEP("the M's goroutine is in a system call; preempt_m");
  runs.g()->atomicstatus.store(static_cast<std::uint32_t>(GStatus::syscall));
  preempt_m(runs.m());
  EXPECT_EQ(CountSignals::taken(), 0)
      << "a signal would end the system call (EINTR), and its goroutine need not give way";
  EXPECT_FALSE(runs.m()->signal_pending.load()) << "nothing is on its way";
}

TEST(Ask, NotAnMThatRunsNobody) {
  Runs runs;
  GORO_STEP("an M that runs no goroutine; preempt_m");
  runs.m()->curg.store(nullptr);
  preempt_m(runs.m());
  EXPECT_EQ(CountSignals::taken(), 0) << "there is no goroutine to stop";
  GORO_STEP("an M whose thread is not there (yet, or any more); preempt_m");
  runs.m()->curg.store(runs.g());
  runs.m()->tid.store(0);
  preempt_m(runs.m());
  EXPECT_EQ(CountSignals::taken(), 0) << "there is no thread to send it to";
  EXPECT_FALSE(runs.m()->signal_pending.load())
      << "nothing is on its way; an M whose flag stays up is never asked again";
}

TEST(Ask, ASignalThatCannotBeSentIsNotOnItsWay) {
  Runs runs;
  GORO_STEP("preempt_m for a thread that does not exist");
  runs.m()->tid.store(0x7ffffffe);
  preempt_m(runs.m());
  EXPECT_FALSE(runs.m()->signal_pending.load())
      << "tgkill failed: no handler will take signal_pending down, so it must not stay up";
}

TEST(Ask, OffMeansNoSignals) {
  Runs runs;
  GORO_STEP("GORO_DEBUG=asyncpreemptoff=1; preempt_m");
  setenv("GORO_DEBUG", "asyncpreemptoff=1", 1);
  settings_read_again();
  preempt_m(runs.m());
  EXPECT_EQ(CountSignals::taken(), 0) << "async_preempt_is_off() says that nobody wants signals";
  unsetenv("GORO_DEBUG");
  settings_read_again();
}

}  // namespace
}  // namespace goro::testing
