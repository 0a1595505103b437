// Mutex, RWMutex, WaitGroup, Once, Cond, Semaphore in whole programs: what Go's do, in its words
// and in its order.
#include "goro/sync.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "contracts/model.h"
#include "contracts/services/scheduling.h"
#include "contracts/sync.h"
#include "frame/spin.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/panic_of.h"
#include "testing/story.h"
#include "testing/whole_slices.h"
#include "tests/scale.h"

namespace {

using namespace std::chrono_literals;
using goro::testing::ChildEnd;
using goro::testing::in_child;
using goro::testing::kScale;
using goro::testing::WholeSlices;

using Order = std::vector<int>;
const Order kLastFirst{6, 1, 2, 3, 4, 5};

template <typename F>
void expect_panic(const char* text, F&& f) {
  EXPECT_EQ(goro::testing::panic_of(std::forward<F>(f)), text);
}

// Yields until every other goroutine is parked, at one P.
void let_others_park() {
  for (int i = 0; i < 20; ++i) goro::yield();
}

// ---- WaitGroup ----

TEST(WaitGroup, LastDoneWakesInGosOrder) {
  const WholeSlices whole_slices;
  Order order;
  goro::run(
      [&] {
        const goro::WaitGroup group;
        const goro::WaitGroup ended;
        Order* out = &order;
        group.add(1);
        for (int i = 1; i <= 6; ++i) {
          ended.add(1);
          goro::go([=] {
            group.wait();
            out->push_back(i);
            ended.done();
          });
          let_others_park();
        }
        group.done();
        ended.wait();
      },
      {.procs = 1});
  EXPECT_EQ(order, kLastFirst) << "the last that is readied sits in runnext, the others queue up";
}

TEST(WaitGroup, IsReusable) {
  int sum = 0;
  goro::run(
      [&] {
        std::atomic<int> count{0};
        std::atomic<int>* c = &count;
        const goro::WaitGroup group;
        for (int round = 0; round < 1000 * kScale; ++round) {
          for (int i = 0; i < 3; ++i) group.go([c] { c->fetch_add(1); });
          group.wait();
          sum += c->exchange(0);
        }
      },
      {.procs = 4});
  EXPECT_EQ(sum, 3000 * kScale);
}

TEST(WaitGroup, ManyWaitersAndManyWorkers) {
  std::atomic<int> woken{0};
  goro::run(
      [&] {
        std::atomic<int>* count = &woken;
        const goro::WaitGroup work;
        const goro::WaitGroup waiters;
        work.add(1);
        for (int i = 0; i < 1000; ++i) {
          waiters.go([work, count] {
            work.wait();
            count->fetch_add(1);
          });
        }
        for (int i = 0; i < 1000; ++i) work.go([] { goro::yield(); });
        work.done();
        waiters.wait();
      },
      {.procs = 4});
  EXPECT_EQ(woken.load(), 1000);
}

TEST(WaitGroup, CountsDownAlsoAfterAnExitAndAnExceptionThatIsCaught) {
  goro::run([] {
    const goro::WaitGroup group;
    group.go([] { goro::exit_goroutine(); });
    group.go([] {
      try {
        throw std::string("x");
      } catch (const std::string&) {
      }
    });
    group.wait();
  });
}

TEST(WaitGroup, ThreadsOutsideMayCountDown) {
  goro::run(
      [&] {
        const goro::WaitGroup group;
        group.add(4);
        std::vector<std::thread> threads;
        goro::go([] { goro::sleep(1h); });  // no deadlock, whatever the threads do
        for (int i = 0; i < 4; ++i) {
          threads.emplace_back([group] { group.done(); });
        }
        group.wait();
        for (std::thread& thread : threads) thread.join();
      },
      {.procs = 2});
}

TEST(WaitGroup, MisuseIsSaidInGosWords) {
  goro::run([] {
    expect_panic("sync: negative WaitGroup counter", [] {
      const goro::WaitGroup group;
      group.add(1);
      group.done();
      group.done();
    });
    expect_panic("sync: negative WaitGroup counter", [] { goro::WaitGroup().add(-1); });
  });
}

TEST(WaitGroup, ReuseBeforeWaitHasReturnedIsSaid) {
  const WholeSlices whole_slices;
  std::string text;
  goro::run(
      [&] {
        std::string* out = &text;
        const goro::WaitGroup group;
        group.add(1);
        goro::go(goro::SpawnOptions{.stack = goro::fixed_stack(1 << 16)}, [group, out] {
          try {
            group.wait();
          } catch (const goro::Panic& panic) {
            *out = panic.what();
          }
        });
        let_others_park();
        group.done();
        group.add(1);  // the waiter has not run since
        let_others_park();
      },
      {.procs = 1});
  EXPECT_EQ(text, "sync: WaitGroup is reused before previous Wait has returned");
}

TEST(WaitGroup, ADeadlockNamesTheWait) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      const goro::WaitGroup group;
      group.add(1);
      group.wait();
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("goroutine 1 [sync.WaitGroup.Wait]:")) << end.err;
}

// ---- Mutex ----

TEST(Mutex, CountsUnderManyGoroutines) {
  for (const int procs : {1, 2, 4}) {
    int count = 0;
    goro::run(
        [&] {
          goro::Mutex mutex;
          goro::Mutex* m = &mutex;
          int* c = &count;
          const goro::WaitGroup group;
          for (int i = 0; i < 20; ++i) {
            group.go([=] {
              for (int n = 0; n < 500 * kScale; ++n) {
                const std::lock_guard guard(*m);
                ++*c;
                if (n % 97 == 0) goro::yield();
              }
            });
          }
          group.wait();
        },
        {.procs = procs});
    EXPECT_EQ(count, 20 * 500 * kScale) << "on " << procs << " Ps";
  }
}

TEST(Mutex, TryLockTakesAFreeOneOnly) {
  goro::run([] {
    goro::Mutex mutex;
    EXPECT_TRUE(mutex.try_lock());
    EXPECT_FALSE(mutex.try_lock());
    mutex.unlock();
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
  });
}

TEST(Mutex, WaitersHaveItInTheOrderOfArrival) {
  const WholeSlices whole_slices;
  Order order;
  goro::run(
      [&] {
        goro::Mutex mutex;
        goro::Mutex* m = &mutex;
        Order* out = &order;
        const goro::WaitGroup group;
        mutex.lock();
        for (int i = 1; i <= 6; ++i) {
          group.go([=] {
            m->lock();
            out->push_back(i);
            m->unlock();
          });
          let_others_park();
        }
        mutex.unlock();
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(order, (Order{1, 2, 3, 4, 5, 6}));
}

// The state of a mutex: its first word.
int state_of(const goro::Mutex& mutex) {
  return reinterpret_cast<const goro::MutexWords*>(&mutex)->state.load();
}

TEST(Mutex, AWaiterThatStarvesGetsItHandedOver) {
  const WholeSlices whole_slices;
  GORO_STEP("goroutine 2 waits for more than a millisecond, is woken, and finds it locked again");
  goro::run(
      [&] {
        goro::Mutex mutex;
        goro::Mutex* m = &mutex;
        bool had_it = false;
        bool* had = &had_it;
        mutex.lock();
        const goro::WaitGroup group;
        group.go([=] {
          m->lock();
          *had = true;
          m->unlock();
        });
        let_others_park();
        goro::system_call([] { ::usleep(3000); });
        mutex.unlock();  // wakes it, and it has yet to run
        ASSERT_TRUE(mutex.try_lock()) << "in normal mode a newcomer may be quicker";
        let_others_park();
        EXPECT_NE(state_of(mutex) & goro::kMutexStarving, 0)
            << "it waited for 3 ms and found it locked: starvation mode";
        EXPECT_FALSE(had_it);
        mutex.unlock();
        EXPECT_TRUE(had_it) << "unlock must hand it over and let the waiter run at once";
        EXPECT_EQ(state_of(mutex), 0) << "the last waiter ends starvation mode";
        group.wait();
      },
      {.procs = 1});
}

TEST(Mutex, StarvationModeKeepsNewcomersOut) {
  const WholeSlices whole_slices;
  goro::run(
      [&] {
        goro::Mutex mutex;
        goro::Mutex* m = &mutex;
        Order order;
        Order* out = &order;
        mutex.lock();
        const goro::WaitGroup group;
        for (int i = 1; i <= 2; ++i) {
          group.go([=] {
            m->lock();
            out->push_back(i);
            m->unlock();
          });
          let_others_park();
        }
        goro::system_call([] { ::usleep(3000); });
        mutex.unlock();
        mutex.lock();  // beats goroutine 1, which was woken
        let_others_park();
        EXPECT_NE(state_of(mutex) & goro::kMutexStarving, 0);
        group.go([=] {
          EXPECT_FALSE(m->try_lock());
          m->lock();
          out->push_back(3);
          m->unlock();
        });
        let_others_park();
        mutex.unlock();
        group.wait();
        EXPECT_EQ(order, (Order{1, 2, 3})) << "first come, first served";
        EXPECT_EQ(state_of(mutex), 0);
      },
      {.procs = 1});
}

TEST(Mutex, NobodyStarvesBesideAGreedyOne) {
  goro::run(
      [&] {
        goro::Mutex mutex;
        goro::Mutex* m = &mutex;
        std::atomic<bool> stop{false};
        std::atomic<bool>* s = &stop;
        const goro::WaitGroup group;
        group.go([=] {
          while (!s->load()) {
            m->lock();
            for (int i = 0; i < 2000; ++i) asm volatile("");
            m->unlock();
          }
        });
        for (int i = 0; i < 100; ++i) {
          goro::sleep(50us);
          const std::lock_guard guard(mutex);
        }
        stop.store(true);
        group.wait();
      },
      {.procs = 2});
}

// ---- stand_back ----

// How many pauses somebody makes who wants m, when `happens` is called during each rest.
template <typename F>
int pauses_beside(goro::MutexWords* m, F happens) {
  int sum = 0;
  goro::stand_back_by(m, [&](int pauses) {
    sum += pauses;
    happens();
  });
  return sum;
}

TEST(StandBack, GoesByWhatHappensToTheMutex) {
  goro::MutexWords m;
  const auto nothing = [] {};
  EXPECT_EQ(pauses_beside(&m, nothing), 4) << "unlocked: try at once";
  m.state.store(goro::kMutexLocked);
  const int one_holder = pauses_beside(&m, nothing);
  EXPECT_EQ(one_holder, 4 + 8 + 16 + 32) << "one holder for as long as a spin takes: park";
  EXPECT_EQ(pauses_beside(&m, [&] { m.taken.fetch_add(1); }), 252)
      << "somebody else has it at each look: sections are short, one of them will be the last";
  EXPECT_EQ(pauses_beside(&m, [&] { m.taken.fetch_add(4); }), 1020)
      << "it is passed on all the time: out of the way, but not for ever";
  int rests = 0;
  EXPECT_EQ(pauses_beside(&m,
                          [&] {
                            if (++rests <= 3) m.taken.fetch_add(4);
                            if (rests == 4) m.state.store(0);
                          }),
            4 + 8 + 16 + 32)
      << "it was passed on three times, and then it was free";
  m.state.store(goro::kMutexLocked + goro::kMutexStarving);
  EXPECT_EQ(pauses_beside(&m, nothing), 4) << "starving: it goes to one that waits already";
}

TEST(StandBack, TheCountMayOverflow) {
  goro::MutexWords m;
  m.state.store(goro::kMutexLocked);
  m.taken.store(std::uint32_t{0} - 2);
  EXPECT_EQ(pauses_beside(&m, [&] { m.taken.fetch_add(4); }), 1020);
}

TEST(StandBack, WhoeverLocksIsCounted) {
  goro::run([] {
    goro::MutexWords m;
    goro::mutex_lock(&m);
    EXPECT_FALSE(goro::mutex_try_lock(&m));
    goro::mutex_unlock(&m);
    EXPECT_TRUE(goro::mutex_try_lock(&m));
    goro::mutex_unlock(&m);
    EXPECT_EQ(m.taken.load(), 2U) << "lock and try_lock, and not the try that failed";
  });
}

TEST(StandBack, EndsThoughOthersPassTheMutexOnForEver) {
  const WholeSlices whole_slices;
  goro::run(
      [] {
        goro::MutexWords m;
        std::atomic<bool> stop{false};
        const goro::WaitGroup group;
        group.go([&] {
          while (!stop.load()) m.taken.fetch_add(100);
        });
        m.state.store(goro::kMutexLocked);
        goro::stand_back(&m);  // else the test's time limit ends it
        stop.store(true);
        group.wait();
      },
      {.procs = 2});
}

TEST(Mutex, UnlockOfAnUnlockedOneIsFatal) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      try {
        goro::Mutex().unlock();
      } catch (...) {
      }
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("fatal error: sync: unlock of unlocked mutex\n")) << end.err;
}

TEST(Mutex, ADeadlockNamesTheWait) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      goro::Mutex mutex;
      mutex.lock();
      mutex.lock();
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("goroutine 1 [sync.Mutex.Lock]:")) << end.err;
}

TEST(Mutex, ManyAtOnceAreKeptApart) {
  constexpr int kMutexes = 600 * kScale;
  GORO_STEP(kMutexes, " mutexes, each with two that wait: they share 251 roots");
  std::atomic<int> count{0};
  goro::run(
      [&] {
        std::atomic<int>* c = &count;
        const auto mutexes = std::make_unique<goro::Mutex[]>(kMutexes);
        const goro::WaitGroup group;
        for (int i = 0; i < kMutexes; ++i) {
          goro::Mutex* m = &mutexes[static_cast<std::size_t>(i)];
          m->lock();
          for (int n = 0; n < 2; ++n) {
            group.go([=] {
              m->lock();
              c->fetch_add(1);
              m->unlock();
            });
          }
        }
        let_others_park();
        for (int i = 0; i < kMutexes; ++i) {
          mutexes[static_cast<std::size_t>(i * 7 % kMutexes)].unlock();
        }
        group.wait();
      },
      {.procs = 3});
  EXPECT_EQ(count.load(), 2 * kMutexes);
}

TEST(Mutex, IsForgottenByARunThatEnds) {
  const WholeSlices whole_slices;
  auto mutex = std::make_unique<goro::Mutex>();
  goro::Mutex* m = mutex.get();
  goro::run(
      [&] {
        m->lock();
        for (int i = 0; i < 3; ++i) goro::go([m] { m->lock(); });
        let_others_park();
      },
      {.procs = 1});
  // The same address again: nobody may be left in the table.
  mutex.reset();
  for (int round = 0; round < 10; ++round) {
    goro::run(
        [] {
          goro::Semaphore one(0);
          goro::Semaphore* s = &one;
          goro::go([s] { s->release(); });
          one.acquire();
        },
        {.procs = 1});
  }
}

// ---- RWMutex ----

TEST(RWMutex, ReadersShareAndWritersDoNot) {
  std::atomic<int> inside{0};
  std::atomic<int> wrong{0};
  goro::run(
      [&] {
        goro::RWMutex mutex;
        goro::RWMutex* m = &mutex;
        const auto in = &inside;
        const auto bad = &wrong;
        {
          // Readers that may not meet wait here for ever.
          std::atomic<int> readers{0};
          const auto met = &readers;
          const goro::WaitGroup pair;
          for (int i = 0; i < 2; ++i) {
            pair.go([=] {
              const std::shared_lock lock(*m);
              met->fetch_add(1);
              while (met->load() != 2) goro::yield();
            });
          }
          pair.wait();
        }
        const goro::WaitGroup group;
        for (int i = 0; i < 10; ++i) {
          group.go([=] {
            for (int n = 0; n < 100 * kScale; ++n) {
              const std::shared_lock lock(*m);
              if (in->fetch_add(1) + 1 > 1000) bad->fetch_add(1);
              goro::yield();
              in->fetch_sub(1);
            }
          });
        }
        for (int i = 0; i < 3; ++i) {
          group.go([=] {
            for (int n = 0; n < 50 * kScale; ++n) {
              const std::lock_guard lock(*m);
              if (in->fetch_add(100000) != 0) bad->fetch_add(1);
              goro::yield();
              if (in->fetch_sub(100000) != 100000) bad->fetch_add(1);
            }
          });
        }
        group.wait();
      },
      {.procs = 4});
  EXPECT_EQ(wrong.load(), 0) << "a writer was not alone";
}

TEST(RWMutex, AWriterThatWaitsKeepsNewReadersOut) {
  const WholeSlices whole_slices;
  std::string order;
  goro::run(
      [&] {
        goro::RWMutex mutex;
        goro::RWMutex* m = &mutex;
        std::string* out = &order;
        const goro::WaitGroup group;
        mutex.lock_shared();
        group.go([=] {
          m->lock();
          *out += 'w';
          m->unlock();
        });
        let_others_park();
        EXPECT_FALSE(mutex.try_lock_shared()) << "a writer waits";
        EXPECT_FALSE(mutex.try_lock());
        group.go([=] {
          m->lock_shared();
          *out += 'r';
          m->unlock_shared();
        });
        let_others_park();
        EXPECT_EQ(order, "");
        mutex.unlock_shared();
        group.wait();
        EXPECT_TRUE(mutex.try_lock_shared());
        mutex.unlock_shared();
        EXPECT_TRUE(mutex.try_lock());
        mutex.unlock();
      },
      {.procs = 1});
  EXPECT_EQ(order, "wr");
}

TEST(RWMutex, MisuseIsFatalInGosWords) {
  ChildEnd end = in_child([] { goro::run([] { goro::RWMutex().unlock_shared(); }); });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("fatal error: sync: RUnlock of unlocked RWMutex\n")) << end.err;
  end = in_child([] { goro::run([] { goro::RWMutex().unlock(); }); });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("fatal error: sync: Unlock of unlocked RWMutex\n")) << end.err;
}

TEST(RWMutex, DeadlocksNameTheWait) {
  ChildEnd end = in_child([] {
    goro::run([] {
      goro::RWMutex mutex;
      mutex.lock();
      mutex.lock_shared();
    });
  });
  EXPECT_TRUE(end.says("goroutine 1 [sync.RWMutex.RLock]:")) << end.err;
  end = in_child([] {
    goro::run([] {
      goro::RWMutex mutex;
      mutex.lock_shared();
      mutex.lock();
    });
  });
  EXPECT_TRUE(end.says("goroutine 1 [sync.RWMutex.Lock]:")) << end.err;
}

// ---- Once ----

TEST(Once, RunsOnceAndOthersWaitForIt) {
  std::atomic<int> runs{0};
  std::atomic<int> early{0};
  goro::run(
      [&] {
        goro::Once once;
        goro::Once* o = &once;
        const auto r = &runs;
        const auto e = &early;
        const goro::WaitGroup group;
        for (int i = 0; i < 50; ++i) {
          group.go([=] {
            o->do_once([=] {
              for (int n = 0; n < 5; ++n) goro::yield();
              r->fetch_add(1);
            });
            if (r->load() != 1) e->fetch_add(1);
          });
        }
        group.wait();
      },
      {.procs = 4});
  EXPECT_EQ(runs.load(), 1);
  EXPECT_EQ(early.load(), 0) << "do_once returned before it was done";
}

TEST(Once, IsDoneAlsoIfItThrows) {
  goro::run([] {
    goro::Once once;
    expect_panic("boom", [&] { once.do_once([] { throw goro::Panic("boom"); }); });
    bool again = false;
    once.do_once([&] { again = true; });
    EXPECT_FALSE(again);
  });
}

// ---- Cond ----

TEST(Cond, BroadcastWakesInGosOrder) {
  const WholeSlices whole_slices;
  Order order;
  goro::run(
      [&] {
        goro::Mutex mutex;
        goro::Cond cond(mutex);
        goro::Mutex* m = &mutex;
        goro::Cond* c = &cond;
        Order* out = &order;
        const goro::WaitGroup group;
        for (int i = 1; i <= 6; ++i) {
          group.go([=] {
            m->lock();
            c->wait();
            out->push_back(i);
            m->unlock();
          });
          let_others_park();
        }
        cond.broadcast();
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(order, kLastFirst);
}

TEST(Cond, SignalWakesTheOneThatHasWaitedLongest) {
  const WholeSlices whole_slices;
  Order order;
  goro::run(
      [&] {
        goro::Mutex mutex;
        goro::Cond cond(mutex);
        goro::Mutex* m = &mutex;
        goro::Cond* c = &cond;
        Order* out = &order;
        for (int i = 1; i <= 6; ++i) {
          goro::go([=] {
            m->lock();
            c->wait();
            out->push_back(i);
            m->unlock();
          });
          let_others_park();
        }
        cond.signal();
        let_others_park();
        EXPECT_EQ(order, (Order{1}));
        cond.signal();
        cond.signal();
        let_others_park();
        cond.signal();
        cond.signal();
        cond.signal();
        cond.signal();  // nobody
        let_others_park();
      },
      {.procs = 1});
  EXPECT_EQ(order.size(), 6U);
  EXPECT_EQ(order[0], 1);
}

TEST(Cond, ABoundedQueueLosesNothing) {
  for (const int procs : {1, 4}) {
    std::int64_t sum = 0;
    constexpr int kItems = 2000 * kScale;
    goro::run(
        [&] {
          struct Queue {
            goro::Mutex mutex;
            goro::Cond not_empty{mutex};
            goro::Cond not_full{mutex};
            std::vector<int> items;
            std::int64_t sum = 0;
            int taken = 0;
          } queue;
          Queue* q = &queue;
          const goro::WaitGroup group;
          for (int p = 0; p < 4; ++p) {
            group.go([=] {
              for (int n = 1; n <= kItems; ++n) {
                const std::lock_guard guard(q->mutex);
                while (q->items.size() == 3) q->not_full.wait();
                q->items.push_back(n);
                q->not_empty.signal();
              }
            });
            group.go([=] {
              for (int n = 1; n <= kItems; ++n) {
                const std::lock_guard guard(q->mutex);
                while (q->items.empty()) q->not_empty.wait();
                q->sum += q->items.back();
                q->items.pop_back();
                q->not_full.signal();
              }
            });
          }
          group.wait();
          sum = queue.sum;
        },
        {.procs = procs});
    EXPECT_EQ(sum, std::int64_t{4} * kItems * (kItems + 1) / 2);
  }
}

TEST(Cond, ADeadlockNamesTheWait) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      goro::Mutex mutex;
      goro::Cond cond(mutex);
      mutex.lock();
      cond.wait();
    });
  });
  EXPECT_TRUE(end.says("goroutine 1 [sync.Cond.Wait]:")) << end.err;
}

// ---- Semaphore ----

TEST(Semaphore, LetsInAsManyAsItSays) {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  goro::run(
      [&] {
        goro::Semaphore permits(3);
        goro::Semaphore* s = &permits;
        const auto in = &inside;
        const auto top = &most;
        const goro::WaitGroup group;
        for (int i = 0; i < 20; ++i) {
          group.go([=] {
            for (int n = 0; n < 50 * kScale; ++n) {
              s->acquire();
              const int now = in->fetch_add(1) + 1;
              if (now > top->load()) top->store(now);
              if (n % 5 == 0) goro::yield();
              in->fetch_sub(1);
              s->release();
            }
          });
        }
        group.wait();
        EXPECT_TRUE(permits.try_acquire());
        EXPECT_TRUE(permits.try_acquire());
        EXPECT_TRUE(permits.try_acquire());
        EXPECT_FALSE(permits.try_acquire());
      },
      {.procs = 4});
  EXPECT_LE(most.load(), 3);
}

TEST(Semaphore, ThreadsOutsideMayRelease) {
  goro::run(
      [&] {
        goro::Semaphore permits(0);
        goro::go([] { goro::sleep(1h); });
        std::thread thread([&] {
          for (int i = 0; i < 1000; ++i) permits.release();
        });
        for (int i = 0; i < 1000; ++i) permits.acquire();
        thread.join();
      },
      {.procs = 2});
}

TEST(Semaphore, ADeadlockNamesTheWait) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      goro::Semaphore none(0);
      none.acquire();
    });
  });
  EXPECT_TRUE(end.says("goroutine 1 [semacquire]:")) << end.err;
}

// The program whose order everybody knows.
TEST(Order, AHundredGoroutinesOnOneP) {
  const WholeSlices whole_slices;
  Order order;
  goro::run(
      [&] {
        Order* out = &order;
        const goro::WaitGroup group;
        for (int i = 0; i < 100; ++i) group.go([out, i] { out->push_back(i); });
        group.wait();
      },
      {.procs = 1});
  Order expected{99};
  for (int i = 0; i < 99; ++i) expected.push_back(i);
  EXPECT_EQ(order, expected);
}

}  // namespace
