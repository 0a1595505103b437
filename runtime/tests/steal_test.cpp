// Work that is in one queue runs on every P.
#include <unistd.h>

#include <atomic>
#include <vector>

#include "contracts/work_stealing.h"
#include "goro/goro.h"
#include "testing/fake.h"
#include "testing/story.h"

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kDepth = 8;
#else
constexpr int kDepth = 12;
#endif

TEST(Steal, OneSpawnersGoroutinesRunOnOtherThreads) {
  // Each waits until two are running at once, which takes two threads.
  std::atomic<int> inside{0};
  std::atomic<bool> both{false};
  goro::run(
      [&] {
        goro::WaitGroup group;
        for (int i = 0; i < 2; ++i) {
          group.go([in = &inside, b = &both] {
            if (in->fetch_add(1) == 1) b->store(true);
            while (!b->load()) {
            }
          });
        }
        group.wait();
      },
      {.procs = 3});
  EXPECT_TRUE(both.load());
}

TEST(Steal, ATreeOfGoroutinesRunsEachOnce) {
  std::atomic<int> count{0};
  struct Grow {
    static void node(int depth, const goro::WaitGroup& group, std::atomic<int>* n) {
      n->fetch_add(1);
      if (depth == 0) return;
      for (int i = 0; i < 2; ++i) {
        group.go([depth, group, n] { node(depth - 1, group, n); });
      }
    }
  };
  for (const int procs : {2, 4, 64}) {
    count.store(0);
    goro::run(
        [&] {
          goro::WaitGroup group;
          Grow::node(kDepth, group, &count);
          group.wait();
        },
        {.procs = procs});
    EXPECT_EQ(count.load(), (2 << kDepth) - 1) << "on " << procs << " Ps";
  }
}

TEST(Steal, TakesHalfRoundedUpAndReturnsTheLast) {
  using goro::testing::FakeM;
  for (std::uint32_t n = 1; n <= goro::kRunqSize; ++n) {
    FakeM fake(2);
    goro::P* victim = fake.p(1);
    for (std::uint32_t i = 0; i < n; ++i) victim->runq[i].store(fake.g());
    victim->runqtail.store(n);
    const goro::G* gp = goro::runq_steal(fake.p(0), victim, false);
    const std::uint32_t half = n - n / 2;
    ASSERT_NE(gp, nullptr);
    EXPECT_EQ(gp->goid, half) << "of " << n;
    EXPECT_EQ(victim->runqhead.load(), half);
    EXPECT_EQ(fake.p(0)->runqtail.load(), half - 1);
  }
}

TEST(Steal, AWalkVisitsEveryPOnce) {
  goro::RandomOrder order;
  for (std::uint32_t count = 1; count <= 40; ++count) {
    order.reset(count);
    for (std::uint32_t random = 0; random < 3 * count * count; random += 7) {
      std::vector<int> visits(count);
      for (auto walk = order.start(random); !walk.done(); walk.next()) ++visits[walk.position()];
      for (const int times : visits) ASSERT_EQ(times, 1);
    }
  }
}

}  // namespace
