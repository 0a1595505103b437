// Steps 1 and 2 with company: thieves take from the head and from runnext at any moment.
#include <algorithm>
#include <atomic>
#include <thread>

#include "interrupt.h"
#include "queue_test.h"

namespace goro::testing {

TEST(Thieves, NeverSeeASlotBeforeItIsWritten) {
  FakeM m;
  P* pp = m.p();
  const auto old = goroutines(&m, kRunqSize);
  G* gp = m.g();
  GORO_STEP(
      "put G257 into an empty ring, whose slots still hold G1 … G256 from before, while a thief "
      "takes");
  for (unsigned at = 1;; ++at) {
    clear(pp);
    put_all(pp, old, 0, kRunqSize);
    get_all(pp);
    const G* stolen = nullptr;
    const Interrupted how = interrupt_after(
        at, [&] { runq_put(pp, gp, false); }, [&] { stolen = steal_oldest(pp); });
    ASSERT_NE(how, Interrupted::stuck) << "runq_put did not come to an end";
    if (how == Interrupted::too_late) break;
    const std::string where =
        "the thief came after instruction " + std::to_string(at) + " of the put";
    if (stolen == nullptr) {
      ASSERT_EQ(show(ring(pp)), "G257") << where;
    } else {
      ASSERT_EQ(name(stolen), "G257")
          << where
          << " and took what was in the slot long ago: write the slot first, then the tail";
      ASSERT_EQ(show(ring(pp)), "nothing") << where << ": G257 is there twice";
    }
  }
}

TEST(Thieves, OwnerAndThiefNeverTakeTheSameFromTheRing) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 5);
  for (const std::uint32_t takes : {1U, 3U, 5U}) {
    GORO_STEP("the ring holds G1 … G5; runq_get, while a thief takes ", takes);
    for (unsigned at = 1;; ++at) {
      SCOPED_TRACE("the thief came after instruction " + std::to_string(at) + " of runq_get");
      clear(pp, at);
      put_all(pp, gs, 0, 5);
      G* stolen[kRunqSize];
      std::uint32_t n = 0;
      const G* taken = nullptr;
      bool inherit = true;
      const Interrupted how = interrupt_after(
          at, [&] { taken = runq_get(pp, &inherit); }, [&] { n = steal(pp, 1, takes, stolen); });
      ASSERT_NE(how, Interrupted::stuck) << "runq_get never returns once a thief has moved the "
                                            "head: read the head again each time round "
                                            "the loop";
      if (how == Interrupted::too_late) break;
      ASSERT_FALSE(inherit) << "nothing was in runnext";
      Ids ids;
      if (taken != nullptr && taken->goid == 1) ids.push_back(1);
      for (std::uint32_t i = 0; i < n; ++i) ids.push_back(stolen[i]->goid);
      if (taken != nullptr && taken->goid != 1) ids.push_back(taken->goid);
      ASSERT_EQ(show(ids + ring(pp)), show(range(1, 5)))
          << "runq_get returned " << name(taken) << ", the thief took " << n << ", and "
          << show(ring(pp)) << " is left: every goroutine must be in exactly one place";
      ASSERT_TRUE(taken != nullptr || n == 5)
          << "the thief left some, so runq_get must try again when it loses the race for the head";
    }
  }
}

TEST(Thieves, AStolenRunnextIsNotRunTwice) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 2);
  GORO_STEP("G1 in runnext, G2 in the ring; runq_get, while a thief takes runnext");
  for (unsigned at = 1;; ++at) {
    clear(pp, at);
    runq_put(pp, gs[1], false);
    runq_put(pp, gs[0], true);
    const G* stolen = nullptr;
    const G* taken = nullptr;
    bool inherit = false;
    const Interrupted how = interrupt_after(
        at, [&] { taken = runq_get(pp, &inherit); }, [&] { stolen = steal_runnext(pp); });
    ASSERT_NE(how, Interrupted::stuck) << "runq_get did not come to an end";
    if (how == Interrupted::too_late) break;
    const std::string where =
        "the thief came after instruction " + std::to_string(at) + " of runq_get: ";
    if (stolen != nullptr) {
      ASSERT_EQ(name(taken), "G2")
          << where
          << "it has G1 from runnext, so runq_get must go on to the ring (take runnext with a "
             "compare-and-swap)";
      ASSERT_FALSE(inherit) << where << "inherit_time must be false: G2 is from the ring";
    } else {
      ASSERT_EQ(name(taken), "G1") << where << "it found nothing in runnext, so runq_get has it";
      ASSERT_TRUE(inherit) << where << "inherit_time must be true: G1 is from runnext";
      ASSERT_EQ(show(ring(pp)), "G2") << where;
    }
  }
}

TEST(Thieves, RunnextIsReplacedInOneStep) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 2);
  GORO_STEP("G1 in runnext; put G2 with next = true, while a thief takes runnext");
  for (unsigned at = 1;; ++at) {
    clear(pp, at);
    runq_put(pp, gs[0], true);
    const G* stolen = nullptr;
    const Interrupted how = interrupt_after(
        at, [&] { runq_put(pp, gs[1], true); }, [&] { stolen = steal_runnext(pp); });
    ASSERT_NE(how, Interrupted::stuck)
        << "runq_put never returns once a thief has taken runnext: compare with what is there now";
    if (how == Interrupted::too_late) break;
    const std::string where = "the thief came after instruction " + std::to_string(at) +
                              " of runq_put and took " + name(stolen) + ": ";
    const std::string next = name(pp->runnext.load());
    if (name(stolen) == "G1") {
      ASSERT_EQ(show(ring(pp)), "nothing")
          << where
          << "the thief has it, so it was not kicked out of runnext (take the old one and put the "
             "new one there in one step)";
      ASSERT_EQ(next, "G2") << where;
    } else {
      ASSERT_EQ(show(ring(pp)), "G1") << where << "G1 was kicked out of runnext, to the ring";
      ASSERT_EQ(next, stolen == nullptr ? "G2" : "null") << where;
    }
  }
}

// One owner and three thieves, all at once.
TEST(Thieves, EveryGoroutineIsTakenExactlyOnce) {
  constexpr std::size_t kGoroutines = 3000;
  constexpr int kThieves = 3;
  for (const std::uint64_t seed : seeds_up_to(12)) {
    SCOPED_TRACE("with the seed " + std::to_string(seed) + " (" + again_with(seed) + ")");
    FakeM m;
    P* pp = m.p();
    clear(pp, 0U - static_cast<std::uint32_t>(kGoroutines / 2));
    const auto gs = goroutines(&m, kGoroutines);
    std::vector<std::atomic<int>> taken(kGoroutines + 1);
    std::atomic<bool> owner_done{false};
    std::atomic<std::uint64_t> by_thieves{0};
    const auto count = [&](const G* gp) {
      taken[gp == nullptr ? 0 : gp->goid].fetch_add(1, std::memory_order_relaxed);
    };

    std::vector<std::thread> thieves;
    for (int t = 0; t < kThieves; ++t) {
      thieves.emplace_back([&, t] {
        Random random(seed * 10 + static_cast<std::uint64_t>(t));
        G* stolen[kRunqSize];
        while (!owner_done.load(std::memory_order_relaxed)) {
          std::uint32_t n = 0;
          if (random.below(4) == 0) {
            stolen[0] = steal_runnext(pp);
            n = stolen[0] != nullptr ? 1 : 0;
          } else {
            n = steal(pp, 1 + random.below(2), 1 + random.below(kRunqSize / 2), stolen);
          }
          for (std::uint32_t i = 0; i < n; ++i) count(stolen[i]);
          by_thieves.fetch_add(n, std::memory_order_relaxed);
          if (n == 0) std::this_thread::yield();
        }
      });
    }

    // Puts in bursts, so that the ring is sometimes empty and sometimes overflows; takes what came
    // back.
    Random random(seed);
    bool inherit = false;
    for (std::size_t next = 0; next < kGoroutines;) {
      const std::size_t burst = std::min<std::size_t>(1 + random.below(400), kGoroutines - next);
      if (random.below(4) == 0) {
        GQueue queue;
        for (std::size_t i = 0; i < burst; ++i) queue.push_back(gs[next + i]);
        runq_put_batch(pp, &queue);
        while (const G* gp = queue.pop()) count(gp);
      } else {
        for (std::size_t i = 0; i < burst; ++i) runq_put(pp, gs[next + i], random.below(3) == 0);
      }
      next += burst;
      if (random.below(3) == 0) std::this_thread::yield();
      for (std::uint32_t i = random.below(400); i != 0; --i) {
        const G* gp = runq_get(pp, &inherit);
        if (gp == nullptr) break;
        count(gp);
      }
    }
    std::size_t rest = 0;
    while (const G* gp = runq_get(pp, &inherit)) {
      count(gp);
      if (++rest > kGoroutines) break;
    }
    owner_done.store(true, std::memory_order_relaxed);
    for (std::thread& thief : thieves) thief.join();
    while (const G* gp = sched.runq.pop()) count(gp);

    EXPECT_TRUE(runq_empty(pp)) << "the owner took until there was nothing, but something is left";
    EXPECT_EQ(taken[0].load(), 0) << "somebody took a null pointer out of the ring";
    for (std::size_t id = 1; id <= kGoroutines; ++id) {
      ASSERT_EQ(taken[id].load(), 1) << "G" << id << " was taken " << taken[id].load()
                                     << " times; each goroutine must be taken exactly once, "
                                        "whoever takes it (the thieves took "
                                     << by_thieves.load() << " of " << kGoroutines << ")";
    }
  }
}

}  // namespace goro::testing
