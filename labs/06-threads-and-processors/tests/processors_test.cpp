// Notes, idle lists, starting Ms, stopping the world, locked threads.
#include "contracts/processors.h"

#include <unistd.h>

#include <atomic>
#include <thread>

#include "contracts/getg.h"
#include "contracts/services/scheduling.h"
#include "goro/goro.h"
#include "testing/fake.h"
#include "testing/story.h"

namespace goro::testing {
namespace {

TEST(Notes, AWakeupBeforeTheSleepIsNotLost) {
  Note note;
  GORO_STEP("wake the note, then sleep on it");
  note.wakeup();
  note.sleep();
  EXPECT_TRUE(note.is_set());
  GORO_STEP("clear it, sleep on it, and let another thread wake it");
  note.clear();
  int written = 0;
  std::thread waker([&] {
    written = 7;
    note.wakeup();
  });
  note.sleep();
  EXPECT_EQ(written, 7) << "what the waker wrote before wakeup must be there for the sleeper";
  waker.join();
}

TEST(Notes, ATimedSleepEndsByItself) {
  Note note;
  EXPECT_FALSE(note.sleep_for(1'000'000)) << "nobody woke the note";
  note.wakeup();
  EXPECT_TRUE(note.sleep_for(1'000'000'000'000));
}

TEST(IdleLists, LastInFirstOut) {
  FakeM fake(3);
  releasep();
  sched.lock.lock();
  for (int i = 0; i < 3; ++i) {
    fake.p(i)->status.store(static_cast<std::uint32_t>(PStatus::idle));
    pidleput(fake.p(i));
  }
  EXPECT_EQ(sched.npidle.load(), 3);
  EXPECT_EQ(sched.idlepmask[0].load(), 7U) << "one bit for each idle P";
  EXPECT_EQ(pidleget(), fake.p(2)) << "the P that went idle last is the warmest";
  EXPECT_EQ(sched.idlepmask[0].load(), 3U);
  EXPECT_EQ(pidleget(), fake.p(1));
  EXPECT_EQ(pidleget(), fake.p(0));
  EXPECT_EQ(sched.npidle.load(), 0);
  EXPECT_FALSE(sched.needspinning.load());
  EXPECT_EQ(pidleget_spinning(), nullptr);
  EXPECT_TRUE(sched.needspinning.load()) << "somebody found work and no P: the flag must be set";
  sched.lock.unlock();
}

TEST(Threads, WakepStartsOneSpinningM) {
  FakeM fake(3);
  M sleeper;
  sched.mcount = 2;
  sched.lock.lock();
  for (int i = 1; i < 3; ++i) {
    fake.p(i)->status.store(static_cast<std::uint32_t>(PStatus::idle));
    pidleput(fake.p(i));
  }
  mput(&sleeper);
  sched.lock.unlock();
  wakep();
  EXPECT_EQ(sleeper.nextp, fake.p(2)) << "the M that was woken must have the idle P in its hands";
  EXPECT_TRUE(sleeper.spinning);
  EXPECT_TRUE(sleeper.park.is_set());
  EXPECT_EQ(sched.nmspinning.load(), 1);
  wakep();
  EXPECT_EQ(sched.npidle.load(), 1) << "while one M spins, no other is woken";
}

TEST(World, MaxProcsIsLive) {
  std::atomic<int> done{0};
  goro::run(
      [&] {
        WaitGroup group;
        for (int i = 0; i < 50; ++i) {
          group.go([d = &done] {
            for (int n = 0; n < 50; ++n) yield();
            d->fetch_add(1);
          });
        }
        for (int i = 0; i < 30; ++i) {
          EXPECT_EQ(max_procs(1 + i % 4), i == 0 ? 2 : 1 + (i - 1) % 4);
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(done.load(), 50);
}

TEST(Locked, AGoroutineKeepsItsThread) {
  std::atomic<int> moved{0};
  goro::run(
      [&] {
        WaitGroup group;
        for (int i = 0; i < 4; ++i) {
          group.go([m = &moved] {
            lock_os_thread();
            const pid_t thread = gettid();
            for (int n = 0; n < 100; ++n) {
              yield();
              if (gettid() != thread) m->fetch_add(1);
            }
            unlock_os_thread();
          });
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(moved.load(), 0);
}

}  // namespace
}  // namespace goro::testing
