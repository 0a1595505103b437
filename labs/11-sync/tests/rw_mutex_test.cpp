// Step 4: readers and writers.
#include <string>

#include "support.h"
#include "testing/child.h"

namespace goro::testing {
namespace {

constexpr std::int32_t kMax = kRWMutexMaxReaders;

TEST(ReaderUnlock, OfAnUnlockedOneIsFatal) {
  FakeM fake;
  GORO_STEP("unlock_shared by one of two readers, while a writer waits: no mistake");
  RWMutexWords read;
  read.reader_count.store(1 - kMax);
  read.reader_wait.store(2);
  rw_runlock_slow(&read, 1 - kMax);
  for (const std::int32_t now : {-1, -1 - kMax}) {
    GORO_STEP("unlock_shared by somebody who does not read: the count is ", now, " afterwards");
    const ChildEnd ending = in_child([now] {
      RWMutexWords rw;
      rw.reader_count.store(now);
      rw_runlock_slow(&rw, now);
    });
    ASSERT_TRUE(ending.fatal_with("sync: RUnlock of unlocked RWMutex"))
        << "nobody read, whether a writer is there (less kRWMutexMaxReaders) or not. "
        << ending.told();
  }
}

TEST(ReaderUnlock, TheLastReaderWakesTheWriter) {
  FakeM fake;
  RWMutexWords rw;
  rw.reader_count.store(2 - kMax);
  rw.reader_wait.store(2);
  const Waiters writer(fake, &rw.writer_sem, 1);
  GORO_STEP("a writer waits for two readers; the first of them leaves");
  rw.reader_count.fetch_sub(1);
  rw_runlock_slow(&rw, 1 - kMax);
  EXPECT_EQ(writer.woken(), 0) << "one reader is still there: the writer must wait";
  EXPECT_EQ(rw.reader_wait.load(), 1) << "reader_wait counts those that the writer still waits for";
  GORO_STEP("the second leaves");
  rw.reader_count.fetch_sub(1);
  rw_runlock_slow(&rw, -kMax);
  EXPECT_EQ(writer.woken(), 1) << "the last reader wakes the writer, or nobody ever does";
  EXPECT_EQ(rw.reader_wait.load(), 0) << "there is nobody left to wait for";
}

TEST(ReaderUnlock, AReaderThatLeavesBeforeTheWriterHasCountedWakesNobody) {
  FakeM fake;
  RWMutexWords rw;
  rw.reader_count.store(1 - kMax);
  GORO_STEP("a writer has asked, but has not counted the readers yet; the only reader leaves");
  rw.reader_count.fetch_sub(1);
  rw_runlock_slow(&rw, -kMax);
  EXPECT_EQ(rw.reader_wait.load(), -1) << "it counts reader_wait down all the same, below 0; the "
                                          "writer's addition will bring it to 0, "
                                          "and then the writer knows that it need not wait";
  EXPECT_EQ(rw.writer_sem.load(), 0U)
      << "a permit that nobody needs would let the next writer in too early";
}

TEST(WriterLock, WithoutReadersItHasIt) {
  FakeM fake;
  RWMutexWords rw;
  GORO_STEP("nobody is there; a writer locks");
  rw_lock(&rw);
  EXPECT_EQ(rw.reader_count.load(), -kMax)
      << "a count below 0 tells readers that a writer is there";
  EXPECT_EQ(rw.w.state.load(), kMutexLocked)
      << "and the mutex among writers keeps other writers out";
  EXPECT_EQ(rw.reader_wait.load(), 0) << "there was nobody to wait for";
}

TEST(WriterUnlock, LetsInTheReadersThatCame) {
  FakeM fake;
  RWMutexWords rw;
  rw.w.state.store(kMutexLocked);
  rw.reader_count.store(3 - kMax);
  const Waiters readers(fake, &rw.reader_sem, 3);
  GORO_STEP("a writer writes, and three readers came meanwhile; unlock");
  rw_unlock(&rw);
  EXPECT_EQ(readers.woken(), 3)
      << "each reader that came meanwhile is woken: reader_sem once for each";
  EXPECT_EQ(rw.reader_count.load(), 3) << "the three read now; the writer is subtracted no longer";
  EXPECT_EQ(rw.w.state.load(), 0) << "other writers may come";
}

TEST(WriterUnlock, TheNextWriterComesAfterTheReaders) {
  FakeM fake;
  RWMutexWords rw;
  rw.w.state.store(kMutexLocked + (1 << kMutexWaiterShift));
  rw.reader_count.store(2 - kMax);
  const Waiters readers(fake, &rw.reader_sem, 2);
  const Waiters writer(fake, &rw.w.sema, 1);
  GORO_STEP("a writer writes; readers 1 and 2 came meanwhile, and another writer, 3; unlock");
  rw_unlock(&rw);
  EXPECT_EQ(run_order(fake.p()), (Ids{3, 1, 2}))
      << "readers first, the mutex among writers last: else the next writer may ask before the "
         "readers "
         "that waited have been let in (the last that is woken sits in runnext)";
}

TEST(WriterUnlock, OfAnUnlockedOneIsFatal) {
  FakeM fake;
  GORO_STEP("unlock by a writer: no mistake");
  RWMutexWords written;
  written.w.state.store(kMutexLocked);
  written.reader_count.store(-kMax);
  rw_unlock(&written);
  for (const std::int32_t count : {0, 2}) {
    GORO_STEP("unlock without a writer; ", count, " read");
    const ChildEnd ending = in_child([count] {
      RWMutexWords rw;
      rw.reader_count.store(count);
      rw_unlock(&rw);
    });
    ASSERT_TRUE(ending.fatal_with("sync: Unlock of unlocked RWMutex"))
        << "after the addition the count is kRWMutexMaxReaders or more: nobody wrote. "
        << ending.told();
  }
}

TEST(RWMutex, AWriterThatWaitsKeepsNewReadersOut) {
  std::string order;
  std::string early;
  RWMutex mutex;
  G* writer = nullptr;
  G* reader = nullptr;
  bool writer_says = false;
  bool reader_says = false;
  GORO_STEP("one P: goroutine 1 reads; a writer comes and waits; then a reader comes");
  goro::run(
      [&] {
        mutex.lock_shared();
        go([m = &mutex, out = &order, g = &writer] {
          *g = getg();
          m->lock();
          *out += "w";
          m->unlock();
        });
        let_others_run();
        go([m = &mutex, out = &order, g = &reader] {
          *g = getg();
          m->lock_shared();
          *out += "r";
          m->unlock_shared();
        });
        let_others_run();
        early = order;
        writer_says = waits_for(writer, WaitReason::sync_rwmutex_lock);
        reader_says = waits_for(reader, WaitReason::sync_rwmutex_rlock);
        mutex.unlock_shared();
        let_others_run();
      },
      {.procs = 1});
  EXPECT_EQ(early, "")
      << "while goroutine 1 reads the writer waits, and the reader behind it too: else a "
         "stream of readers would keep writers waiting for ever";
  EXPECT_TRUE(writer_says) << "a dump must show [sync.RWMutex.Lock]: WaitReason::sync_rwmutex_lock";
  EXPECT_TRUE(reader_says)
      << "a dump must show [sync.RWMutex.RLock]: WaitReason::sync_rwmutex_rlock";
  EXPECT_EQ(order, "wr") << "the writer first, then the reader that came after it";
}

TEST(RWMutex, AWriterWaitsForAllWhoReadNow) {
  RWMutex mutex;
  bool wrote = false;
  bool too_early = true;
  bool free_again = false;
  GORO_STEP("one P: two read, a writer comes; the readers leave, one after the other");
  goro::run(
      [&] {
        mutex.lock_shared();
        mutex.lock_shared();
        go([m = &mutex, out = &wrote] {
          m->lock();
          *out = true;
          m->unlock();
        });
        let_others_run();
        mutex.unlock_shared();
        let_others_run();
        too_early = wrote;
        mutex.unlock_shared();
        let_others_run();
        free_again = mutex.try_lock();
      },
      {.procs = 1});
  EXPECT_FALSE(too_early) << "one still reads: the writer must wait for all of them";
  EXPECT_TRUE(wrote) << "the last reader must let the writer in";
  EXPECT_TRUE(free_again) << "when all have gone it must be free: reader_count 0, and w unlocked";
}

TEST(RWMutex, WritersTakeTurns) {
  Order order;
  RWMutex mutex;
  GORO_STEP("one P: goroutine 1 writes, writers 2 and 3 wait; unlock");
  goro::run(
      [&] {
        mutex.lock();
        for (int i = 2; i <= 3; ++i) {
          go([i, m = &mutex, out = &order] {
            m->lock();
            out->push_back(i);
            m->unlock();
          });
          let_others_run();
        }
        if (!order.empty()) return;
        mutex.unlock();
        let_others_run();
      },
      {.procs = 1});
  EXPECT_EQ(order, (Order{2, 3}))
      << "rw_lock begins with the mutex among writers, and rw_unlock ends with it";
}

}  // namespace
}  // namespace goro::testing
