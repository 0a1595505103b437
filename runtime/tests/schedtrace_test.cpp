// GORO_DEBUG=schedtrace: Go's lines.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "frame/settings.h"
#include "goro/goro.h"
#include "testing/story.h"
#include "tests/child.h"

namespace {

using goro::testing::ChildEnd;
using goro::testing::in_child;

// The environment is read when a program starts, so the child starts this program anew, to run the
// one test below that is nothing without it.
ChildEnd traced(const char* debug) {
  return in_child([debug] {
    setenv("GORO_DEBUG", debug, 1);
    execl("/proc/self/exe", "runtime_tests", "--gtest_filter=SchedtraceChild.*", nullptr);
    _exit(127);
  });
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(SchedtraceChild, SleepsForAWhileInTwentyCalls) {
  goro::run(
      [] {
        goro::WaitGroup group;
        std::atomic<int> inside{0};
        for (int i = 0; i < 20; ++i) {
          group.go([in = &inside] {
            goro::system_call([in] {
              in->fetch_add(1);
              while (in->load() < 20) ::usleep(1'000);
              ::usleep(100'000);  // for sysmon to see all of them
            });
          });
        }
        group.wait();
      },
      {.procs = 2});
}

TEST(Schedtrace, PrintsGosLine) {
  const ChildEnd end = traced("schedtrace=5");
  const std::regex form(
      R"(SCHED \d+ms: gomaxprocs=2 idleprocs=\d+ threads=\d+ spinningthreads=\d+ needspinning=[01] idlethreads=\d+ runqueue=\d+ \[\d+ \d+\])");
  int lines = 0;
  int most_threads = 0;
  for (const std::string& line : lines_of(end.err)) {
    if (line.rfind("SCHED", 0) != 0) continue;
    EXPECT_TRUE(std::regex_match(line, form)) << line;
    if (lines++ == 0) {
      EXPECT_EQ(line.rfind("SCHED 0ms: ", 0), 0U) << "the first line is due at once: " << line;
    }
    most_threads = std::max(most_threads, std::stoi(line.substr(line.find("threads=") + 8)));
  }
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_GE(lines, 2) << end.err;
  EXPECT_GE(most_threads, 20) << "twenty calls keep twenty threads:\n" << end.err;
}

TEST(Schedtrace, PrintsEveryPMAndGInDetail) {
  const ChildEnd end = traced("schedtrace=5,scheddetail=1");
  const std::regex head(
      R"(SCHED \d+ms: gomaxprocs=2 idleprocs=\d+ threads=\d+ spinningthreads=\d+ needspinning=[01] idlethreads=\d+ runqueue=\d+ gcwaiting=(true|false) nmidlelocked=-?\d+ stopwait=\d+ sysmonwait=(true|false))");
  const std::regex p(
      R"(  P\d+: status=[0-4] schedtick=\d+ syscalltick=\d+ m=(\d+|nil) runqsize=\d+ gfreecnt=\d+ timerslen=\d+)");
  const std::regex m(
      R"(  M\d+: p=(\d+|nil) curg=(\d+|nil) mallocing=0 throwing=0 preemptoff= locks=0 dying=0 spinning=(true|false) blocked=(true|false) lockedg=(\d+|nil))");
  const std::regex g(R"(  G\d+: status=\d+\([a-zA-Z. ()]*\) m=(\d+|nil) lockedm=(\d+|nil))");
  int seen[4] = {};
  for (const std::string& line : lines_of(end.err)) {
    const std::regex* const forms[] = {&head, &p, &m, &g};
    const char* const starts[] = {"SCHED", "  P", "  M", "  G"};
    for (int i = 0; i < 4; ++i) {
      if (line.rfind(starts[i], 0) != 0) continue;
      ++seen[i];
      EXPECT_TRUE(std::regex_match(line, *forms[i])) << line;
    }
  }
  EXPECT_EQ(end.status, 0) << end.err;
  for (const int count : seen) EXPECT_GE(count, 1) << end.err;
}

}  // namespace
