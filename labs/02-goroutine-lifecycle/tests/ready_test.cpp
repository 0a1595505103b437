// Step 6: ready and goready.
#include <atomic>
#include <thread>
#include "support.h"

namespace goro::lab02 {

TEST(Ready, PutsIntoRunnextAndKicksOut) {
  World world;
  P* pp = world->p();
  GORO_STEP("one goroutine in the ring, one in runnext");
  G* in_ring = world->g();
  G* was_next = world->g();
  runq_put(pp, in_ring, false);
  runq_put(pp, was_next, true);
  GORO_STEP("ready of a goroutine that waits");
  G* gp = world->g(GStatus::waiting);
  ready(gp);
  EXPECT_EQ(status_name_of(gp), "runnable") << "ready makes a waiting goroutine runnable";
  EXPECT_EQ(pp->runnext.load(), gp)
      << "ready puts the goroutine into runnext: it most likely wants what its waker just made";
  EXPECT_EQ(sched.runqsize.load(), 0) << "ready uses this P's queue, not the global one";
  bool inherit = false;
  std::vector<std::uint64_t> order;
  while (G* next = runq_get(pp, &inherit)) order.push_back(next->goid);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{gp->goid, in_ring->goid, was_next->goid}))
      << "the goroutine that was in runnext must go to the tail of the ring, not be lost";
}

TEST(Ready, WakesAnIdleProcessor) {
  World world(2);
  GORO_STEP("P1 is idle, and a thread sleeps that could run it");
  M sleeper;
  sleeper.g0 = &sleeper.g0_storage;
  sched.midle = &sleeper;
  sched.nmidle = 1;
  sched.pidle = world->p(1);
  sched.npidle.store(1);
  GORO_STEP("ready of a goroutine that waits");
  ready(world->g(GStatus::waiting));
  EXPECT_EQ(sched.npidle.load(), 0)
      << "ready must call wakep: there is work, a P is idle, and nobody is looking for work";
  EXPECT_EQ(sleeper.nextp, world->p(1)) << "wakep hands the idle P to the M that sleeps";
  EXPECT_NE(world->p(0)->runnext.load(), nullptr) << "the goroutine itself is in this P's runnext";
}

TEST(Ready, TwiceIsFatal) {
  World world;
  GORO_STEP("ready of a goroutine that waits");
  G* gp = world->g(GStatus::waiting);
  ready(gp);
  GORO_STEP("ready of the same goroutine once more, in a process of its own");
  const ChildEnd ending = in_child([&] { ready(gp); });
  EXPECT_TRUE(ending.fatal_with("casgstatus: "))
      << "readied twice, a goroutine would be on two queues; ready moves it from waiting, and "
         "casgstatus "
         "must end the program with status 2. "
      << ending.told();
}

TEST(Ready, GoreadyRunsItNext) {
  std::string order;
  run(
      [&] {
        leave_the_first_slice();
        std::string* out = &order;
        order.reserve(16);
        G* parked = nullptr;
        GORO_STEP("a goroutine P parks");
        go([out, parked = &parked] {
          *parked = getg();
          gopark(nullptr, nullptr, WaitReason::sleep);
          *out += 'P';
        });
        yield_until([&] { return parked != nullptr && status_of(parked) == GStatus::waiting; },
                    1000);
        GORO_STEP("goroutine 1 starts A, then B, and then calls goready(P) from its own stack");
        leave_the_first_slice();
        go([out] { *out += 'A'; });
        go([out] { *out += 'B'; });
        goready(parked);
        EXPECT_TRUE(getg() != nullptr && !on_g0())
            << "goready must return to the goroutine's own stack";
        GORO_STEP("goroutine 1 yields");
        yield_until([&] { return order.size() == 3; }, 1000);
      },
      {.procs = 1});
  EXPECT_EQ(order, "PAB")
      << "the readied goroutine is in runnext and runs next; B, which was there, runs "
         "after A";
}

// A full ring, so that ready has to take sched.lock to make room. With `meet`, another thread holds
// the lock until ready has come to it.
void goready_into_a_full_ring(bool meet) {
  run(
      [meet] {
        G* parked = nullptr;
        go([parked = &parked] {
          *parked = getg();
          gopark(nullptr, nullptr, WaitReason::sleep);
        });
        yield_until([&] { return parked != nullptr && status_of(parked) == GStatus::waiting; });
        leave_the_first_slice();
        for (std::uint32_t i = 0; i <= kRunqSize; ++i) go([] {});
        P* pp = own_p();
        const std::uint32_t head = pp->runqhead.load();
        std::atomic<bool> held{false};
        std::thread holder([&] {
          if (!meet) return held.store(true);
          sched.lock.lock();
          held.store(true);
          // The ring's head moves just before the lock is asked for.
          while (pp->runqhead.load() == head) std::this_thread::yield();
          for (int i = 0; i < 1000; ++i) std::this_thread::yield();
          sched.lock.unlock();
        });
        while (!held.load()) std::this_thread::yield();
        goready(parked);
        holder.join();
      },
      {.procs = 1});
}

TEST(Ready, GoreadyDoesItsWorkOnG0) {
  GORO_STEP("a goroutine parks, goroutine 1 fills its P's ring and calls goready(the parked one)");
  goready_into_a_full_ring(false);
  GORO_STEP(
      "the same again, in a process of its own, while a thread holds the scheduler's lock, which "
      "ready needs for the overflow");
  const ChildEnd ending = in_child([] { goready_into_a_full_ring(true); });
  EXPECT_TRUE(ending.status == 0)
      << "ready belongs on g0: on a goroutine's stack it could be interrupted, and moved to "
         "another M, while it holds a lock or writes the ring of a P. goready must call it "
         "through systemstack. "
      << ending.told();
}

}  // namespace goro::lab02
