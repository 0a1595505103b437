// Owners and thieves that take turns at every atomic access, as a seed decides.
//
// The suite Thieves stops an owner after each instruction and lets a whole theft happen there. Here
// thieves are stopped in the middle too, while the owner goes on, and there may be several.
#include <algorithm>

#include "queue_test.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

constexpr std::uint64_t kSeeds = 2000;

// How often each goroutine was taken. Plain memory: only whoever took a goroutine counts it.
class Taken {
 public:
  explicit Taken(std::size_t n) : times_(n + 1) {}

  void add(const G* gp) { ++times_[gp->goid]; }
  void add(const Ids& ids) {
    for (const std::uint64_t id : ids) ++times_[id];
  }

  void expect_each_once() const {
    for (std::size_t id = 1; id < times_.size(); ++id) {
      EXPECT_EQ(times_[id], 1) << "G" << id << " was taken " << times_[id]
                               << " times; every goroutine must be taken exactly once";
    }
  }

 private:
  std::vector<int> times_;
};

void steal_half(P* victim, Taken* taken) {
  G* stolen[kRunqSize];
  const std::uint32_t n = steal(victim, 2, kRunqSize, stolen);
  for (std::uint32_t i = 0; i < n; ++i) taken->add(stolen[i]);
}

// Fills the ring of pp without the functions under test.
void fill(P* pp, const std::vector<G*>& gs, std::size_t from) {
  const sim::Undisturbed quiet;
  for (std::uint32_t i = 0; i < kRunqSize; ++i) pp->runq[i].store(gs[from + i]);
  pp->runqhead.store(0);
  pp->runqtail.store(kRunqSize);
}

}  // namespace

TEST(Simulated, OwnerAndThievesTakeEveryGoroutineOnce) {
  GORO_STEP(
      "the owner (\"main\") put eight goroutines, every fourth one into runnext, and after each "
      "four "
      "took what was left; two "
      "thieves stole from the ring, one of them from runnext too");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM m;
    P* pp = m.p();
    const auto gs = goroutines(&m, 8);
    Taken taken(gs.size());
    sim::Threads thieves;
    thieves.start("thief", [&] {
      steal_half(pp, &taken);
      steal_half(pp, &taken);
    });
    thieves.start("other thief", [&] {
      steal_half(pp, &taken);
      if (const G* gp = steal_runnext(pp); gp != nullptr) taken.add(gp);
    });
    bool inherit = false;
    for (std::size_t i = 0; i < gs.size(); ++i) {
      runq_put(pp, gs[i], i % 4 == 0);
      if (i % 4 != 3) continue;
      while (const G* gp = runq_get(pp, &inherit)) taken.add(gp);
    }
    thieves.join();
    taken.add(get_all(pp, 100));
    taken.expect_each_once();
  });
}

TEST(Simulated, TwoOverflowsAndAThiefLoseNothing) {
  GORO_STEP(
      "two full rings: the owner of P0 (\"main\") and the owner of P1 put two more goroutines "
      "each; "
      "a thief stole from P0");
  sim::explore({.seeds = kSeeds}, [] {
    constexpr std::size_t kEach = kRunqSize + 2;
    FakeM m(2);
    std::vector<G*> gs;
    {
      const sim::Undisturbed quiet;
      gs = goroutines(&m, 2 * kEach);
    }
    // Overflows copy 128 slots, and only an owner writes them: no need to switch there.
    for (int i = 0; i < 2; ++i) sim::pass_over(m.p(i)->runq, sizeof(P::runq));
    fill(m.p(0), gs, 0);
    fill(m.p(1), gs, kEach);
    Taken taken(gs.size());
    sim::Threads others;
    others.start("other owner", [&] {
      const FakeThread fake(m.p(1));
      put_all(m.p(1), gs, kEach + kRunqSize, 2 * kEach);
    });
    others.start("thief", [&] {
      for (int i = 0; i < 2; ++i) {
        if (const G* gp = steal_oldest(m.p(0)); gp != nullptr) taken.add(gp);
      }
    });
    put_all(m.p(0), gs, kRunqSize, kEach);
    others.join();
    const sim::Undisturbed quiet;
    const std::int32_t size = sched.runqsize.load();
    const Ids global = m.drain_global();
    EXPECT_EQ(static_cast<std::size_t>(size), global.size()) << "the GRQ's size is wrong";
    taken.add(global);
    taken.add(ring(m.p(0)));
    taken.add(ring(m.p(1)));
    taken.expect_each_once();
  });
}

TEST(Simulated, EmptyWasTrueAtOneMoment) {
  GORO_STEP(
      "the owner (\"main\") moved goroutines from runnext to the ring, so that there was always "
      "one "
      "in the queue; an observer asked runq_empty");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM m;
    P* pp = m.p();
    const auto gs = goroutines(&m, 3);
    runq_put(pp, gs[0], true);
    int said_empty = 0;
    sim::Threads others;
    others.start("observer", [&] {
      for (int i = 0; i < 2; ++i) {
        if (runq_empty(pp)) ++said_empty;
      }
    });
    bool inherit = false;
    for (int i = 0; i < 2; ++i) {
      runq_put(pp, gs[1], true);  // the other one moves to the ring
      runq_get(pp, &inherit);     // runnext is empty
      runq_put(pp, gs[2], true);  // and has one again
      steal_oldest(pp);           // the ring is empty
    }
    others.join();
    EXPECT_EQ(said_empty, 0) << "runq_empty said empty, but at every moment a goroutine was in "
                                "runnext or in the ring";
  });
}

}  // namespace goro::testing
