// Step 2: gfget and gfput.
#include <algorithm>
#include <set>
#include <thread>

#include "support.h"

namespace goro::lab02 {
namespace {

void fill(World& world, GList* list, int n) {
  for (int i = 0; i < n; ++i) list->push(world->g(GStatus::dead));
}

void drain(GList* list, std::vector<G*>* out) {
  while (G* gp = list->pop()) out->push_back(gp);
}

// Every G of `all` exactly once; the answer is a sentence, empty if so.
std::string missing_or_twice(const std::vector<G*>& all, const std::vector<G*>& found) {
  const std::set<G*> once(found.begin(), found.end());
  if (once.size() != found.size()) {
    return std::to_string(found.size() - once.size()) + " are in two places at once";
  }
  if (found.size() != all.size()) {
    return std::to_string(all.size() - found.size()) + " of " + std::to_string(all.size()) +
           " were lost";
  }
  return "";
}

}  // namespace

TEST(FreeList, LocalListComesFirst) {
  World world;
  GORO_STEP("40 dead Gs in the global list, one put on the P's own list with gfput");
  fill(world, &sched.gfree, 40);
  G* own = world->g(GStatus::dead);
  gfput(world->p(), own);
  ASSERT_EQ(world->p()->gfree.size(), 1) << "gfput must put the dead G on the P's own list";
  GORO_STEP("gfget");
  EXPECT_EQ(gfget(world->p()), own) << "the P's own list comes first: it needs no lock";
  EXPECT_EQ(sched.gfree.size(), 40)
      << "while the P's own list has one, the global list must be left alone";
}

TEST(FreeList, FlushAt64Leaves31) {
  World world;
  P* pp = world->p();
  GORO_STEP("63 dead Gs, one after the other, to gfput");
  for (int i = 0; i < 63; ++i) gfput(pp, world->g(GStatus::dead));
  EXPECT_EQ(pp->gfree.size(), 63) << "up to 63 dead Gs stay with the P";
  EXPECT_EQ(sched.gfree.size(), 0) << "nothing is flushed before the list has 64";
  GORO_STEP("the 64th");
  gfput(pp, world->g(GStatus::dead));
  EXPECT_EQ(pp->gfree.size(), 31)
      << "at 64 the list is flushed until fewer than 32 remain with the P, that is 31";
  EXPECT_EQ(sched.gfree.size(), 33) << "the flush moves the other 33 to the global list";
  GORO_STEP("33 more");
  for (int i = 0; i < 33; ++i) gfput(pp, world->g(GStatus::dead));
  EXPECT_EQ(pp->gfree.size(), 31) << "the second flush, at 64 again, leaves 31 as well";
  EXPECT_EQ(sched.gfree.size(), 66) << "two flushes move 2 x 33 to the global list";
  EXPECT_TRUE(sched.gfree_lock.try_lock()) << "after a flush gfree_lock must be free again";
}

TEST(FreeList, RefillStopsAt32) {
  World world;
  P* pp = world->p();
  GORO_STEP("100 dead Gs in the global list, none with the P");
  fill(world, &sched.gfree, 100);
  GORO_STEP("gfget");
  G* gp = gfget(pp);
  ASSERT_NE(gp, nullptr) << "the P's list is empty, so gfget must refill it from the global list";
  EXPECT_EQ(status_name_of(gp), "dead") << "gfget hands out a dead G; newproc1 changes its status";
  EXPECT_EQ(pp->gfree.size(), 31)
      << "the refill takes 32, no more: the others want some too. One was handed out, 31 stay";
  EXPECT_EQ(sched.gfree.size(), 68) << "the refill takes 32 from the global list's 100";
  GORO_STEP("31 more, which the P has itself");
  for (int i = 0; i < 31; ++i) ASSERT_NE(gfget(pp), nullptr);
  EXPECT_EQ(sched.gfree.size(), 68) << "no refill while the P's own list has some";
  EXPECT_TRUE(sched.gfree_lock.try_lock()) << "after a refill gfree_lock must be free again";
}

TEST(FreeList, RefillTakesWhatThereIs) {
  World world;
  P* pp = world->p();
  GORO_STEP("gfget when nobody has a dead G");
  EXPECT_EQ(gfget(pp), nullptr) << "no dead G anywhere: null, and newproc1 makes a new one";
  EXPECT_TRUE(sched.gfree_lock.try_lock()) << "after gfget gfree_lock must be free again";
  sched.gfree_lock.unlock();
  GORO_STEP("gfget when the global list has 5");
  fill(world, &sched.gfree, 5);
  EXPECT_NE(gfget(pp), nullptr) << "the refill takes what there is when that is fewer than 32";
  EXPECT_EQ(pp->gfree.size(), 4) << "all 5 were moved by the refill, and one handed out";
  EXPECT_EQ(sched.gfree.size(), 0);
}

TEST(FreeList, NoneIsLostAndNoneIsInTwoPlaces) {
  const std::uint64_t s = testing::seed();
  GORO_STEP("two Ps put and get dead Gs at random, 20000 times");
  std::mt19937_64 random(s);
  World world(2);
  testing::FakeThread second(world->p(1));
  std::vector<G*> all;
  for (int i = 0; i < 300; ++i) all.push_back(world->g(GStatus::dead));
  std::vector<G*> held = all;
  for (int i = 0; i < 20'000; ++i) {
    P* pp = world->p(static_cast<int>(random() % 2));
    // In long runs, so that lists fill up to the flush and empty down to the refill.
    const bool put = random() % 100 < (i / 500 % 2 == 0 ? 80U : 20U);
    if (put && !held.empty()) {
      G* gp = held.back();
      held.pop_back();
      gfput(pp, gp);
    } else if (G* gp = gfget(pp); gp != nullptr) {
      held.push_back(gp);
    }
    ASSERT_LT(pp->gfree.size(), 64)
        << "a P's list must be flushed when it has 64; after operation " << i;
  }
  drain(&world->p(0)->gfree, &held);
  drain(&world->p(1)->gfree, &held);
  drain(&sched.gfree, &held);
  EXPECT_EQ(missing_or_twice(all, held), "") << "every dead G must be in exactly one place";
}

TEST(FreeList, ManyThreadsShareTheGlobalList) {
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  constexpr int kRounds = 4000;
  const std::uint64_t s = testing::seed();
  GORO_STEP(kThreads, " threads, each with a P of its own, put and get dead Gs at random, ",
            kRounds, " times each, through the global list too");
  World world(kThreads);
  std::vector<G*> all;
  std::vector<std::vector<G*>> held(kThreads);
  for (auto& mine : held) {
    for (int i = 0; i < kEach; ++i) {
      mine.push_back(world->g(GStatus::dead));
      all.push_back(mine.back());
    }
  }
  const auto work = [&](int id) {
    std::mt19937_64 random(s + static_cast<std::uint64_t>(id));
    P* pp = world->p(id);
    std::vector<G*>& mine = held[static_cast<std::size_t>(id)];
    for (int i = 0; i < kRounds; ++i) {
      const bool put = random() % 100 < (i / 100 % 2 == 0 ? 90U : 10U);
      if (put && !mine.empty()) {
        G* gp = mine.back();
        mine.pop_back();
        gp->param = &mine;  // a dead G belongs to whoever holds it
        gfput(pp, gp);
      } else if (G* gp = gfget(pp); gp != nullptr) {
        gp->param = &mine;
        mine.push_back(gp);
      }
    }
  };
  gfput(world->p(), held[0].back());
  held[0].pop_back();
  std::vector<std::thread> threads;
  for (int id = 1; id < kThreads; ++id) {
    threads.emplace_back([&, id] {
      testing::FakeThread m(world->p(id));
      work(id);
    });
  }
  work(0);
  for (std::thread& thread : threads) thread.join();
  std::vector<G*> found;
  for (int id = 0; id < kThreads; ++id) {
    const auto& mine = held[static_cast<std::size_t>(id)];
    found.insert(found.end(), mine.begin(), mine.end());
    drain(&world->p(id)->gfree, &found);
  }
  drain(&sched.gfree, &found);
  EXPECT_EQ(missing_or_twice(all, found), "")
      << "the global list is everybody's: it may be touched under gfree_lock only";
}

}  // namespace goro::lab02
