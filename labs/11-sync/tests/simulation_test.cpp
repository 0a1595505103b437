// Those who wait and those who wake, taking turns at every atomic access, as a seed decides.
//
// Goroutines report their end through a channel, so that each test needs its own steps only.
#include <gtest/gtest.h>

#include "contracts/services/clock.h"
#include "contracts/services/scheduling.h"
#include "support.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

constexpr std::uint64_t kSeeds = 5000;         // of single functions
constexpr std::uint64_t kRuntimeSeeds = 5000;  // of whole programs

// Of one schedule, in which somebody is busy until another one has come. A right one takes a tenth.
constexpr std::uint64_t kMostSteps = 50'000;

constexpr std::int32_t kOneWaiter = 1 << kMutexWaiterShift;

MutexWords* words_of(Mutex& mutex) {
  return reinterpret_cast<MutexWords*>(&mutex);
}

// Starts `n` goroutines that do each(i), and waits for them.
template <typename F>
void spawn_and_wait(int n, F each) {
  const Channel<int> ended(n);
  for (int i = 0; i < n; ++i) {
    go([i, each, ended] {
      each(i);
      ended.send(i);
    });
  }
  for (int i = 0; i < n; ++i) ended.receive();
}

// On two Ps: goroutine 1 does prepare(), and then mine() at the moment at which another goroutine
// does other(). Three times; then goroutine 1 does look().
template <typename Prepare, typename Mine, typename Other, typename Look>
void meet(Prepare prepare, Mine mine, Other other, Look look) {
  constexpr int kTurns = 3;
  goro::run(
      [&] {
        goro::atomic<int> arrived{0};
        const Channel<int> ended(1);
        const auto arrive = [a = &arrived](int turn) {
          a->fetch_add(1);
          while (a->load() < 2 * turn) cpu_relax();
        };
        go([arrive, other, ended] {
          for (int turn = 1; turn <= kTurns; ++turn) {
            arrive(turn);
            other();
            ended.send(turn);
          }
        });
        for (int turn = 1; turn <= kTurns; ++turn) {
          prepare();
          arrive(turn);
          mine();
          ended.receive();
        }
        look();
      },
      {.procs = 2});
}

void pass(std::uint32_t microseconds) {
  system_call([microseconds] { goro::usleep(microseconds); });
}

}  // namespace

// ---- semaphores ----

// [no_wake_up_lost]
TEST(SimulatedSemaphore, NoWakeUpIsLost) {
  GORO_STEP(
      "on two Ps, goroutine 2 called semacquire1 when goroutine 1 called semrelease1, three times");
  GORO_STEP(
      "\"all goroutines are asleep\" means here: the permit is there, and goroutine 2 sleeps: lost "
      "wake-up");
  sim::explore({.seeds = kRuntimeSeeds, .most_steps = kMostSteps}, [] {
    Count count{0};
    sim::name(&count, sizeof(count), "count");
    sim::name(&root_for(&count)->nwait, sizeof(std::uint32_t), "nwait");
    meet([] {}, [&] { semrelease1(&count, false); },
         [c = &count] { semacquire1(c, false, WaitReason::semacquire); },
         [&] {
           EXPECT_EQ(count.load(), 0U) << "as many releases as there were that counted down";
           EXPECT_EQ(root_for(&count)->nwait.load(), 0U) << "nobody waits any more";
         });
  });
}
// [/no_wake_up_lost]

TEST(SimulatedSemaphore, APermitIsForOne) {
  GORO_STEP(
      "on two Ps, two goroutines took two permits each, and two released two each, half of them "
      "handed over");
  sim::explore({.seeds = kRuntimeSeeds},
               [] {
                 Count count{0};
                 sim::name(&count, sizeof(count), "count");
                 goro::run(
                     [&] {
                       spawn_and_wait(4, [c = &count](int i) {
                         for (int n = 0; n < 2; ++n) {
                           if (i % 2 == 0) {
                             semacquire1(c, n != 0, WaitReason::semacquire);
                           } else {
                             semrelease1(c, n != 0);
                           }
                         }
                       });
                     },
                     {.procs = 2});
                 EXPECT_EQ(count.load(), 0U)
                     << "four releases and four that counted down: a permit was lost, or doubled";
                 EXPECT_EQ(root_for(&count)->nwait.load(), 0U)
                     << "nobody waits any more, but nwait says otherwise";
               });
}

TEST(SimulatedSemaphore, TwoReleasersWakeTwo) {
  GORO_STEP("two goroutines waited; two threads released at the same time");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    Count count{0};
    sim::name(&count, sizeof(count), "count");
    const Waiters waiters(fake, &count, 2);
    sim::Threads others;
    others.start("other", [&] {
      const FakeThread thread(fake.p(1));
      semrelease1(&count, false);
    });
    semrelease1(&count, false);
    others.join();
    const sim::Undisturbed quiet;
    EXPECT_EQ(waiters.woken(), 2) << "each release wakes one";
    EXPECT_EQ(count.load(), 2U) << "and each counts up: in one step, or one count is lost";
    EXPECT_EQ(waiters.root()->nwait.load(), 0U) << "nobody waits any more";
  });
}

// ---- WaitGroup ----

TEST(SimulatedWaitGroup, TheLastOfTwoWakesTheWaiter) {
  GORO_STEP(
      "the counter was 2, and goroutine 1 waited; two threads called done() at the same time");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    WaitGroupWords group;
    group.state.store(std::uint64_t{2} << 32 | 1);
    sim::name(&group.state, sizeof(group.state), "group.state");
    const Waiters waiters(fake, &group.sema, 1);
    sim::Threads others;
    others.start("other", [&] {
      const FakeThread thread(fake.p(1));
      wait_group_add(&group, -1);
    });
    wait_group_add(&group, -1);
    others.join();
    const sim::Undisturbed quiet;
    EXPECT_EQ(waiters.woken(), 1) << "one of the two was the last, and wakes the waiter";
    EXPECT_EQ(group.sema.load(), 1U) << "woken once";
    EXPECT_EQ(group.state.load(), 0U) << "counter and waiters are 0 again";
  });
}

TEST(SimulatedWaitGroup, WaitMeetsTheLastDone) {
  GORO_STEP(
      "on two Ps, goroutine 1 called add(1), and wait() when goroutine 2 called done(), three "
      "times");
  GORO_STEP(
      "\"all goroutines are asleep\" means here: the counter is 0, and goroutine 1 sleeps: lost "
      "wake-up");
  sim::explore({.seeds = kRuntimeSeeds, .most_steps = kMostSteps}, [] {
    WaitGroupWords group;
    sim::name(&group.state, sizeof(group.state), "group.state");
    int done = 0;
    int turn = 0;
    meet(
        [&] {
          wait_group_add(&group, 1);
          ++turn;
        },
        [&] {
          wait_group_wait(&group);
          if (done != turn) sim::fail("wait() returned before done() was called: woken too early");
        },
        [g = &group, out = &done] {
          ++*out;
          wait_group_add(g, -1);
        },
        [&] { EXPECT_EQ(group.state.load(), 0U) << "counter and waiters are 0 again"; });
  });
}

TEST(SimulatedWaitGroup, CanBeUsedAgainAsSoonAsWaitHasReturned) {
  GORO_STEP(
      "on two Ps, goroutine 1 used one group twice: add(1), a goroutine that calls done(), wait()");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    WaitGroupWords group;
    sim::name(&group.state, sizeof(group.state), "group.state");
    int done = 0;
    goro::run(
        [&] {
          for (int turn = 1; turn <= 2; ++turn) {
            wait_group_add(&group, 1);
            go([g = &group, out = &done] {
              ++*out;
              wait_group_add(g, -1);
            });
            wait_group_wait(&group);
            if (done != turn)
              sim::fail("wait() returned before done() was called: woken too early");
          }
          EXPECT_EQ(group.state.load(), 0U) << "counter and waiters are 0 again";
        },
        {.procs = 2});
  });
}

// ---- Mutex ----

TEST(SimulatedMutex, WhoSpinsTellsUnlock) {
  GORO_STEP("the mutex was locked and goroutine 1 waited; \"main\" called lock, and may spin");
  GORO_STEP("\"holder\" unlocked it as soon as it saw the woken bit");
  sim::explore({.seeds = 200}, [] {
    FakeM fake(2);
    if (!can_spin(0)) return;  // one processor: nobody ever spins
    MutexWords m;
    m.state.store(kMutexLocked + kOneWaiter);
    sim::name(&m.state, sizeof(m.state), "state");
    const Waiters waiters(fake, &m.sema, 1);
    bool gave_up = false;
    sim::Threads others;
    others.start("holder", [&] {
      const FakeThread thread(fake.p(1));
      while ((m.state.load() & kMutexWoken) == 0 && !gave_up) cpu_relax();
      if (gave_up) {
        sim::fail(
            "main did not spin, or did not set the woken bit while it did: somebody waits, so "
            "unlock "
            "will wake that one beside main");
      }
      mutex_unlock_slow(&m, m.state.fetch_sub(kMutexLocked) - kMutexLocked);
    });
    try {
      mutex_lock_slow(&m);
    } catch (const Panic&) {
      gave_up = true;  // it wanted to park: this thread is no goroutine
    }
    others.join();
    const sim::Undisturbed quiet;
    EXPECT_EQ(waiters.woken(), 0) << "somebody was awake: unlock must not have woken the waiter";
    EXPECT_EQ(m.state.load(), kMutexLocked + kOneWaiter)
        << "main has it, and takes its woken bit away; the waiter is still counted";
  });
}

TEST(SimulatedMutex, OnlyOneHasIt) {
  GORO_STEP("on two Ps, three goroutines had the mutex twice each");
  GORO_STEP(
      "\"all goroutines are asleep\" means here: the mutex is free, and somebody sleeps: lost "
      "wake-up");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    Mutex mutex;
    sim::name(&words_of(mutex)->state, sizeof(std::int32_t), "state");
    sim::name(&words_of(mutex)->sema, sizeof(std::uint32_t), "sema");
    int count = 0;
    goro::run(
        [&] {
          spawn_and_wait(3, [m = &mutex, n = &count](int /*i*/) {
            for (int turn = 0; turn < 2; ++turn) {
              m->lock();
              const int seen = *n;
              GORO_SIMULATION_POINT("has the mutex");
              *n = seen + 1;
              m->unlock();
            }
          });
          EXPECT_EQ(count, 6) << "two had the mutex at the same time";
          EXPECT_EQ(words_of(mutex)->state.load(), 0)
              << "nobody has it, nobody waits: the state must be 0 again (1 locked, 2 woken, 4 "
                 "starving, "
                 "then waiters)";
          EXPECT_EQ(words_of(mutex)->sema.load(), 0U)
              << "a permit is left that nobody was woken with";
        },
        {.procs = 2});
  });
}

TEST(SimulatedMutex, StarvationEndsInEverySchedule) {
  GORO_STEP("on two Ps, three goroutines had the mutex for 600 µs of virtual time, twice each");
  sim::explore({.seeds = kRuntimeSeeds / 4}, [] {
    Mutex mutex;
    sim::name(&words_of(mutex)->state, sizeof(std::int32_t), "state");
    sim::name(&words_of(mutex)->sema, sizeof(std::uint32_t), "sema");
    int inside = 0;
    goro::run(
        [&] {
          spawn_and_wait(3, [m = &mutex, n = &inside](int /*i*/) {
            for (int turn = 0; turn < 2; ++turn) {
              m->lock();
              if (++*n != 1) sim::fail("two had the mutex at the same time");
              pass(600);
              --*n;
              m->unlock();
            }
          });
          EXPECT_EQ(words_of(mutex)->state.load(), 0)
              << "nobody has it, nobody waits: the state must be 0 again (1 locked, 2 woken, 4 "
                 "starving, "
                 "then waiters)";
        },
        {.procs = 2});
  });
}

TEST(SimulatedMutex, WhoHasNotWaitedLongEndsStarvation) {
  GORO_STEP(
      "one P: goroutine 1 waits for 3 ms of virtual time, and starves; then goroutines 2 and 3 "
      "come");
  GORO_STEP("goroutine 1 has the mutex, hands it over to goroutine 2, and that to goroutine 3");
  sim::explore({.seeds = 50}, [] {
    Mutex mutex;
    Order order;
    std::int32_t seen[4] = {};
    goro::run(
        [&] {
          mutex.lock();
          for (int i = 1; i <= 3; ++i) {
            go([i, m = &mutex, out = &order, state = &seen[i]] {
              m->lock();
              *state = words_of(*m)->state.load();
              out->push_back(i);
              m->unlock();
            });
            let_others_run();
            if (i != 1) continue;
            pass(3000);
            mutex.unlock();
            if (!mutex.try_lock())
              sim::fail("in normal mode a newcomer may be quicker than one that was woken");
            let_others_run();
          }
          mutex.unlock();
          let_others_run();
          EXPECT_EQ(order, (Order{1, 2, 3})) << "first come, first served";
          EXPECT_EQ(seen[1], 2 * kOneWaiter + kMutexStarving + kMutexLocked)
              << "goroutine 1 waited for long, and others wait behind it: starvation mode goes on";
          EXPECT_EQ(seen[2] & kMutexStarving, 0)
              << "goroutine 2 got it after less than a millisecond: "
                 "starvation mode is dear, and ends here, "
                 "although goroutine 3 still waits";
          EXPECT_EQ(words_of(mutex)->state.load(), 0) << "nobody has it, nobody waits";
        },
        {.procs = 1});
  });
}

// ---- RWMutex ----

TEST(SimulatedRWMutex, OneOfTwoReadersIsTheLast) {
  GORO_STEP("a writer waited for two readers, who left at the same time");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    RWMutexWords rw;
    rw.reader_count.store(2 - kRWMutexMaxReaders);
    rw.reader_wait.store(2);
    sim::name(&rw.reader_wait, sizeof(rw.reader_wait), "reader_wait");
    const Waiters writer(fake, &rw.writer_sem, 1);
    sim::Threads others;
    others.start("other reader", [&] {
      const FakeThread thread(fake.p(1));
      rw_runlock_slow(&rw, rw.reader_count.fetch_sub(1) - 1);
    });
    rw_runlock_slow(&rw, rw.reader_count.fetch_sub(1) - 1);
    others.join();
    const sim::Undisturbed quiet;
    EXPECT_EQ(rw.writer_sem.load(), 1U)
        << "one of the two is the last, and only that one wakes the writer";
    EXPECT_EQ(writer.woken(), 1) << "the last reader wakes the writer";
  });
}

TEST(SimulatedRWMutex, AReaderLeavesWhileAWriterAsks) {
  GORO_STEP(
      "on two Ps, one read; it called unlock_shared when goroutine 1 called lock and then unlock, "
      "three times");
  GORO_STEP(
      "\"all goroutines are asleep\" means here: the reader has gone, and the writer waits for it: "
      "lost wake-up");
  sim::explore({.seeds = kRuntimeSeeds, .most_steps = kMostSteps}, [] {
    RWMutex mutex;
    auto* words = reinterpret_cast<RWMutexWords*>(&mutex);
    sim::name(&words->reader_count, sizeof(std::int32_t), "reader_count");
    sim::name(&words->reader_wait, sizeof(std::int32_t), "reader_wait");
    sim::name(&words->writer_sem, sizeof(std::uint32_t), "writer_sem");
    meet([&] { mutex.lock_shared(); },
         [&] {
           mutex.lock();
           mutex.unlock();
         },
         [m = &mutex] { m->unlock_shared(); },
         [&] {
           EXPECT_EQ(words->writer_sem.load(), 0U)
               << "a permit is left that no writer waited for: it would let the next writer in "
                  "beside "
                  "readers. "
                  "The addition to reader_wait must itself tell the writer whether to wait";
           EXPECT_EQ(words->reader_wait.load(), 0)
               << "with a permit that was left over, the writer went in beside a reader that it "
                  "had to wait for";
         });
  });
}

TEST(SimulatedRWMutex, AWriterIsAlone) {
  GORO_STEP("on two Ps, two goroutines read and one wrote, twice each");
  GORO_STEP(
      "\"all goroutines are asleep\" means here: somebody waits for a reader or a writer that has "
      "gone");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    RWMutex mutex;
    int inside = 0;
    goro::run(
        [&] {
          spawn_and_wait(3, [m = &mutex, in = &inside](int i) {
            for (int turn = 0; turn < 2; ++turn) {
              if (i == 2) {
                m->lock();
                if (*in != 0) sim::fail("a writer met somebody");
                *in = -100;
                GORO_SIMULATION_POINT("writes");
                *in = 0;
                m->unlock();
              } else {
                m->lock_shared();
                if (*in < 0) sim::fail("a reader met a writer");
                ++*in;
                GORO_SIMULATION_POINT("reads");
                --*in;
                m->unlock_shared();
              }
            }
          });
          if (!mutex.try_lock()) sim::fail("all have gone, and the mutex is not free");
        },
        {.procs = 2});
  });
}

// ---- notification ----

TEST(SimulatedTickets, ASignalBetweenTicketAndWaitCounts) {
  GORO_STEP(
      "on two Ps, a ticket was drawn; then goroutine 2 waited for it when goroutine 1 called it, "
      "three "
      "times");
  GORO_STEP(
      "\"all goroutines are asleep\" means here: the ticket was called, and its owner sleeps: lost "
      "wake-up");
  sim::explore({.seeds = kRuntimeSeeds, .most_steps = kMostSteps}, [] {
    NotifyList list;
    sim::name(&list.wait, sizeof(list.wait), "list.wait");
    sim::name(&list.notify, sizeof(list.notify), "list.notify");
    std::uint32_t ticket = 0;
    meet([&] { ticket = notify_list_add(&list); }, [&] { notify_list_notify_one(&list); },
         [l = &list, t = &ticket] { notify_list_wait(l, *t); },
         [&] { EXPECT_EQ(list.head, nullptr) << "nobody waits any more"; });
  });
}

TEST(SimulatedTickets, TwoSignalsCallTwoTickets) {
  GORO_STEP(
      "two goroutines waited in the list; two threads called one ticket each, at the same time");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    NotifyList list;
    sim::name(&list.notify, sizeof(list.notify), "list.notify");
    Sudog sudogs[2];
    for (std::uint32_t i = 0; i < 2; ++i) {
      sudogs[i].g = fake.g(GStatus::waiting);
      sudogs[i].ticket = notify_list_add(&list);
    }
    list.head = &sudogs[0];
    sudogs[0].next = &sudogs[1];
    list.tail = &sudogs[1];
    sim::Threads others;
    others.start("other", [&] {
      const FakeThread thread(fake.p(1));
      notify_list_notify_one(&list);
    });
    notify_list_notify_one(&list);
    others.join();
    const sim::Undisturbed quiet;
    EXPECT_EQ(list.notify.load(), 2U) << "two calls, two tickets";
    EXPECT_TRUE(is_runnable(sudogs[0].g) && is_runnable(sudogs[1].g))
        << "one of the two sleeps for ever: a ticket was called twice, and the other never (read "
           "and "
           "write notify under the lock)";
    EXPECT_EQ(list.head, nullptr) << "nobody waits any more";
  });
}

TEST(SimulatedTickets, AConditionMissesNoSignal) {
  GORO_STEP(
      "on two Ps, two goroutines waited for an item each; goroutine 1 made two, one with a signal, "
      "one with a broadcast");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    struct Shared {
      Mutex mutex;
      Cond cond{mutex};
      int items = 0;
      int taken = 0;
    } shared;
    goro::run(
        [&] {
          Shared* s = &shared;
          const Channel<int> ended(2);
          for (int i = 0; i < 2; ++i) {
            go([s, ended] {
              s->mutex.lock();
              while (s->items == 0) s->cond.wait();
              --s->items;
              ++s->taken;
              s->mutex.unlock();
              ended.send(1);
            });
          }
          for (int i = 0; i < 2; ++i) {
            s->mutex.lock();
            ++s->items;
            s->mutex.unlock();
            if (i == 0) {
              s->cond.signal();
            } else {
              s->cond.broadcast();
            }
          }
          for (int i = 0; i < 2; ++i) ended.receive();
        },
        {.procs = 2});
    EXPECT_EQ(shared.taken, 2) << "each item must be taken, once";
  });
}

}  // namespace goro::testing
