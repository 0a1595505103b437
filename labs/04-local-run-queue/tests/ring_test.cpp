// Steps 1 and 2: the ring and runnext, one call at a time.
#include <deque>
#include <utility>

#include "queue_test.h"

namespace goro::testing {

TEST(Ring, GoroutinesComeOutInTheOrderTheyWentIn) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 300);
  GORO_STEP("put G1 … G200 on the queue, took 150, put G201 … G300, took the rest");
  put_all(pp, gs, 0, 200);
  Ids taken;
  bool inherit = false;
  for (int i = 0; i < 150; ++i) {
    const G* gp = runq_get(pp, &inherit);
    ASSERT_NE(gp, nullptr) << "the queue holds " << 200 - i
                           << " goroutines, but runq_get found none";
    taken.push_back(gp->goid);
  }
  put_all(pp, gs, 200, 300);
  taken = taken + get_all(pp);
  EXPECT_EQ(show(taken), show(range(1, 300))) << "the ring is first in, first out";
}

TEST(Ring, HoldsExactly256) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, kRunqSize);
  GORO_STEP("put 256 goroutines into the empty ring of 256");
  put_all(pp, gs, 0, kRunqSize);
  EXPECT_EQ(show(ring(pp)), show(range(1, 256)))
      << "all 256 slots can be used: the indices run freely, so tail - head tells full (256) from "
         "empty (0)";
  EXPECT_EQ(show(m.drain_global()), "nothing")
      << "nothing may go to the GRQ before the ring is full";
  EXPECT_EQ(pp->runnext.load(), nullptr) << "put with next = false has nothing to do with runnext";
}

TEST(Ring, IndicesRunOnPastTheEndOf32Bits) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 2 * kRunqSize);
  for (std::uint32_t before = 1; before <= kRunqSize; before += 51) {
    SCOPED_TRACE("head and tail started " + std::to_string(before) + " below 2^32");
    clear(pp, 0U - before);
    put_all(pp, gs, 0, kRunqSize);
    ASSERT_EQ(show(m.drain_global()), "nothing") << "the ring had room; its length is tail - head "
                                                    "in 32-bit arithmetic, also when the tail is "
                                                    "past 2^32 and the head is not";
    ASSERT_EQ(show(ring(pp)), show(range(1, 256)));
    ASSERT_EQ(show(get_all(pp)), show(range(1, 256)))
        << "a ring that wraps around 2^32 keeps its order";
    EXPECT_EQ(tail_of(pp), kRunqSize - before)
        << "the tail runs freely: it is not brought back into 0 … 255";
  }
}

TEST(Ring, IsEmptyWhenEverythingIsTaken) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 3);
  bool inherit = false;
  GORO_STEP("runq_get on a queue that was never used");
  EXPECT_EQ(name(runq_get(pp, &inherit)), "null");
  put_all(pp, gs, 0, 3);
  get_all(pp);
  GORO_STEP("put three goroutines on it, took three, and asked for one more");
  EXPECT_EQ(name(runq_get(pp, &inherit)), "null")
      << "slots keep their old pointers; only head and tail say what is in the ring";
}

TEST(Ring, AGoroutineFromTheRingStartsANewTimeSlice) {
  FakeM m;
  P* pp = m.p();
  runq_put(pp, m.g(), false);
  bool inherit = true;
  GORO_STEP("put a goroutine into the ring and took it");
  ASSERT_EQ(name(runq_get(pp, &inherit)), "G1");
  EXPECT_FALSE(inherit)
      << "inherit_time must be set to false for a goroutine from the ring: it gets a "
         "time slice of its own";
}

TEST(RunNext, GoesFirstAndInheritsTheTimeSlice) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 3);
  GORO_STEP("put G1 and G2 into the ring, then G3 with next = true");
  put_all(pp, gs, 0, 2);
  runq_put(pp, gs[2], true);
  EXPECT_EQ(name(pp->runnext.load()), "G3");
  EXPECT_EQ(show(ring(pp)), "G1, G2") << "runnext was empty, so nobody was kicked out: the ring "
                                         "has what it had, no null pointer and "
                                         "not the goroutine that is in runnext";
  bool inherit = false;
  EXPECT_EQ(name(runq_get(pp, &inherit)), "G3") << "runnext comes before the ring";
  EXPECT_TRUE(inherit)
      << "inherit_time must be true for runnext: it shares the time slice of whoever "
         "put it there";
  EXPECT_EQ(pp->runnext.load(), nullptr) << "runq_get must take the goroutine out of runnext";
  EXPECT_EQ(name(runq_get(pp, &inherit)), "G1");
  EXPECT_FALSE(inherit) << "inherit_time is for runnext only, not for the ring";
}

TEST(RunNext, TheOneKickedOutGoesToTheTail) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 4);
  GORO_STEP("put G1 and G2 into the ring, then G3 and G4 with next = true");
  put_all(pp, gs, 0, 2);
  runq_put(pp, gs[2], true);
  runq_put(pp, gs[3], true);
  EXPECT_EQ(name(pp->runnext.load()), "G4") << "the newest is next";
  EXPECT_EQ(show(ring(pp)), "G1..G3") << "the goroutine that was kicked out of runnext must go to "
                                         "the tail of the ring, not to its head, "
                                         "and not be lost";
}

// What the contract says, in its simplest form, for one thread.
class Model {
 public:
  void put(std::uint64_t id, bool next) {
    if (next) {
      std::swap(id, runnext);
      if (id == 0) return;
    }
    if (ring.size() < kRunqSize) {
      ring.push_back(id);
      return;
    }
    for (std::uint32_t i = 0; i < kRunqSize / 2; ++i) {
      global.push_back(ring.front());
      ring.pop_front();
    }
    global.push_back(id);
  }

  std::uint64_t get(bool* inherit) {
    *inherit = runnext != 0;
    if (runnext != 0) return std::exchange(runnext, 0);
    if (ring.empty()) return 0;
    const std::uint64_t id = ring.front();
    ring.pop_front();
    return id;
  }

  std::uint64_t runnext = 0;
  std::deque<std::uint64_t> ring;
  Ids global;
};

TEST(Ring, TenThousandRandomCallsDoWhatTheContractSays) {
  constexpr int kCalls = 2000;  // for each of five seeds
  for (const std::uint64_t seed : seeds_up_to(5)) {
    SCOPED_TRACE("with the seed " + std::to_string(seed) + " (" + again_with(seed) + ")");
    FakeM m;
    P* pp = m.p();
    clear(pp, 0U - 500);
    Random random(seed);
    Model model;
    std::uint32_t likes_to_put = 50;
    for (int i = 0; i < kCalls; ++i) {
      if (i % 400 == 0) likes_to_put = 30 + random.below(50);
      const std::string call = "call " + std::to_string(i);
      if (random.below(100) < likes_to_put) {
        G* gp = m.g();
        const bool next = random.below(3) == 0;
        model.put(gp->goid, next);
        runq_put(pp, gp, next);
      } else {
        bool inherit = random.below(2) == 0;
        bool expected_inherit = false;
        const std::uint64_t expected = model.get(&expected_inherit);
        const G* gp = runq_get(pp, &inherit);
        ASSERT_EQ(name(gp), expected == 0 ? "null" : "G" + std::to_string(expected)) << call;
        ASSERT_EQ(gp != nullptr && inherit, expected_inherit) << "inherit_time, " << call;
      }
      ASSERT_EQ(length(pp), model.ring.size()) << "the length of the ring after " << call;
      ASSERT_EQ(runq_empty(pp), model.ring.empty() && model.runnext == 0)
          << "runq_empty after " << call << ", with " << model.ring.size()
          << " goroutines in the ring and " << (model.runnext == 0 ? "nothing" : "one")
          << " in runnext";
    }
    ASSERT_EQ(show(ring(pp)), show({model.ring.begin(), model.ring.end()}));
    ASSERT_EQ(show(m.drain_global()), show(model.global)) << "what went to the GRQ, in order";
  }
}

}  // namespace goro::testing
