// debugging/goro_gdb.py, in a real gdb. Not under an emulator, where gdb cannot run, nor where a
// sanitizer or the simulation changes what a goroutine's stack looks like.
#include "contracts/constants.h"

#if GORO_GROWABLE_STACKS && defined(__x86_64__) && !GORO_SIMULATE

#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include "goro/goro.h"

// For gdb to print.
extern "C" const goro::Channel<int>* goro_test_channel;
const goro::Channel<int>* goro_test_channel = nullptr;

namespace {

[[gnu::noinline]] int wait_for_a_value(const goro::Channel<int>& ch) {
  const int value = *ch.receive();
  asm volatile("");
  return value;
}

// gdb stops here.
extern "C" [[gnu::noinline]] void goro_test_stops_here() {
  asm volatile("" ::: "memory");
}

// What gdb is to look at; an ordinary test, too.
TEST(Debugged, TwoWaitAndOneRuns) {
  goro::run(
      [] {
        const goro::Channel<int> values;
        goro::Mutex mutex;
        goro::Mutex* m = &mutex;
        mutex.lock();
        goro::WaitGroup group;
        group.go([values] { EXPECT_EQ(wait_for_a_value(values), 7); });
        group.go([m] {
          m->lock();
          m->unlock();
        });
        for (int i = 0; i < 10; ++i) goro::yield();
        goro_test_channel = &values;
        goro_test_stops_here();
        values.send(7);
        mutex.unlock();
        group.wait();
      },
      {.procs = 1});
}

std::string in_gdb(const std::string& commands) {
  std::array<char, 4096> program{};
  const ssize_t length = readlink("/proc/self/exe", program.data(), program.size() - 1);
  EXPECT_GT(length, 0);
  const auto runtime = std::filesystem::path(__FILE__).parent_path().parent_path();
  const std::string command =
      "gdb -q -batch -iex 'set debuginfod enabled off' -x '" + runtime.string() +
      "/debugging/goro_gdb.py' -ex 'break goro_test_stops_here' -ex run " + commands + " --args " +
      program.data() + " --gtest_filter=Debugged.TwoWaitAndOneRuns 2>&1";
  FILE* output = popen(command.c_str(), "r");
  EXPECT_NE(output, nullptr);
  std::string text;
  std::array<char, 4096> block{};
  for (std::size_t n = 0; (n = fread(block.data(), 1, block.size(), output)) > 0;) {
    text.append(block.data(), n);
  }
  EXPECT_EQ(pclose(output), 0) << text;
  return text;
}

#define EXPECT_HAS(text, what) EXPECT_NE((text).find(what), std::string::npos) << (text)

TEST(Debugger, ListsGoroutinesAndWhatTheyWaitFor) {
  const std::string text = in_gdb("-ex 'info goroutines'");
  EXPECT_HAS(text, "* 1     [running]");
  EXPECT_HAS(text, "  2     [chan receive]");
  EXPECT_HAS(text, "wait_for_a_value");
  EXPECT_HAS(text, "  3     [sync mutex lock]");
}

TEST(Debugger, WalksTheStackOfOneThatWaits) {
  const std::string text = in_gdb("-ex 'goroutine 2 bt' -ex 'goroutine 77' -ex continue");
  EXPECT_HAS(text, "goroutine 2 [chan receive]:");
  EXPECT_HAS(text, "goro::chanrecv");
  EXPECT_HAS(text, "wait_for_a_value");
  EXPECT_HAS(text, "there is no goroutine 77");
  // The registers are the thread's own again: it goes on as if nothing had been.
  EXPECT_HAS(text, "[  PASSED  ] 1 test.");
}

TEST(Debugger, PrintsWhatIsInTheScheduler) {
  const std::string text =
      in_gdb("-ex 'print *goro_test_channel' -ex 'print **goro::allp._M_impl._M_start'");
  EXPECT_HAS(text, "channel, 0 of 0 values, receivers [G2], senders []");
  EXPECT_HAS(text, "P0 running, runnext none, LRQ []");
}

}  // namespace

#endif
