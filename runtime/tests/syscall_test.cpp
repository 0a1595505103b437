// system_call as a program sees it: results, exceptions, errno, threads, and the end of a run.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "contracts/model.h"
#include "frame/kept_pages.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/gate.h"
#include "testing/story.h"
#include "tests/under_lock.h"

namespace {

using goro::testing::ChildEnd;
using goro::testing::Gate;
using goro::testing::in_child;
using goro::testing::read_one;
using goro::testing::under_lock;

// The number of threads of this process.
int threads_now() {
  std::FILE* file = std::fopen("/proc/self/status", "re");
  char line[256];
  int threads = 0;
  while (file != nullptr && std::fgets(line, sizeof(line), file) != nullptr) {
    if (std::sscanf(line, "Threads: %d", &threads) == 1) break;
  }
  if (file != nullptr) std::fclose(file);
  return threads;
}

TEST(SystemCall, ReturnsWhatTheFunctionReturns) {
  int number = 0;
  int seen = 0;
  std::unique_ptr<int> pointer;
  std::string what;
  goro::run([&] {
    goro::WaitGroup group;
    int* n = &number;
    int* s = &seen;
    auto* p = &pointer;
    auto* w = &what;
    group.go([n, s, p, w] {
      int local = 5;
      *n = goro::system_call([&] { return local + 1; });
      goro::system_call([&] { *s = local; });
      *p = goro::system_call([] { return std::make_unique<int>(7); });
      try {
        goro::system_call([] { throw std::runtime_error("from the call"); });
      } catch (const std::runtime_error& error) {
        *w = error.what();
      }
    });
    group.wait();
  });
  EXPECT_EQ(number, 6);
  EXPECT_EQ(seen, 5);
  ASSERT_NE(pointer, nullptr);
  EXPECT_EQ(*pointer, 7);
  EXPECT_EQ(what, "from the call");
}

TEST(SystemCall, OutsideOfRunIsAnOrdinaryCall) {
  EXPECT_EQ(goro::system_call([] { return 3; }), 3);
}

TEST(SystemCall, ErrnoIsTheCallsOnWhateverThreadTheGoroutineGoesOn) {
  constexpr int kGoroutines = 50;
  std::atomic<int> wrong{0};
  goro::run(
      [&] {
        goro::WaitGroup group;
        auto* bad = &wrong;
        for (int i = 0; i < kGoroutines; ++i) {
          group.go([i, bad] {
            for (int n = 0; n < 20; ++n) {
              const int mine = 1 + (i + n) % 100;
              goro::system_call([mine] {
                ::usleep(100);
                errno = mine;
              });
              if (goro::last_error() != mine) bad->fetch_add(1);
            }
          });
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(wrong.load(), 0);
}

TEST(SystemCall, OthersRunWhileOneIsBlocked) {
  GORO_STEP("one P; goroutine 2 blocks in read() until goroutine 1 writes");
  const Gate gate;
  std::atomic<bool> inside{false};
  bool done = false;
  goro::run(
      [&] {
        goro::WaitGroup group;
        const int fd = gate.fds[0];
        bool* out = &done;
        auto* in_call = &inside;
        group.go([fd, in_call, out] {
          goro::system_call([fd, in_call] {
            in_call->store(true);
            read_one(fd);
          });
          *out = true;
        });
        while (!inside.load()) goro::yield();
        gate.open(1);
        group.wait();
      },
      {.procs = 1});
  EXPECT_TRUE(done);
}

TEST(SystemCall, AsManyThreadsAsAreBlockedAndThenTheyAreUsedAgain) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  constexpr int kBlocked = 100;
#else
  constexpr int kBlocked = 1000;
#endif
  const Gate gate;
  int most = 0;
  std::int64_t after_first = 0;
  std::int64_t after_third = 0;
  goro::run(
      [&] {
        for (int round = 0; round < 3; ++round) {
          GORO_STEP(kBlocked, " goroutines block, round ", round + 1);
          goro::WaitGroup group;
          std::atomic<int> inside{0};
          auto* count = &inside;
          const int fd = gate.fds[0];
          for (int i = 0; i < kBlocked; ++i) {
            group.go([fd, count] {
              goro::system_call([fd, count] {
                count->fetch_add(1);
                read_one(fd);
              });
            });
          }
          while (inside.load() < kBlocked) goro::yield();
          most = std::max(most, threads_now());
          gate.open(kBlocked);
          group.wait();
          if (round == 0) after_first = under_lock(goro::sched.mnext);
          after_third = under_lock(goro::sched.mnext);
        }
      },
      {.procs = 2});
  EXPECT_GE(most, kBlocked) << "each blocked goroutine keeps a thread";
  EXPECT_LE(after_third, after_first + 10) << "the threads of the first round were there already";
}

TEST(SystemCall, ThreadsThatAreBlockedDoNotCountAsDeadlock) {
  const Gate gate;
  std::thread opener([&] {
    while (threads_now() < 3) std::this_thread::yield();
    gate.open(1);
  });
  int result = 0;
  goro::run(
      [&] {
        const goro::Channel<int> ch;
        const int fd = gate.fds[0];
        goro::go([ch, fd] {
          goro::system_call([fd] { read_one(fd); });
          ch.send(4);
        });
        result = *ch.receive();
      },
      {.procs = 1});
  opener.join();
  EXPECT_EQ(result, 4);
}

TEST(SystemCall, WhoComesBackToADeadlockReportsIt) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      const goro::Channel<int> ch;
      goro::go([ch] {
        goro::system_call([] { ::usleep(30'000); });
        ch.receive();
      });
      ch.receive();
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("fatal error: all goroutines are asleep - deadlock!\n")) << end.err;
}

TEST(SystemCall, RunReturnsWhileOthersAreInsideAndTheyFinishTheirCalls) {
  constexpr int kInside = 20;
  const Gate gate;
  const int before = threads_now();
  std::atomic<int> entered{0};
  std::atomic<int> finished{0};
  std::atomic<int> went_on{0};
  goro::run(
      [&] {
        goro::lock_os_thread();  // no call on run()'s own thread, which it would wait for
        for (int i = 0; i < kInside; ++i) {
          goro::go([fd = gate.fds[0], in = &entered, out = &finished, on = &went_on] {
            int local[64] = {};
            goro::system_call([&] {
              in->fetch_add(1);
              read_one(fd);
              for (int& value : local) value = 9;
              out->fetch_add(local[7] == 9 ? 1 : 0);
            });
            on->fetch_add(1);
          });
        }
        while (entered.load() < kInside) goro::yield();
      },
      {.procs = 2});
  EXPECT_EQ(finished.load(), 0);
  GORO_STEP("another run, while ", kInside, " threads of the first are in their calls");
  std::atomic<int> sum{0};
  goro::run(
      [&] {
        goro::WaitGroup group;
        for (int i = 0; i < 1000; ++i) group.go([out = &sum] { out->fetch_add(1); });
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(sum.load(), 1000);
  gate.open(kInside);
  while (threads_now() > before) std::this_thread::yield();
  EXPECT_EQ(finished.load(), kInside) << "each call is finished on its thread";
  EXPECT_EQ(went_on.load(), 0) << "and nothing after it";
}

TEST(SystemCall, RunWaitsForACallOnItsOwnThread) {
  // Which goroutine is on which thread is the scheduler's business: try until it is so.
  bool seen = false;
  for (int round = 0; round < 200 && !seen; ++round) {
    const Gate gate;
    const std::thread::id own = std::this_thread::get_id();
    std::atomic<bool> on_own{false};
    std::atomic<bool> inside{false};
    std::atomic<bool> finished{false};
    goro::run(
        [&] {
          goro::go([fd = gate.fds[0], own, o = &on_own, in = &inside, out = &finished] {
            goro::system_call([=] {
              o->store(std::this_thread::get_id() == own);
              in->store(true);
              read_one(fd);
              out->store(true);
            });
          });
          while (!inside.load()) goro::yield();
          gate.open(1);
        },
        {.procs = 2});
    seen = on_own.load();
    if (seen) {
      EXPECT_TRUE(finished.load()) << "run() returned before the call on its thread did";
    }
    while (!finished.load()) std::this_thread::yield();
  }
}

TEST(SystemCall, RunsWithCallsInsideDoNotGrow) {
  auto once = [] {
    std::atomic<int> entered{0};
    std::atomic<int> finished{0};
    const Gate gate;
    goro::run(
        [&] {
          goro::lock_os_thread();
          for (int i = 0; i < 4; ++i) {
            goro::go([fd = gate.fds[0], in = &entered, out = &finished] {
              goro::system_call([=] {
                in->fetch_add(1);
                read_one(fd);
                out->fetch_add(1);
              });
            });
          }
          while (entered.load() < 4) goro::yield();
        },
        {.procs = 2});
    gate.open(4);
    while (finished.load() < 4) std::this_thread::yield();
  };
  auto pages = [] {
    std::FILE* file = std::fopen("/proc/self/statm", "re");
    long resident = 0;
    if (file == nullptr || std::fscanf(file, "%*d %ld", &resident) != 1) resident = -1;
    if (file != nullptr) std::fclose(file);
    return resident;
  };
  const int before_threads = threads_now();
  for (int i = 0; i < 50; ++i) once();
  while (threads_now() > before_threads) std::this_thread::yield();
  const long before = pages();
  for (int i = 0; i < 100; ++i) once();
  while (threads_now() > before_threads) std::this_thread::yield();
  EXPECT_EQ(goro::kept_pages(), 0U) << "what an abandoned call kept was not given back";
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
  // Elsewhere an emulator or a sanitizer keeps memory of its own for every thread.
  EXPECT_LT(pages() - before, 500) << "each run keeps memory";
#else
  EXPECT_GT(before, 0);
#endif
}

TEST(SystemCall, TooManyThreadsAreFatal) {
  const ChildEnd end = in_child([] {
    goro::run(
        [] {
          goro::sched.maxmcount = 20;
          for (int i = 0; i < 100; ++i) {
            goro::go([] { goro::system_call([] { pause(); }); });
          }
          for (;;) goro::yield();
        },
        {.procs = 2});
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("runtime: program exceeds 20-thread limit\n")) << end.err;
  EXPECT_TRUE(end.says("fatal error: thread exhaustion\n")) << end.err;
}

TEST(SystemCall, ADumpShowsItAsSyscallWithWhoCalled) {
  const ChildEnd end = in_child([] {
    goro::run(
        [] {
          std::atomic<bool> inside{false};
          goro::go([in = &inside] {
            goro::system_call([in] {
              in->store(true);
              pause();
            });
          });
          while (!inside.load()) goro::yield();
          raise(SIGQUIT);
        },
        {.procs = 2});
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("goroutine 2 [syscall]:\n")) << end.err;
  EXPECT_FALSE(end.says("stack unavailable")) << end.err;
}

// Processor time of this process.
std::chrono::microseconds used() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

TEST(SystemCall, AnIdleRuntimeUsesNoProcessor) {
  std::chrono::microseconds spent{};
  goro::run(
      [&] {
        const goro::Channel<int> never;
        for (int i = 0; i < 100; ++i) goro::go([never] { never.receive(); });
        goro::yield();
        goro::system_call([] { ::usleep(50'000); });  // sysmon comes to rest
        const auto before = used();
        goro::system_call([] { ::usleep(500'000); });
        spent = used() - before;
      },
      {.procs = 4});
#if !defined(__SANITIZE_THREAD__)  // its own thread works
  EXPECT_LT(spent.count(), 25'000)
#else
  EXPECT_LT(spent.count(), 250'000)
#endif
      << "microseconds of processor time in half a second of rest";
}

TEST(SystemCall, AComputingGoroutineGivesWayAfterASlice) {
  GORO_STEP("one P: goroutine 2 computes until goroutine 1 has run again");
  std::atomic<bool> stop{false};
  goro::run(
      [&] {
        goro::WaitGroup group;
        group.go([s = &stop] {
          while (!s->load()) goro::num_cpu();
        });
        goro::yield();
        stop.store(true);
        group.wait();
      },
      {.procs = 1});
  EXPECT_TRUE(stop.load());
}

}  // namespace
