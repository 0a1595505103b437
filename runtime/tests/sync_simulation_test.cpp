// Whatever waits, in thousands of schedules: semaphores, mutexes, groups, conditions, timers.
#if GORO_SIMULATE

#include <chrono>

#include "contracts/services/clock.h"
#include "contracts/timers.h"
#include "goro/goro.h"
#include "testing/simulate.h"
#include "testing/story.h"

namespace goro::testing {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSeeds = 2500;

}  // namespace

TEST(SimulatedSync, AMutexKeepsOthersOut) {
  sim::explore({.seeds = kSeeds}, [] {
    int count = 0;
    run(
        [&] {
          Mutex mutex;
          Mutex* m = &mutex;
          int* c = &count;
          const WaitGroup group;
          for (int i = 0; i < 3; ++i) {
            group.go([=] {
              for (int n = 0; n < 2; ++n) {
                m->lock();
                const int seen = *c;
                GORO_SIMULATION_POINT("inside");
                *c = seen + 1;
                m->unlock();
              }
            });
          }
          group.wait();
        },
        {.procs = 2});
    EXPECT_EQ(count, 6) << "two were inside at the same time";
  });
}

TEST(SimulatedSync, StarvationModeIsLeftAgain) {
  sim::explore({.seeds = kSeeds}, [] {
    run(
        [&] {
          Mutex mutex;
          Mutex* m = &mutex;
          const WaitGroup group;
          for (int i = 0; i < 2; ++i) {
            group.go([=] {
              for (int n = 0; n < 2; ++n) {
                m->lock();
                sleep(2ms);
                m->unlock();
              }
            });
          }
          group.wait();
          if (!mutex.try_lock()) sim::fail("the mutex is not free at the end");
        },
        {.procs = 2});
  });
}

TEST(SimulatedSync, ASemaphoreLosesNoPermit) {
  sim::explore({.seeds = kSeeds}, [] {
    run(
        [&] {
          Semaphore permits(0);
          Semaphore* s = &permits;
          const WaitGroup group;
          for (int i = 0; i < 2; ++i) {
            group.go([=] {
              s->acquire();
              s->acquire();
            });
          }
          for (int i = 0; i < 2; ++i) {
            group.go([=] {
              s->release();
              s->release();
            });
          }
          group.wait();
          if (permits.try_acquire()) sim::fail("a permit is left");
        },
        {.procs = 2});
  });
}

TEST(SimulatedSync, AGroupWakesEveryWaiterOnce) {
  sim::explore({.seeds = kSeeds}, [] {
    int woken = 0;
    run(
        [&] {
          int* count = &woken;
          const WaitGroup work;
          const WaitGroup waiters;
          work.add(2);
          for (int i = 0; i < 2; ++i) {
            waiters.go([=] {
              work.wait();
              ++*count;
            });
          }
          go([work] { work.done(); });
          work.done();
          waiters.wait();
        },
        {.procs = 2});
    EXPECT_EQ(woken, 2);
  });
}

TEST(SimulatedSync, AConditionMissesNoSignal) {
  sim::explore({.seeds = kSeeds}, [] {
    int taken = 0;
    run(
        [&] {
          struct Shared {
            Mutex mutex;
            Cond cond{mutex};
            int items = 0;
            int taken = 0;
          } shared;
          Shared* s = &shared;
          const WaitGroup group;
          for (int i = 0; i < 2; ++i) {
            group.go([=] {
              s->mutex.lock();
              while (s->items == 0) s->cond.wait();
              --s->items;
              ++s->taken;
              s->mutex.unlock();
            });
          }
          for (int i = 0; i < 2; ++i) {
            s->mutex.lock();
            ++s->items;
            s->mutex.unlock();
            s->cond.signal();
          }
          group.wait();
          taken = shared.taken;
        },
        {.procs = 2});
    EXPECT_EQ(taken, 2);
  });
}

TEST(SimulatedSync, AWriterIsAlone) {
  sim::explore({.seeds = kSeeds}, [] {
    run(
        [&] {
          RWMutex mutex;
          RWMutex* m = &mutex;
          int inside = 0;
          int* in = &inside;
          const WaitGroup group;
          for (int i = 0; i < 2; ++i) {
            group.go([=] {
              m->lock_shared();
              if (*in < 0) sim::fail("a reader met a writer");
              ++*in;
              GORO_SIMULATION_POINT("reads");
              --*in;
              m->unlock_shared();
            });
          }
          group.go([=] {
            m->lock();
            if (*in != 0) sim::fail("a writer met somebody");
            *in = -100;
            GORO_SIMULATION_POINT("writes");
            *in = 0;
            m->unlock();
          });
          group.wait();
        },
        {.procs = 2});
  });
}

TEST(SimulatedTimers, EverySleeperWakesInTime) {
  sim::explore({.seeds = kSeeds}, [] {
    run(
        [&] {
          const WaitGroup group;
          for (int i = 1; i <= 3; ++i) {
            group.go([i] {
              const std::int64_t begin = nanotime();
              sleep(i * 1ms);
              const std::int64_t took = nanotime() - begin;
              if (took < i * 1'000'000) sim::fail("woken too early");
              // Nobody is busy for long here: only a timer that nobody looked at comes so late.
              if (took > i * 1'000'000 + 5'000'000) sim::fail("woken far too late");
            });
          }
          group.wait();
        },
        {.procs = 2});
  });
}

TEST(SimulatedTimers, AnEarlierTimerEndsTheSleepOfWhoeverWaits) {
  sim::explore({.seeds = kSeeds}, [] {
    run(
        [&] {
          const WaitGroup group;
          go([] { sleep(1h); });
          group.go([] {
            sleep(1ms);
            const std::int64_t begin = nanotime();
            sleep(1ms);
            if (nanotime() - begin > 50'000'000) sim::fail("woken far too late");
          });
          group.wait();
        },
        {.procs = 2});
  });
}

TEST(SimulatedTimers, StopAndFireAgree) {
  sim::explore({.seeds = kSeeds}, [] {
    int runs = 0;
    run(
        [&] {
          int* count = &runs;
          const Timer timer = after_func(1us, [count] { ++*count; });
          const Channel<int> stopped(1);
          go([timer, stopped] { stopped.send(timer.stop() ? 1 : 0); });
          const int was_set = *stopped.receive();
          sleep(1ms);
          if (*count + was_set != 1) sim::fail("it was stopped and ran, or neither");
        },
        {.procs = 2});
  });
}

TEST(SimulatedTimers, NothingStaleIsReceived) {
  sim::explore({.seeds = kSeeds}, [] {
    run(
        [&] {
          const Timer timer(1us);
          go([] { yield(); });
          yield();
          timer.stop();
          std::optional<time_point> time;
          if (timer.channel().try_receive(time)) sim::fail("received after stop");
          const time_point begin = now();
          timer.reset(1ms);
          if (*timer.channel().receive() < begin + 1ms) sim::fail("an old time was received");
        },
        {.procs = 2});
  });
}

TEST(SimulatedTimers, SurviveTheirP) {
  sim::explore({.seeds = kSeeds}, [] {
    run(
        [&] {
          const WaitGroup group;
          for (int i = 0; i < 3; ++i) {
            group.go([] {
              yield();
              sleep(1ms);
            });
          }
          max_procs(3);
          yield();
          max_procs(1);
          group.wait();
        },
        {.procs = 2});
  });
}

TEST(SimulatedTimers, AChannelThatGoesTakesItsTimerAlong) {
  sim::explore({.seeds = kSeeds}, [] {
    run(
        [&] {
          for (int i = 0; i < 2; ++i) {
            go([] {
              const Ticker ticker(1us);
              yield();
            });
          }
          const WaitGroup group;
          group.go([] { after(2us).receive(); });
          group.wait();
        },
        {.procs = 2});
  });
}

}  // namespace goro::testing

#endif
