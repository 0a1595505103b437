// Many threads, watched by ThreadSanitizer: plain memory that only the slot's synchronisation keeps
// apart. Goroutines report their end through a channel, so that each test needs its own steps only.
#include <atomic>
#include <thread>

#include "support.h"

namespace goro::testing {
namespace {

constexpr int kGoroutines = 8;
constexpr int kRounds = 200;

// Runs `each` in kGoroutines goroutines on four Ps, and waits for their end.
template <typename F>
void run_many(F each) {
  goro::run(
      [&] {
        const Channel<int> ended(kGoroutines);
        for (int i = 0; i < kGoroutines; ++i) {
          go([i, each, ended] {
            each(i);
            ended.send(i);
          });
        }
        for (int i = 0; i < kGoroutines; ++i) ended.receive();
      },
      {.procs = 4});
}

TEST(Race, ASemaphoreOfOneKeepsOthersOut) {
  Count count{1};
  int plain = 0;
  GORO_STEP("four Ps: ", kGoroutines, " goroutines count in plain memory, ", kRounds,
            " times each, between semacquire1 and semrelease1 of a semaphore of 1");
  run_many([c = &count, n = &plain](int i) {
    for (int round = 0; round < kRounds; ++round) {
      semacquire1(c, false, WaitReason::semacquire);
      ++*n;
      if (round % 16 == i) yield();
      semrelease1(c, i % 2 == 0);
    }
  });
  EXPECT_EQ(plain, kGoroutines * kRounds) << "two were inside at the same time";
  EXPECT_EQ(count.load(), 1U) << "the one permit must be there in the end, once";
}

TEST(Race, WhoWaitsForAGroupSeesWhatItWrote) {
  constexpr int kTurns = 60;
  int plain[kGoroutines] = {};
  std::atomic<int> wrong{0};
  GORO_STEP("four Ps, ", kTurns, " times: ", kGoroutines,
            " goroutines write plain memory and call done(); two goroutines wait, and read it");
  goro::run(
      [&] {
        const Channel<int> waited(2);
        for (int turn = 1; turn <= kTurns; ++turn) {
          const WaitGroup group;
          group.add(kGoroutines);
          for (int& mine : plain) {
            go([out = &mine, turn, group] {
              *out = turn;
              group.done();
            });
          }
          for (int i = 0; i < 2; ++i) {
            go([from = plain, turn, group, waited, bad = &wrong] {
              group.wait();
              for (int n = 0; n < kGoroutines; ++n) {
                if (from[n] != turn) bad->fetch_add(1);
              }
              waited.send(1);
            });
          }
          for (int i = 0; i < 2; ++i) waited.receive();
        }
      },
      {.procs = 4});
  EXPECT_EQ(wrong.load(), 0)
      << "wait() returned before a goroutine of the group had written: woken too early";
}

TEST(Race, AMutexKeepsOthersOut) {
  Mutex mutex;
  int plain = 0;
  GORO_STEP("four Ps: ", kGoroutines, " goroutines count in plain memory, ", kRounds,
            " times each, under a mutex");
  run_many([m = &mutex, n = &plain](int i) {
    for (int round = 0; round < kRounds; ++round) {
      m->lock();
      ++*n;
      if (round % 16 == i) yield();
      m->unlock();
    }
  });
  EXPECT_EQ(plain, kGoroutines * kRounds) << "two had the mutex at the same time";
  EXPECT_EQ(reinterpret_cast<const MutexWords*>(&mutex)->state.load(), 0)
      << "nobody has it and nobody waits: the state must be 0 again";
}

TEST(Race, AWriterIsAloneAndReadersSeeWhatItWrote) {
  RWMutex mutex;
  int first = 0;
  int second = 0;
  std::atomic<int> wrong{0};
  GORO_STEP("four Ps: two goroutines write two plain numbers, six read and compare them");
  run_many([m = &mutex, a = &first, b = &second, bad = &wrong](int i) {
    for (int round = 0; round < kRounds / 2; ++round) {
      if (i < 2) {
        m->lock();
        ++*a;
        if (round % 8 == 0) yield();
        ++*b;
        m->unlock();
      } else {
        m->lock_shared();
        if (*a != *b) bad->fetch_add(1);
        if (round % 8 == i) yield();
        m->unlock_shared();
      }
    }
  });
  EXPECT_EQ(wrong.load(), 0) << "a reader was inside together with a writer";
  EXPECT_EQ(first, kRounds) << "two writers were inside at the same time";
}

TEST(Race, AQueueWithConditionsLosesNothing) {
  struct Queue {
    Mutex mutex;
    Cond not_empty{mutex};
    Cond not_full{mutex};
    std::vector<int> items;
    int taken = 0;
    std::int64_t sum = 0;
  } queue;
  GORO_STEP("four Ps: four goroutines put ", kRounds,
            " numbers each into a queue of three, four take them");
  run_many([q = &queue](int i) {
    for (int n = 1; n <= kRounds; ++n) {
      q->mutex.lock();
      if (i % 2 == 0) {
        while (q->items.size() == 3) q->not_full.wait();
        q->items.push_back(n);
        q->not_empty.signal();
      } else {
        while (q->items.empty()) q->not_empty.wait();
        q->sum += q->items.back();
        q->items.pop_back();
        ++q->taken;
        // Also a broadcast, though one place is free: those who find none wait again.
        if (n % 5 == 0) {
          q->not_full.broadcast();
        } else {
          q->not_full.signal();
        }
      }
      q->mutex.unlock();
    }
  });
  EXPECT_EQ(queue.taken, 4 * kRounds) << "every number must be taken, once";
  EXPECT_EQ(queue.sum, std::int64_t{4} * kRounds * (kRounds + 1) / 2)
      << "every number must be taken, once";
}

// ---- single functions; between the threads there is no other synchronisation than theirs ----

constexpr std::size_t kPairs = 500;

TEST(Race, WhoLocksSeesWhatTheLastHolderWrote) {
  constexpr std::int32_t kSomebodyIsAwake = (1 << kMutexWaiterShift) + kMutexWoken;
  FakeM fake(2);
  std::vector<MutexWords> mutexes(kPairs);
  for (MutexWords& m : mutexes) m.state.store(kSomebodyIsAwake + kMutexLocked);
  std::vector<std::size_t> plain(kPairs);
  std::size_t wrong = 0;
  GORO_STEP("a thread has ", kPairs, " mutexes, writes plain memory for each, and unlocks it");
  GORO_STEP("another one sees a mutex unlocked (relaxed), calls mutex_lock_slow, and reads that");
  std::thread holder([&] {
    const FakeThread thread(fake.p(1));
    for (std::size_t i = 0; i < kPairs; ++i) {
      plain[i] = i + 1;
      mutexes[i].state.fetch_sub(kMutexLocked, std::memory_order_release);
    }
  });
  for (std::size_t i = 0; i < kPairs; ++i) {
    while ((mutexes[i].state.load(std::memory_order_relaxed) & kMutexLocked) != 0) {
      std::this_thread::yield();
    }
    mutex_lock_slow(&mutexes[i]);
    if (plain[i] != i + 1) ++wrong;
  }
  holder.join();
  EXPECT_EQ(wrong, 0U)
      << "the exchange that locks needs acquire: whoever has the mutex must see what "
         "the last holder wrote";
}

TEST(Race, AWriterComesAfterAllThatReadersDid) {
  FakeM fake(3);
  std::vector<RWMutexWords> mutexes(kPairs);
  for (RWMutexWords& rw : mutexes) {
    rw.reader_count.store(1 - kRWMutexMaxReaders);
    rw.reader_wait.store(2);
  }
  std::vector<std::size_t> plain[2] = {std::vector<std::size_t>(kPairs),
                                       std::vector<std::size_t>(kPairs)};
  std::size_t wrong = 0;
  GORO_STEP("two threads read, ", kPairs, " times, note that down in plain memory, and leave");
  GORO_STEP("the writer gets the permit of the last of them, and looks at both notes");
  std::vector<std::thread> readers;
  for (int n = 0; n < 2; ++n) {
    readers.emplace_back([&, n] {
      const FakeThread thread(fake.p(n + 1));
      for (std::size_t i = 0; i < kPairs; ++i) {
        plain[n][i] = i + 1;
        rw_runlock_slow(&mutexes[i], 1 - kRWMutexMaxReaders);
      }
    });
  }
  for (std::size_t i = 0; i < kPairs; ++i) {
    while (!cansemacquire(&mutexes[i].writer_sem)) std::this_thread::yield();
    for (const std::vector<std::size_t>& notes : plain) {
      if (notes[i] != i + 1) ++wrong;
    }
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0U)
      << "only the last reader wakes the writer, in the name of all: reader_wait must "
         "be counted down with acq_rel, or the others' work is not ordered before it";
}

}  // namespace
}  // namespace goro::testing
