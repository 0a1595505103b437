// Those who set, stop and run timers, taking turns at every atomic access, as a seed decides. Time
// is virtual: nothing waits in truth, and how long something took is exact.
#include <chrono>

#include "contracts/services/scheduling.h"
#include "support.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSeeds = 20'000;       // of single functions
constexpr std::uint64_t kRuntimeSeeds = 2500;  // of whole programs

void name_heap(Timers& ts, const char* which) {
  const auto name = [which](const volatile void* word, std::size_t size, const char* what) {
    sim::name(word, size, (std::string(which) + "." + what).c_str());
  };
  name(&ts.mu, sizeof(ts.mu), "mu");
  name(&ts.min_when_heap, sizeof(ts.min_when_heap), "min_when_heap");
  name(&ts.min_when_modified, sizeof(ts.min_when_modified), "min_when_modified");
  name(&ts.zombies, sizeof(ts.zombies), "zombies");
  name(&ts.len, sizeof(ts.len), "len");
}

void name_timer(Bell* bell) {
  const auto name = [bell](const volatile void* word, std::size_t size, const char* what) {
    sim::name(word, size, ("timer " + std::to_string(bell->number) + "." + what).c_str());
  };
  name(&bell->mu, sizeof(bell->mu), "mu");
  name(&bell->astate, sizeof(bell->astate), "astate");
  name(&bell->send_lock, sizeof(bell->send_lock), "send_lock");
  name(&bell->is_sending, sizeof(bell->is_sending), "is_sending");
  name(&bell->holders, sizeof(bell->holders), "holders");
}

// Two Ps, of which this thread, "main", has P0 and a thread called "other" has P1; and the test's
// timers, all prepared without switches.
struct Stage {
  FakeM fake{2};
  Bells bells;
  Timers& own = fake.p(0)->timers;
  Timers& theirs = fake.p(1)->timers;

  Stage() {
    name_heap(own, "P0");
    name_heap(theirs, "P1");
  }

  // In no heap; `when` 0: not set.
  Bell* timer(std::int64_t when = 0, std::int64_t period = 0) {
    const sim::Undisturbed quiet;
    Bell* bell = bells.add(when, period);
    name_timer(bell);
    return bell;
  }
  // In the heap of P0.
  Bell* placed(std::int64_t when, std::int64_t period = 0) {
    Bell* bell = timer(when, period);
    const sim::Undisturbed quiet;
    place(own, bell);
    return bell;
  }

  template <typename Mine, typename Others>
  void both(Mine mine, Others others) {
    sim::Threads threads;
    threads.start("other", [&] {
      const FakeThread thread(fake.p(1));
      others();
    });
    mine();
    threads.join();
  }

  // Everything that must hold when nobody is at work.
  void expect_in_order() {
    const sim::Undisturbed quiet;
    for (Timers* ts : {&own, &theirs}) {
      EXPECT_EQ(heap_error(*ts), "")
          << "of the heap of P" << (ts == &own ? 0 : 1) << ", when all are done";
      EXPECT_TRUE(lock_is_free(ts->mu)) << "a lock was not given back";
    }
  }
  // In how many heaps is it?
  int heaps_with(const Bell* bell) {
    int n = 0;
    for (const Timers* ts : {&own, &theirs}) {
      for (const Timers::Entry& entry : ts->heap) n += entry.timer == bell ? 1 : 0;
    }
    return n;
  }
};

void adjust_at(Timers& ts, std::int64_t now, bool force) {
  ts.lock();
  ts.adjust(now, force);
  ts.unlock();
}

// Waits on a P without giving way, for what must happen within a millisecond of virtual time.
void busy_until(const goro::atomic<bool>* flag, const char* what) {
  const std::int64_t begin = nanotime();
  while (!flag->load()) {
    cpu_relax();
    if (nanotime() - begin > 1'000'000) sim::fail(what);
  }
}

}  // namespace

// ---- single functions ----

TEST(SimulatedTimers, TheLowerOfTwoTimesStays) {
  GORO_STEP("two threads lowered min_when_modified at the same time, to 50 and to 40");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    stage.both([&] { stage.own.update_min_when_modified(50); },
               [&] { stage.own.update_min_when_modified(40); });
    const sim::Undisturbed quiet;
    EXPECT_EQ(stage.own.min_when_modified.load(), 40)
        << "the timer for 40 would be overlooked until 50: compare-and-swap, and look again if it "
           "fails";
  });
}

TEST(SimulatedTimers, WhoSetsAndStopsNeedsNoHeap) {
  GORO_STEP("\"main\" had the lock of a heap, and set and stopped a timer that is in it");
  GORO_STEP("a wait for P0.mu means here: modify or stop wanted the heap's lock");
  sim::explore({.seeds = 50}, [] {
    Stage stage;
    Bell* bell = stage.placed(50);
    stage.own.lock();
    bell->reset(70, 0);
    bell->stop();
    bell->reset(60, 0);
    stage.own.unlock();
    stage.expect_in_order();
  });
}

TEST(SimulatedTimers, ALookTakesNoLock) {
  GORO_STEP("\"main\" had the lock of a heap in which nothing is due, and looked at it (check)");
  GORO_STEP(
      "a wait for P0.mu means here: check wanted the lock before it knew that there is anything to "
      "do");
  sim::explore({.seeds = 50}, [] {
    Stage stage;
    stage.own.lock();
    EXPECT_FALSE(stage.own.check()) << "there are no timers";
    {
      const sim::Undisturbed quiet;
      place(stage.own, stage.bells.add(kNotToday));
    }
    EXPECT_FALSE(stage.own.check()) << "none is due";
    EXPECT_FALSE(stage.theirs.check()) << "there are no timers";
    stage.own.unlock();
  });
}

TEST(SimulatedTimers, StopAndFireAgree) {
  GORO_STEP("a timer was due; \"main\" ran it when \"other\" stopped it");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    Bell* bell = stage.placed(10);
    bool stopped = false;
    stage.both(
        [&] {
          stage.own.lock();
          stage.own.run(20);
          stage.own.unlock();
        },
        [&] { stopped = bell->stop(); });
    EXPECT_EQ(stage.bells.times(bell) + (stopped ? 1 : 0), 1)
        << "stop() said true and it fired, or false and it did not: `when` decides, under the "
           "timer's "
           "lock";
    stage.expect_in_order();
  });
}

TEST(SimulatedTimers, EachFiresOnce) {
  GORO_STEP("three timers of P0 were due; its owner and a thief looked at them at the same time");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    const Bell* all[] = {stage.placed(1), stage.placed(2), stage.placed(3)};
    stage.both([&] { stage.own.check(); }, [&] { stage.own.check(); });
    for (const Bell* bell : all) {
      EXPECT_EQ(stage.bells.times(bell), 1)
          << "timer " << bell->number << " must fire once, whoever runs it";
    }
    stage.expect_in_order();
  });
}

TEST(SimulatedTimers, SetByTwoItIsInOneHeap) {
  GORO_STEP("a timer was in no heap; \"main\" set it to 100 when \"other\" set it to 200");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    Bell* bell = stage.timer();
    int pending = 0;
    stage.both([&] { pending += bell->modify(100, 0, nullptr, nullptr, 0) ? 1 : 0; },
               [&] { pending += bell->modify(200, 0, nullptr, nullptr, 0) ? 1 : 0; });
    EXPECT_EQ(stage.heaps_with(bell), 1)
        << "it must be in one heap: maybe_add asks needs_add() once more, under both locks";
    EXPECT_EQ(pending, 1) << "for the second of the two it was set already";
    stage.expect_in_order();
  });
}

TEST(SimulatedTimers, SetAndStoppedItIsNotForgotten) {
  GORO_STEP("a timer was in no heap; \"main\" set it when \"other\" stopped it, and set it again");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    Bell* bell = stage.timer();
    stage.both([&] { bell->reset(100, 0); },
               [&] {
                 bell->stop();
                 bell->reset(200, 0);
                 bell->stop();
                 bell->reset(300, 0);
               });
    const sim::Undisturbed quiet;
    EXPECT_EQ(stage.heaps_with(bell), 1) << "it is set: it must be in one heap";
    stage.expect_in_order();
  });
}

TEST(SimulatedTimers, ZombiesAreCounted) {
  GORO_STEP(
      "P0 had three timers; \"main\" put its heap right, by force, when \"other\" stopped two of "
      "them and set one again");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    Bell* first = stage.placed(100);
    stage.placed(200);
    Bell* third = stage.placed(300);
    stage.both(
        [&] {
          adjust_at(stage.own, 1, true);
          stage.own.lock();
          stage.own.clean_head();
          stage.own.unlock();
        },
        [&] {
          first->stop();
          third->stop();
          first->reset(250, 0);
        });
    EXPECT_EQ(stage.heaps_with(first), 1) << "it is set: it must be in one heap";
    stage.expect_in_order();
  });
}

// [not_overlooked]
TEST(SimulatedTimers, AModifiedOneIsNotOverlooked) {
  GORO_STEP("P0 had a timer for 1000 that was moved to 100 and stopped, and one for 2000");
  GORO_STEP("\"main\" put the heap right when \"other\" moved the second one to 500");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    Bell* first = stage.placed(1000);
    Bell* second = stage.placed(2000);
    {
      const sim::Undisturbed quiet;
      mark_modified(first, 100);
      mark_zombie(first);
    }
    stage.both([&] { adjust_at(stage.own, 150, false); }, [&] { second->reset(500, 0); });
    stage.expect_in_order();
  });
}
// [/not_overlooked]

TEST(SimulatedTimers, TheTimeToLookIsNeverLater) {
  GORO_STEP(
      "P0 had a timer for 1000 that was moved to 100, and others; \"main\" put the heap right");
  GORO_STEP("\"other\" asked for wake_time() meanwhile, as an M does that goes to sleep");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    Bell* stopped = stage.placed(900);
    Bell* moved = stage.placed(1000);
    stage.placed(2000);
    {
      const sim::Undisturbed quiet;
      mark_zombie(stopped);
      mark_modified(moved, 100);
    }
    stage.both([&] { adjust_at(stage.own, 150, false); },
               [&] {
                 for (int i = 0; i < 3; ++i) {
                   const std::int64_t when = stage.own.wake_time();
                   if (when == 0 || when > 100) {
                     sim::fail("a timer was set for 100, and wake_time() said " +
                               std::to_string(when) +
                               ": an M that looks just then sleeps for too long");
                   }
                 }
               });
    stage.expect_in_order();
  });
}

TEST(SimulatedTimers, HeldWhileItFires) {
  GORO_STEP("a timer with a period was due; \"main\" ran it");
  GORO_STEP("\"other\" stopped it, threw it out of the heap, and let go of it");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    Bell* bell = stage.placed(10, 10);
    bell->then = [bell] {
      for (int i = 0; i < 3; ++i) {
        GORO_SIMULATION_POINT("the timer's function runs");
        if (bell->freed != 0) sim::fail("it was freed while its function ran: nobody held it");
      }
    };
    stage.both(
        [&] {
          stage.own.lock();
          stage.own.run(20);
          stage.own.unlock();
        },
        [&] {
          bell->stop();
          stage.own.lock();
          stage.own.clean_head();
          stage.own.unlock();
          bell->let_go();
        });
    const sim::Undisturbed quiet;
    adjust_at(stage.own, 1, true);
    EXPECT_EQ(bell->freed, 1) << "when nobody holds it any more it is freed, once";
    stage.expect_in_order();
  });
}

TEST(SimulatedTimers, NothingIsSentAfterAStop) {
  GORO_STEP(
      "a channel's timer was due; \"main\" ran it when \"other\" stopped it; nobody received");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    const Channel<time_point> channel(1);
    Bell* bell = stage.placed(10);
    let_it_send_to(bell, channel);
    bell->f = send_a_time;
    bool stopped = false;
    std::size_t after_stop = 99;
    stage.both(
        [&] {
          stage.own.lock();
          stage.own.run(20);
          stage.own.unlock();
        },
        [&] {
          stopped = bell->stop();
          after_stop = channel.size();
        });
    const sim::Undisturbed quiet;
    EXPECT_EQ(after_stop, 0U) << "stop() has returned, and an old time is in the channel";
    EXPECT_EQ(channel.size(), 0U) << "a time was sent after stop() had returned: whoever sends "
                                     "compares seq under send_lock with "
                                     "what it was when the timer fired";
    EXPECT_TRUE(stopped) << "nobody has received: whatever was sent or about to be, stop() has "
                            "prevented it (when, is_sending, drain_timer_channel)";
    EXPECT_EQ(bell->is_sending.load(), 0) << "nobody is on the way to send any more";
    stage.expect_in_order();
  });
}

TEST(SimulatedTimers, NothingOldIsSentAfterAReset) {
  GORO_STEP("a channel's timer was due; \"main\" ran it when \"other\" reset it to a day far away");
  sim::explore({.seeds = kSeeds}, [] {
    Stage stage;
    const Channel<time_point> channel(1);
    Bell* bell = stage.placed(10);
    let_it_send_to(bell, channel);
    bell->f = send_a_time;
    bool pending = false;
    stage.both(
        [&] {
          stage.own.lock();
          stage.own.run(20);
          stage.own.unlock();
        },
        [&] { pending = bell->reset(kNotToday, 0); });
    const sim::Undisturbed quiet;
    EXPECT_EQ(channel.size(), 0U) << "reset() has returned, and an old time is in the channel";
    EXPECT_TRUE(pending) << "nobody has received: for the program it had not fired";
    EXPECT_EQ(stage.heaps_with(bell), 1) << "it is set: it must be in one heap";
    stage.expect_in_order();
  });
}

// ---- whole programs ----

TEST(SimulatedSleep, SleepersWakeInTheOrderOfTheirTimes) {
  GORO_STEP("one P: three goroutines sleep until three times, the last one first");
  sim::explore({.seeds = kRuntimeSeeds / 5}, [] {
    Numbers order;
    run(
        [&] {
          const std::int64_t base = nanotime() + 1'000'000;
          const WaitGroup group;
          for (const int i : {3, 1, 2}) {
            group.go([i, base, out = &order] {
              detail::sleep_until(base + i * 1'000'000);
              if (nanotime() < base + i * 1'000'000)
                sim::fail("a sleeper was woken before its time");
              out->push_back(i);
            });
          }
          group.wait();
        },
        {.procs = 1});
    EXPECT_EQ(order, (Numbers{1, 2, 3})) << "who sleeps until an earlier time wakes first";
  });
}

TEST(SimulatedSleep, ATimerWhosePIsBusyIsRunByAnother) {
  GORO_STEP("two Ps: goroutine 2 sleeps 10 µs on a P that goroutine 1 then keeps busy");
  sim::explore({.seeds = kRuntimeSeeds / 2, .most_steps = 200'000}, [] {
    run(
        [] {
          goro::atomic<bool> woken{false};
          const Channel<int> ended(1);
          go([flag = &woken, ended] {
            sleep(10us);
            flag->store(true);
            ended.send(1);
          });
          yield();
          busy_until(
              &woken,
              "a timer was due for a millisecond, its P was busy, and another P was free: "
              "somebody must sleep until the earliest timer of all (earliest_timer), and be told "
              "of a new one (wake_net_poller)");
          ended.receive();
        },
        {.procs = 2});
  });
}

TEST(SimulatedSleep, AnEarlierTimerEndsTheSleepOfAnM) {
  GORO_STEP(
      "two Ps: goroutine 2 sleeps an hour; goroutine 1 is busy until the other M sleeps, too");
  GORO_STEP("then goroutine 1 sets a timer for 10 µs, and is busy until it has fired");
  sim::explore({.seeds = kRuntimeSeeds / 2, .most_steps = 200'000}, [] {
    run(
        [] {
          goro::atomic<bool> fired{false};
          const Channel<int> ended(1);
          go([] { sleep(1h); });
          yield();
          for (const std::int64_t begin = nanotime(); nanotime() - begin < 100'000;) cpu_relax();
          after_func(10us, [flag = &fired, ended] {
            flag->store(true);
            ended.send(1);
          });
          busy_until(&fired,
                     "a timer was due for a millisecond, and an M slept past it: whoever sets a "
                     "timer that is earlier than wake_time() was calls wake_net_poller");
          ended.receive();
        },
        {.procs = 2});
  });
}

TEST(SimulatedSleep, AnEarlierResetEndsTheSleepOfAnM) {
  GORO_STEP("two Ps: a timer for an hour is reset to 10 µs, and goroutine 1 is busy");
  sim::explore({.seeds = kRuntimeSeeds / 2, .most_steps = 200'000}, [] {
    run(
        [] {
          goro::atomic<bool> fired{false};
          const Channel<int> ended(1);
          const goro::Timer timer = after_func(1h, [flag = &fired, ended] {
            flag->store(true);
            ended.send(1);
          });
          sleep(20us);  // now an M sleeps until then
          timer.reset(10us);
          busy_until(
              &fired,
              "a timer was due for a millisecond, and an M slept past it: whoever moves a timer "
              "to the earliest time of its heap calls wake_net_poller");
          ended.receive();
        },
        {.procs = 2});
  });
}

TEST(SimulatedSleep, NobodySleepsForEver) {
  GORO_STEP("two Ps: three goroutines sleep twice, for 1 to 3 µs, while Ms fall asleep");
  GORO_STEP(
      "\"all goroutines are asleep\", or a schedule without an end, means here: a timer was lost, "
      "or "
      "was overlooked");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    run(
        [] {
          const WaitGroup group;
          for (int i = 1; i <= 3; ++i) {
            group.go([i] {
              for (int turn = 0; turn < 2; ++turn) {
                const std::int64_t begin = nanotime();
                sleep(i * 1us);
                const std::int64_t took = nanotime() - begin;
                if (took < i * 1000) sim::fail("a sleeper was woken before its time");
                if (took > 5'000'000) {
                  sim::fail(
                      "a sleeper was woken milliseconds too late: nobody had looked at its timer");
                }
              }
            });
          }
          group.wait();
        },
        {.procs = 2});
  });
}

TEST(SimulatedSleep, SurvivesItsP) {
  GORO_STEP("three Ps become one, while three goroutines sleep");
  GORO_STEP(
      "\"all goroutines are asleep\", or a schedule without an end, means here: a timer was lost "
      "with "
      "its P");
  sim::explore({.seeds = kRuntimeSeeds / 2}, [] {
    int woken = 0;
    run(
        [&] {
          const WaitGroup group;
          for (int i = 0; i < 3; ++i) {
            group.go([n = &woken] {
              yield();
              sleep(100us);
              ++*n;
            });
          }
          yield();
          max_procs(1);
          group.wait();
        },
        {.procs = 3});
    EXPECT_EQ(woken, 3) << "each sleeper is woken once";
  });
}

TEST(SimulatedSleep, StopSaysWhetherItWillRun) {
  GORO_STEP("two Ps: after_func for 1 µs; another goroutine stops it about then");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    int runs = 0;
    run(
        [&] {
          const goro::Timer timer = after_func(1us, [n = &runs] { ++*n; });
          const Channel<int> stopped(1);
          go([timer, stopped] { stopped.send(timer.stop() ? 1 : 0); });
          const int prevented = *stopped.receive();
          sleep(1ms);
          if (runs + prevented != 1) sim::fail("it was stopped and it ran, or neither");
        },
        {.procs = 2});
  });
}

TEST(SimulatedSleep, NothingOldIsReceived) {
  GORO_STEP("two Ps: a timer for 1 µs is stopped about then, and reset to 1 ms");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    run(
        [] {
          const goro::Timer timer(1us);
          go([] { yield(); });
          yield();
          timer.stop();
          std::optional<time_point> time;
          if (timer.channel().try_receive(time)) sim::fail("a time was received after stop()");
          const time_point begin = now();
          timer.reset(1ms);
          if (*timer.channel().receive() < begin + 1ms) sim::fail("an old time was received");
        },
        {.procs = 2});
  });
}

}  // namespace goro::testing
