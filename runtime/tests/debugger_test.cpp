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

#if GORO_CHAINED_STACKS
constexpr int kSeamsForGdb = 1000;

// A frame of which only one fits into a segment.
[[gnu::noinline]] int wait_beyond_seams(int seams, const goro::Channel<int>& ch) {
  volatile char room[40'000];
  asm volatile("" : : "r"(room) : "memory");
  room[0] = 1;
  if (seams == 0) return wait_for_a_value(ch);
  return wait_beyond_seams(seams - 1, ch) + room[0];
}

// What gdb is to look at; an ordinary test, too.
TEST(Debugged, OneWaitsBeyondSeams) {
  goro::run(
      [] {
        const goro::Channel<int> values;
        goro::WaitGroup group;
        group.go({.stack = goro::chained()}, [values] {
          EXPECT_EQ(wait_beyond_seams(kSeamsForGdb, values), kSeamsForGdb + 7);
        });
        for (int i = 0; i < 10; ++i) goro::yield();
        goro_test_stops_here();
        values.send(7);
        group.wait();
      },
      {.procs = 1});
}
#endif

std::string output_of(const std::string& command) {
  FILE* output = popen((command + " 2>&1").c_str(), "r");
  EXPECT_NE(output, nullptr);
  std::string text;
  std::array<char, 4096> block{};
  for (std::size_t n = 0; (n = fread(block.data(), 1, block.size(), output)) > 0;) {
    text.append(block.data(), n);
  }
  EXPECT_EQ(pclose(output), 0) << text;
  return text;
}

// gdb with our commands, before what it is to do with this program.
std::string gdb(const std::string& commands) {
  const auto runtime = std::filesystem::path(__FILE__).parent_path().parent_path();
  return "gdb -q -batch -iex 'set debuginfod enabled off' -x '" + runtime.string() +
         "/debugging/goro_gdb.py' " + commands;
}

std::string own_program() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

std::string in_gdb(const std::string& commands, const std::string& test = "TwoWaitAndOneRuns") {
  return output_of(gdb("-ex 'break goro_test_stops_here' -ex run " + commands + " --args '" +
                       own_program() + "' --gtest_filter=Debugged." + test));
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

#if GORO_CHAINED_STACKS
int count_of(const std::string& text, const std::string& what) {
  int count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++count;
  return count;
}

// A process, and what is left of it in a core file, where no register can be changed.
TEST(Debugger, WalksThroughAThousandSeams) {
  const std::string core = ::testing::TempDir() + "goro_core." + std::to_string(getpid());
  const std::string live =
      in_gdb("-ex 'goroutine 2 bt' -ex 'generate-core-file " + core + "'", "OneWaitsBeyondSeams");
  const std::string dead = output_of(
      gdb("-ex 'info goroutines' -ex 'goroutine 2 bt' '" + own_program() + "' '" + core + "'"));
  std::filesystem::remove(core);
  for (const std::string& text : {live, dead}) {
    EXPECT_HAS(text, "wait_for_a_value");
    EXPECT_GE(count_of(text, "wait_beyond_seams"), kSeamsForGdb + 1) << text;
    // Where every goroutine begins.
    EXPECT_HAS(text, "goro_gostart");
  }
  EXPECT_HAS(dead, "  2     [chan receive]");
}
#endif

}  // namespace

#endif
