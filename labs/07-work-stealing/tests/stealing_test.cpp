// Whose work is taken, how much of it, and that none is missed.
#include <atomic>
#include <vector>

#include "contracts/work_stealing.h"
#include "goro/goro.h"
#include "testing/fake.h"
#include "testing/story.h"

namespace goro::testing {
namespace {

TEST(Order, VisitsEveryPOnce) {
  RandomOrder order;
  for (std::uint32_t count = 1; count <= 20; ++count) {
    order.reset(count);
    for (std::uint32_t random = 0; random < 2 * count * count; ++random) {
      std::vector<int> visits(count);
      for (auto walk = order.start(random); !walk.done(); walk.next()) ++visits[walk.position()];
      for (const int times : visits) ASSERT_EQ(times, 1) << "of " << count << " Ps";
    }
  }
}

TEST(Steal, TakesHalfRoundedUp) {
  for (std::uint32_t n = 1; n <= kRunqSize; n += 5) {
    FakeM fake(2);
    P* victim = fake.p(1);
    for (std::uint32_t i = 0; i < n; ++i) victim->runq[i].store(fake.g());
    victim->runqtail.store(n);
    const G* gp = runq_steal(fake.p(0), victim, false);
    ASSERT_NE(gp, nullptr);
    EXPECT_EQ(gp->goid, n - n / 2)
        << "the last of the stolen half runs now; " << n << " were there";
    EXPECT_EQ(victim->runqtail.load() - victim->runqhead.load(), n / 2);
    EXPECT_EQ(fake.p(0)->runqtail.load(), n - n / 2 - 1);
  }
}

TEST(Steal, RunnextOnlyWhenAllowed) {
  FakeM fake(2);
  P* victim = fake.p(1);
  G* next = fake.g();
  victim->runnext.store(next);
  EXPECT_EQ(runq_steal(fake.p(0), victim, false), nullptr) << "runnext is for the last round only";
  EXPECT_EQ(runq_steal(fake.p(0), victim, true), next);
  EXPECT_EQ(victim->runnext.load(), nullptr);
}

TEST(Spinning, WorkInOneQueueRunsOnOtherPs) {
  std::atomic<int> inside{0};
  std::atomic<bool> both{false};
  goro::run(
      [&] {
        WaitGroup group;
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

}  // namespace
}  // namespace goro::testing
