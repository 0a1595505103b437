// Whole programs: all three steps together, with everything else of the runtime from the course.
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "goro/goro.h"
#include "support.h"
#include "testing/gate.h"

namespace goro::testing {
namespace {

TEST(Program, OthersRunWhileOneIsBlocked) {
  GORO_STEP("one P: goroutine 2 blocks in read(); goroutine 1 must get the P to write");
  const Gate gate;
  std::atomic<bool> inside{false};
  bool done = false;
  goro::run(
      [&] {
        const WaitGroup group;
        group.go([fd = gate.fds[0], in = &inside, out = &done] {
          system_call([fd, in] {
            in->store(true);
            read_one(fd);
          });
          *out = true;
        });
        while (!inside.load()) yield();  // goroutine 2 goes into read() with the only P
        gate.open(1);
        group.wait();
      },
      {.procs = 1});
  EXPECT_TRUE(done) << "goroutine 2 must come back from its call and go on";
}

// What the goroutine at the head of the GRQ looks like.
struct Head {
  std::uint64_t id = 0;
  std::uint32_t status = 0;
  bool has_m = false;
};

Head head_of_global_queue() {
  return on_system_stack([] {
    Head head;
    sched.lock.lock();
    if (G* gp = sched.runq.pop(); gp != nullptr) {
      head = {gp->goid, gp->atomicstatus.load(), gp->m.look() != nullptr};
      sched.runq.push_front(gp);
    }
    sched.lock.unlock();
    return head;
  });
}

TEST(Program, WhoFindsNoPWaitsInTheGlobalQueue) {
  GORO_STEP(
      "one P: goroutine 2 comes back from read() while goroutine 1 runs, and waits for it to "
      "show up in the GRQ (a test that ends by its time limit waited in vain)");
  const Gate gate;
  Head head;
  std::atomic<bool> inside{false};
  std::atomic<bool> done{false};
  goro::run(
      [&] {
        const WaitGroup group;
        group.go([fd = gate.fds[0], in = &inside, out = &done] {
          system_call([fd, in] {
            in->store(true);
            read_one(fd);
          });
          out->store(true);
        });
        while (!inside.load()) yield();
        gate.open(1);
        while (sched.runqsize.load() == 0 && !done.load()) {
        }
        head = head_of_global_queue();
        group.wait();
      },
      {.procs = 1});
  // If goroutine 1 had to give way just then, goroutine 2 has run already.
  if (head.id == 2) {
    EXPECT_EQ(head.status, static_cast<std::uint32_t>(GStatus::runnable))
        << "who is in a queue is runnable";
    EXPECT_FALSE(head.has_m) << "the M must have let go of it (dropg): any other may run it now";
  }
  EXPECT_TRUE(done.load()) << "goroutine 2 must run from there";
}

// Is mp on the list of Ms that any P may be given to?
bool is_idle(const M* mp) {
  bool found = false;
  on_system_stack([&] {
    sched.lock.lock();
    for (const M* idle = sched.midle; idle != nullptr; idle = idle->schedlink) found |= idle == mp;
    sched.lock.unlock();
  });
  return found;
}

TEST(Program, ALockedGoroutineComesBackToItsThread) {
  GORO_STEP(
      "one P: goroutine 2 is locked to its thread, and comes back from read() while "
      "goroutine 1 has the P");
  const Gate gate;
  pthread_t before{};
  pthread_t after{};
  std::atomic<bool> inside{false};
  std::atomic<bool> done{false};
  std::atomic<M*> its_m{nullptr};
  bool seen_idle = false;
  goro::run(
      [&] {
        const WaitGroup group;
        group.go([fd = gate.fds[0], b = &before, a = &after, in = &inside, d = &done, m = &its_m] {
          lock_os_thread();
          m->store(getm());
          system_call([fd, b, in] {
            *b = pthread_self();
            in->store(true);
            read_one(fd);
          });
          system_call([a] { *a = pthread_self(); });
          unlock_os_thread();
          d->store(true);
        });
        while (!inside.load()) yield();
        gate.open(1);
        while (sched.runqsize.load() == 0 && !done.load()) {
        }
        // It sleeps now, or is about to.
        while (!its_m.load()->blocked && !done.load()) {
        }
        seen_idle = is_idle(its_m.load());
        group.wait();
      },
      {.procs = 1});
  EXPECT_FALSE(seen_idle)
      << "the thread of a goroutine that is locked to thread may run nothing else: it waits for "
         "its goroutine (stoplockedm), not on the list of idle Ms";
  EXPECT_NE(pthread_equal(before, after), 0)
      << "the goroutine is locked to its thread, and must go on there (stoplockedm)";
}

TEST(Program, AComputingGoroutineGivesWay) {
  GORO_STEP("one P: goroutine 2 computes until goroutine 1 has run again");
  std::atomic<bool> computes{false};
  std::atomic<bool> stop{false};
  goro::run(
      [&] {
        const WaitGroup group;
        group.go([c = &computes, s = &stop] {
          c->store(true);
          while (!s->load()) num_cpu();
        });
        while (!computes.load()) yield();
        stop.store(true);
        group.wait();
      },
      {.procs = 1});
  EXPECT_TRUE(stop.load())
      << "goroutine 1 must run again, though goroutine 2 never stops by itself";
}

TEST(Program, SysmonRestsWhenEverybodyDoes) {
  GORO_STEP(
      "the only goroutine blocks in a call until sysmon sleeps for good (a test that ends by "
      "its time limit waited in vain: the P must be taken, and sysmonwait set)");
  bool rests = false;
  goro::run(
      [&] {
        system_call([&] {
          while (!sched.sysmonwait.load()) ::usleep(100);
          rests = true;
        });
      },
      {.procs = 2});
  EXPECT_TRUE(rests) << "an idle program costs nothing: sysmon must sleep when all Ps are idle";
}

TEST(Program, SysmonIsAwakeWhenATimerIsDue) {
  GORO_STEP("one P: all sleep, sysmon too, until a timer wakes goroutine 2");
  GORO_STEP(
      "goroutine 2 makes goroutine 1 runnable, and computes until that has run (a test that ends "
      "by "
      "its time limit waited in vain: sysmon slept past the timer)");
  std::atomic<bool> stop{false};
  goro::run(
      [&] {
        const Channel<int> woken(1);
        const WaitGroup group;
        group.go([woken, s = &stop] {
          sleep(std::chrono::milliseconds(100));
          woken.send(1);
          while (!s->load()) num_cpu();
        });
        woken.receive();
        stop.store(true);
        group.wait();
      },
      {.procs = 1});
  EXPECT_TRUE(stop.load()) << "goroutine 1 must run again when goroutine 2's time slice is over";
}

TEST(Program, FiftyBlockedGoroutinesComeBack) {
  constexpr int kBlocked = 50;
  GORO_STEP("two Ps: ", kBlocked, " goroutines are blocked at the same time, in three rounds");
  const Gate gate;
  std::vector<int> times(kBlocked);
  goro::run(
      [&] {
        for (int round = 0; round < 3; ++round) {
          const WaitGroup group;
          std::atomic<int> inside{0};
          for (int& mine : times) {
            group.go([fd = gate.fds[0], in = &inside, out = &mine] {
              system_call([fd, in] {
                in->fetch_add(1);
                read_one(fd);
              });
              ++*out;
            });
          }
          while (inside.load() < kBlocked) yield();
          gate.open(kBlocked);
          group.wait();
        }
      },
      {.procs = 2});
  for (const int n : times) {
    ASSERT_EQ(n, 3) << "each goroutine must come back from each call, once";
  }
}

TEST(Program, TheWorldStopsAroundThoseInCalls) {
  GORO_STEP("two goroutines are blocked in read() while goroutine 1 changes the number of Ps");
  const Gate gate;
  int before = 0;
  int done = 0;
  goro::run(
      [&] {
        const WaitGroup group;
        std::atomic<int> inside{0};
        std::atomic<int> back{0};
        for (int i = 0; i < 2; ++i) {
          group.go([fd = gate.fds[0], in = &inside, out = &back] {
            system_call([fd, in] {
              in->fetch_add(1);
              read_one(fd);
            });
            out->fetch_add(1);
          });
        }
        while (inside.load() < 2) yield();
        for (const int procs : {4, 1, 3, 2}) max_procs(procs);
        before = back.load();
        gate.open(2);
        group.wait();
        done = back.load();
      },
      {.procs = 2});
  EXPECT_EQ(before, 0) << "the calls cannot have ended before the pipe was written to";
  EXPECT_EQ(done, 2) << "both must come back, to whatever Ps there are then";
}

TEST(FourProcessors, EveryCallComesBackToItsGoroutine) {
  constexpr int kGoroutines = 40;
  constexpr int kCalls = 25;
  GORO_STEP("four Ps: ", kGoroutines, " goroutines make ", kCalls,
            " calls each, short ones and some of 200 microseconds, and count in plain memory");
  struct Count {
    int in_calls = 0;
    int outside = 0;
  };
  std::vector<Count> counts(kGoroutines);
  goro::run(
      [&] {
        const WaitGroup group;
        for (Count& mine : counts) {
          group.go([out = &mine] {
            for (int n = 0; n < kCalls; ++n) {
              system_call([out, n] {
                ++out->in_calls;
                if (n % 5 == 0) ::usleep(200);
              });
              ++out->outside;
            }
          });
        }
        group.wait();
      },
      {.procs = 4});
  for (const Count& count : counts) {
    ASSERT_EQ(count.in_calls, kCalls) << "each call must be made once";
    ASSERT_EQ(count.outside, kCalls) << "a goroutine was run by two Ms at once, or lost";
  }
}

}  // namespace
}  // namespace goro::testing
