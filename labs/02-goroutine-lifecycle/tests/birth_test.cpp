// Step 3: newproc1.
#include <algorithm>
#include <cstdint>

#include "support.h"

namespace goro::lab02 {
namespace {

void nothing(void*) {}

G* newborn(P* pp) {
  return newproc1(pp, Closure{nothing, nullptr}, StackKind::growable, 1, 0);
}

}  // namespace

TEST(Birth, IsRunnableWithoutStackOrQueue) {
  World world;
  P* pp = world->p();
  int object = 0;
  GORO_STEP("newproc1 with a closure, a fixed stack, parent 7 and pc 0x1234");
  G* gp = newproc1(pp, Closure{nothing, &object}, StackKind::fixed, 7, 0x1234);
  ASSERT_NE(gp, nullptr);
  EXPECT_EQ(status_name_of(gp), "runnable") << "a new goroutine is runnable";
  EXPECT_TRUE(runq_empty(pp)) << "newproc1 puts it on no queue: the caller does that";
  EXPECT_EQ(sched.runqsize.load(), 0) << "newproc1 puts it on no queue: the caller does that";
  EXPECT_EQ(gp->closure.invoke, nothing) << "the goroutine must run the closure it was given";
  EXPECT_EQ(gp->closure.object, &object) << "the goroutine must run the closure it was given";
  EXPECT_EQ(gp->stack_kind, StackKind::fixed) << "the caller says what kind of stack it gets";
  EXPECT_EQ(gp->parent_goid, 7U) << "the parent's id is for dumps";
  EXPECT_EQ(gp->gopc, 0x1234U) << "the go statement's address is for dumps";
  EXPECT_EQ(gp->sched.g, gp)
      << "goro_gogo(&gp->sched) makes sched.g the current goroutine: gp itself";
  EXPECT_EQ(gp->sched.sp, 0U) << "sched.sp 0 tells execute that it has no first frame yet";
  EXPECT_EQ(gp->stack.lo, 0U) << "the stack comes when the goroutine first runs, not at its birth";
  EXPECT_EQ(gp->m, nullptr) << "it runs on no M yet";
  EXPECT_STREQ(wait_reason_string(gp->waitreason), wait_reason_string(WaitReason::none));
  EXPECT_EQ(gp->param, nullptr);
  EXPECT_FALSE(gp->preempt.load());
  EXPECT_EQ(gp->exceptions.caught, nullptr);
}

TEST(Birth, IdsStartAtOneInBatchesOf16) {
  World world(2);
  GORO_STEP("goroutines are born on P0 and P1 in turn");
  std::vector<std::uint64_t> ids[2];
  for (int i = 0; i < 20; ++i) {
    ids[0].push_back(newborn(world->p(0))->goid);
    testing::FakeThread other(world->p(1));
    ids[1].push_back(newborn(world->p(1))->goid);
  }
  std::vector<std::uint64_t> expected[2];
  for (std::uint64_t i = 0; i < 20; ++i) {
    // P0 has 1 to 16, P1 17 to 32, P0 33 to 48, P1 49 to 64.
    const std::uint64_t id = i < 16 ? i + 1 : i + 17;
    expected[0].push_back(id);
    expected[1].push_back(id + 16);
  }
  EXPECT_EQ(ids[0], expected[0]) << "ids: the first is 1, and P0 takes the batch 1 to 16 for "
                                    "itself; then the next free batch, "
                                    "which starts at 33 because P1 took 17 to 32";
  EXPECT_EQ(ids[1], expected[1]) << "ids: P1 takes the batch 17 to 32, then 49 to 64";
  EXPECT_EQ(sched.goidgen.load(), 64U) << "four batches of 16 ids were taken from sched.goidgen";
}

TEST(Birth, TakesADeadGoroutineFirst) {
  World world;
  P* pp = world->p();
  GORO_STEP("one dead G on the P's list");
  G* dead = world->g(GStatus::dead);
  dead->goid = 999;
  gfput(pp, dead);
  GORO_STEP("newproc1 twice");
  G* first = newborn(pp);
  G* second = newborn(pp);
  EXPECT_EQ(first, dead) << "a dead G from gfget is to be recycled before a new one is made";
  EXPECT_EQ(first->goid, 1U) << "a recycled G is another goroutine: it gets the next id";
  EXPECT_EQ(status_name_of(first), "runnable") << "a recycled G goes from dead to runnable";
  EXPECT_NE(second, dead) << "there was one dead G only; the second goroutine needs a new one";
  EXPECT_EQ(second->goid, 2U);
  EXPECT_EQ(status_name_of(second), "runnable") << "a new G goes from idle over dead to runnable";
  int registered = 0;
  for_each_g([&](const G*) { ++registered; });
  EXPECT_EQ(registered, 1)
      << "g_alloc is for when no dead G can be recycled; here that was so once";
}

TEST(Birth, NilFunctionIsFatal) {
  World world;
  GORO_STEP("newproc1 with a function");
  EXPECT_NE(newborn(world->p()), nullptr);
  GORO_STEP("newproc1 with no function, in a process of its own");
  P* pp = world->p();
  const ChildEnd ending = in_child([&] { newproc1(pp, Closure{}, StackKind::growable, 1, 0); });
  EXPECT_TRUE(ending.fatal_with("go of nil func value"))
      << "a closure without a function must end the program with status 2 and `fatal error: go of "
         "nil "
         "func value`, at the go statement and not when it first runs. "
      << ending.told();
}

TEST(Birth, NoTwoGoroutinesShareAnId) {
  constexpr int kSpawners = 8;
  constexpr int kEach = many(500, 20);
  GORO_STEP(kSpawners, " goroutines on 4 Ps start ", kEach, " goroutines each; each notes its id");
  std::vector<std::uint64_t> ids(kSpawners * kEach);
  run(
      [&] {
        WaitGroup group;
        std::uint64_t* out = ids.data();
        for (int s = 0; s < kSpawners; ++s) {
          group.go([group, out, s] {
            for (int i = 0; i < kEach; ++i) {
              group.go([out, s, i] { out[s * kEach + i] = goroutine_id(); });
            }
          });
        }
        group.wait();
      },
      {.procs = 4});
  std::sort(ids.begin(), ids.end());
  ASSERT_GT(ids.front(), 1U) << "id 1 is main's, and 0 is nobody's";
  const auto twice = std::adjacent_find(ids.begin(), ids.end());
  EXPECT_EQ(twice, ids.end())
      << "two goroutines have the id " << *twice
      << ": the next batch must be taken from sched.goidgen in one atomic step";
}

}  // namespace goro::lab02
