// lock_os_thread: a goroutine keeps its thread, and takes it along when it ends.
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "contracts/getg.h"
#include "contracts/model.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"
#include "tests/under_lock.h"

namespace {

using goro::testing::ChildEnd;
using goro::testing::in_child;
using goro::testing::under_lock;

TEST(LockOsThread, KeepsItsThread) {
  for (const int procs : {1, 2, 4}) {
    std::atomic<int> moved{0};
    goro::run(
        [&] {
          goro::WaitGroup group;
          for (int i = 0; i < 8; ++i) {
            group.go([m = &moved, i] {
              if (i % 2 == 0) goro::lock_os_thread();
              const pid_t thread = gettid();
              for (int n = 0; n < 200; ++n) {
                goro::yield();
                if (i % 2 == 0 && gettid() != thread) m->fetch_add(1);
                if (n % 50 == 0) goro::system_call([] { ::usleep(50); });
                if (i % 2 == 0 && gettid() != thread) m->fetch_add(1);
              }
              if (i % 2 == 0) goro::unlock_os_thread();
            });
          }
          group.wait();
        },
        {.procs = procs});
    EXPECT_EQ(moved.load(), 0) << "with " << procs << " Ps";
  }
}

TEST(LockOsThread, NobodyElseRunsOnItsThread) {
  std::atomic<int> others{0};
  goro::run(
      [&] {
        goro::WaitGroup group;
        std::atomic<pid_t> locked{0};
        std::atomic<bool> done{false};
        group.go([l = &locked, d = &done] {
          goro::lock_os_thread();
          l->store(gettid());
          for (int n = 0; n < 500; ++n) goro::yield();
          d->store(true);
          goro::unlock_os_thread();
        });
        while (locked.load() == 0) goro::yield();
        for (int i = 0; i < 4; ++i) {
          group.go([l = &locked, d = &done, o = &others] {
            while (!d->load()) {
              if (gettid() == l->load() && !d->load()) o->fetch_add(1);
              goro::yield();
            }
          });
        }
        group.wait();
      },
      {.procs = 3});
  EXPECT_EQ(others.load(), 0);
}

TEST(LockOsThread, Nests) {
  bool still_locked = false;
  bool unlocked = false;
  auto is_locked = [] {
    return goro::on_system_stack([] { return goro::getm()->lockedg != nullptr; });
  };
  goro::run([&] {
    goro::WaitGroup group;
    group.go([s = &still_locked, u = &unlocked, is_locked] {
      goro::lock_os_thread();
      goro::lock_os_thread();
      goro::unlock_os_thread();
      *s = is_locked();
      goro::unlock_os_thread();
      goro::unlock_os_thread();  // one too many: nothing
      *u = !is_locked();
    });
    group.wait();
  });
  EXPECT_TRUE(still_locked);
  EXPECT_TRUE(unlocked);
}

TEST(LockOsThread, EndingWhileLockedEndsTheThread) {
  std::int64_t threads_before = 0;
  std::int64_t threads_after = 0;
  goro::run(
      [&] {
        goro::WaitGroup group;
        for (int round = 0; round < 50; ++round) {
          group.go([] {
            goro::lock_os_thread();
            goro::yield();
          });
          group.wait();
          if (round == 5) threads_before = under_lock(goro::sched.mcount);
        }
        threads_after = under_lock(goro::sched.mcount);
      },
      {.procs = 2});
  EXPECT_LE(threads_after, threads_before + 3) << "threads that ended are still counted";
}

TEST(LockOsThread, ALockedGoroutineThatWaitsForEverIsADeadlock) {
  const ChildEnd end = in_child([] {
    goro::run(
        [] {
          const goro::Channel<int> ch;
          goro::go([ch] {
            goro::lock_os_thread();
            ch.receive();
          });
          ch.receive();
        },
        {.procs = 2});
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_NE(end.err.find("fatal error: all goroutines are asleep - deadlock!\n"), std::string::npos)
      << end.err;
  EXPECT_NE(end.err.find("goroutine 2 [chan receive, locked to thread]:\n"), std::string::npos)
      << end.err;
}

TEST(LockOsThread, RunReturnsWhileLockedOnesWait) {
  for (int round = 0; round < 30; ++round) {
    const int result = goro::run(
        [] {
          const goro::Channel<int> never;
          std::atomic<int> locked{0};
          for (int i = 0; i < 4; ++i) {
            goro::go([never, l = &locked] {
              goro::lock_os_thread();
              l->fetch_add(1);
              never.receive();
            });
          }
          while (locked.load() < 4) goro::yield();
          return 3;
        },
        {.procs = 2});
    ASSERT_EQ(result, 3);
  }
}

TEST(LockOsThread, OutsideOfRunThrowsPanic) {
  EXPECT_THROW(goro::lock_os_thread(), goro::Panic);
  EXPECT_THROW(goro::unlock_os_thread(), goro::Panic);
}

}  // namespace
