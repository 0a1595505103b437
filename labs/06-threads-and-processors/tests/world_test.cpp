// Step 4: the number of Ps, and the stopped world.
#include <algorithm>

#include "contracts/work_stealing.h"
#include "support.h"

namespace goro::testing {
namespace {

P* resize(std::int32_t n) {
  return locked([n] { return procresize(n); });
}

std::vector<std::uint64_t> ids(std::initializer_list<std::uint64_t> list) {
  return list;
}

// The state after stop_the_world, without the function under test.
void stop_the_world_by_hand(FakeM& fake) {
  sched.gcwaiting.store(true);
  for (P* pp : allp) set_status(pp, PStatus::gcstop);
  EXPECT_EQ(fake.m()->p.get(), fake.p(0));
}

TEST(Procresize, MakesNewPs) {
  FakeM fake(1);
  GORO_STEP("one P; procresize(4)");
  const P* runnable = resize(4);
  EXPECT_EQ(runnable, nullptr) << "no P has goroutines, so none is returned";
  ASSERT_EQ(allp.size(), 4U) << "allp has one entry for each P";
  EXPECT_EQ(sched.gomaxprocs.load(), 4) << "gomaxprocs follows";
  EXPECT_EQ(id_of(fake.m()->p), 0) << "this M goes on with its P, whose id is below 4";
  EXPECT_EQ(name_of(status_of(fake.p(0))), std::string("running")) << "and that P runs";
  EXPECT_EQ(idle_ps(), (std::vector<int>{1, 2, 3})) << "the other Ps are idle, P1 on top";
  for (int i = 1; i < 4; ++i) {
    EXPECT_EQ(fake.p(i)->id, i) << "a P's id is its index in allp";
    EXPECT_NE(fake.p(i)->random, 0U) << "P" << i << ": cheaprand's state must not be 0 "
                                     << "(random_seed(id)): it would stay 0 for ever";
  }
  GORO_STEP("walked over all Ps in the order of thieves");
  int visited = 0;
  for (auto walk = stealorder.start(7); !walk.done(); walk.next()) ++visited;
  EXPECT_EQ(visited, 4) << "stealorder.reset(n): thieves must visit the new Ps too";
}

TEST(Procresize, TheFirstCallOfARun) {
  FakeM fake(2);
  fake.m()->p = nullptr;
  fake.p(0)->m = nullptr;
  set_status(fake.p(0), PStatus::gcstop);
  GORO_STEP("this M has no P, as at the start of run(); procresize(2)");
  resize(2);
  EXPECT_EQ(id_of(fake.m()->p), 0) << "an M without a P takes allp[0]";
  EXPECT_EQ(fake.p(0)->m.get(), fake.m()) << "and P0 knows it";
  EXPECT_EQ(name_of(status_of(fake.p(0))), std::string("running"));
}

TEST(Procresize, EmptiesThePsThatGo) {
  FakeM fake(3);
  for (int i = 0; i < 3; ++i) set_status(fake.p(i), PStatus::gcstop);
  GORO_STEP("G1 waits in the GRQ; P2 has G2 in runnext, G3 and G4 in its ring, and 2 dead Gs");
  sched.runq.push_back(fake.g());
  sched.runqsize.store(1);
  fake.p(2)->runnext.store(fake.g());
  put_in_ring(fake.p(2), fake.g());
  put_in_ring(fake.p(2), fake.g());
  G* dead[] = {fake.g(GStatus::dead), fake.g(GStatus::dead)};
  for (G* gp : dead) fake.p(2)->gfree.push(gp);
  GORO_STEP("procresize(2)");
  resize(2);
  EXPECT_EQ(sched.runqsize.load(), 4)
      << "runqsize counts the goroutines that were moved to the GRQ";
  EXPECT_EQ(fake.drain_global(), ids({2, 3, 4, 1}))
      << "the goroutines of a P that goes move to the head of the GRQ, runnext first, then the "
         "ring, "
         "the oldest first; whoever waited in the GRQ comes after them";
  EXPECT_EQ(sched.gfree.size(), 2) << "its dead Gs go to sched.gfree, else they are lost";
  EXPECT_EQ(name_of(status_of(fake.p(2))), std::string("dead")) << "a P that is not in use is dead";
  EXPECT_EQ(allp.size(), 3U) << "the object stays: an M may still look at it";
  EXPECT_EQ(sched.gomaxprocs.load(), 2) << "gomaxprocs follows";
  EXPECT_EQ(idle_ps(), (std::vector<int>{1})) << "P1 is idle; P2 is no longer there";
  GORO_STEP("procresize(3) brings P2 back");
  sched.pidle = nullptr;
  sched.npidle.store(0);
  resize(3);
  EXPECT_EQ(allp.size(), 3U) << "a P that was there before is used again";
  EXPECT_EQ(name_of(status_of(fake.p(2))), std::string("idle"));
}

TEST(Procresize, AnMWhosePGoesTakesP0) {
  FakeM fake(3);
  for (int i = 0; i < 3; ++i) set_status(fake.p(i), PStatus::gcstop);
  fake.p(0)->m = nullptr;
  fake.m()->p = fake.p(2);
  fake.p(2)->m = fake.m();
  GORO_STEP("this M has P2; procresize(1)");
  resize(1);
  EXPECT_EQ(id_of(fake.m()->p), 0) << "P2 is gone: its M goes on with P0";
  EXPECT_EQ(fake.p(0)->m.get(), fake.m()) << "P0 knows its new M";
  EXPECT_EQ(fake.p(2)->m.get(), nullptr) << "and P2 has none any more";
  EXPECT_EQ(idle_ps(), std::vector<int>{}) << "P0 runs: it is not idle";
}

TEST(Procresize, PsWithWorkAreReturnedWithAnM) {
  FakeM fake(4);
  M sleeper;
  rest(&sleeper);
  for (int i = 0; i < 4; ++i) set_status(fake.p(i), PStatus::gcstop);
  put_in_ring(fake.p(1), fake.g());
  fake.p(3)->runnext.store(fake.g());
  GORO_STEP("P1 and P3 have goroutines, P2 has none; one M is idle; procresize(4)");
  const P* runnable = resize(4);
  std::vector<int> returned;
  int with_m = 0;
  for (const P* pp = runnable; pp != nullptr && returned.size() < 9; pp = pp->link) {
    returned.push_back(pp->id);
    if (pp->m.get() == &sleeper) ++with_m;
    EXPECT_EQ(name_of(status_of(pp)), std::string("idle")) << "whoever acquires it wants it idle";
  }
  std::sort(returned.begin(), returned.end());
  EXPECT_EQ(returned, (std::vector<int>{1, 3}))
      << "the Ps with goroutines are returned in a list through P::link: somebody must be started "
         "for each; runnext counts too";
  EXPECT_EQ(with_m, 1) << "one of them has the idle M in P::m; for the other there was none";
  EXPECT_EQ(idle_ps(), std::vector<int>{2}) << "only the empty P goes to the idle list";
  EXPECT_EQ(sched.nmidle, 0) << "the M is off its list";
}

TEST(StopTheWorld, TakesTheIdlePs) {
  FakeM fake(4);
  rest(fake, 1, 3);
  GORO_STEP("P1, P2 and P3 are idle; stop_the_world");
  stop_the_world();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(name_of(status_of(fake.p(i))), std::string("gcstop"))
        << "P" << i << ": in a stopped world every P is stopped, idle ones too, and the stopper's";
  }
  EXPECT_EQ(sched.npidle.load(), 0) << "no P is on the idle list: nobody could be started";
  EXPECT_EQ(sched.stopwait, 0) << "nobody is left who has to stop";
  EXPECT_TRUE(sched.gcwaiting.load()) << "gcwaiting stays set until the world starts";
  EXPECT_FALSE(sched.stopnote.is_set()) << "stopnote is clear for the next stop";
  EXPECT_EQ(id_of(fake.m()->p), 0) << "the stopper keeps its P";
}

TEST(StopTheWorld, TakesPsInSystemCalls) {
  FakeM fake(2);
  M caller;
  G* gp = fake.g(GStatus::syscall);
  run_on(&caller, gp);
  caller.p = fake.p(1);
  fake.p(1)->m = &caller;
  set_status(fake.p(1), PStatus::running);
  GORO_STEP("the M of P1 is in a system call; stop_the_world");
  stop_the_world();
  EXPECT_EQ(name_of(status_of(fake.p(1))), std::string("gcstop"))
      << "an M in the kernel cannot answer: the stopper takes its P (gcstop_syscall_ps)";
  EXPECT_EQ(caller.p.get(), nullptr) << "the M has lost its P, and sees that when its call is over";
  EXPECT_EQ(sched.stopwait, 0);
}

TEST(StopTheWorld, WaitsForThoseThatRun) {
  FakeM fake(3);
  atomic<bool> up{false};
  atomic<int> slices{0};
  int p_afterwards = -1;
  std::thread busy([&] {
    const FakeThread m(fake.p(1));
    up.store(true);
    // As schedule() does: between two slices it looks at gcwaiting.
    while (!sched.gcwaiting.load()) {
      slices.fetch_add(1);
      osyield();
    }
    work_for(2'000'000);  // the last slice lasts a while
    slices.store(-1);
    gcstopm();
    p_afterwards = id_of(getm()->p);
  });
  rest(fake, 2, 2);
  wait_until([&] { return up.load(); });
  GORO_STEP("another M runs with P1 and answers (gcstopm) after a while; stop_the_world");
  stop_the_world();
  EXPECT_EQ(slices.load(), -1) << "stop_the_world returned while P1 was still running";
  EXPECT_EQ(name_of(status_of(fake.p(1))), std::string("gcstop")) << "P1 has stopped";
  EXPECT_FALSE(sched.stopnote.is_set()) << "whoever stopped last set stopnote; it must be cleared";
  GORO_STEP("waited until that M sleeps, then start_the_world");
  wait_until([] { return locked([] { return sched.nmidle == 1; }); });
  start_the_world(3);
  const bool started = locked([] { return sched.nmidle == 0; });
  if (!started) startm(nullptr, false);  // so that the test ends
  busy.join();
  EXPECT_FALSE(sched.gcwaiting.load()) << "the world runs: gcwaiting is false";
  EXPECT_EQ(name_of(status_of(fake.p(0))), std::string("running")) << "the stopper's P runs again";
  EXPECT_TRUE(started) << "wakep() at the end of start_the_world must start an M: there may be "
                          "goroutines for which nobody was started";
  EXPECT_NE(p_afterwards, -1) << "after gcstopm the M has a P again";
}

TEST(StartTheWorld, StartsAnMForEachPWithWork) {
  FakeM fake(3);
  stop_the_world_by_hand(fake);
  M one;
  M two;
  rest(&one);
  rest(&two);
  put_in_ring(fake.p(1), fake.g());
  put_in_ring(fake.p(2), fake.g());
  GORO_STEP("the world is stopped, P1 and P2 have goroutines, two Ms are idle; start_the_world(3)");
  start_the_world(3);
  EXPECT_TRUE(one.park.is_set() && two.park.is_set())
      << "start_the_world must wake an M for every P that procresize returned";
  EXPECT_TRUE(one.nextp != nullptr && two.nextp != nullptr && one.nextp != two.nextp)
      << "each of them gets a P of its own in nextp; one P handed off twice would be run by two Ms";
  EXPECT_EQ(fake.p(1)->m.get(), nullptr) << "P::m is for acquirep: it must be null until then";
  EXPECT_EQ(fake.p(1)->link, nullptr) << "the P is on no list any more";
}

TEST(StartTheWorld, WakesSysmon) {
  FakeM fake(1);
  stop_the_world_by_hand(fake);
  sched.sysmonwait.store(true);
  GORO_STEP("sysmon sleeps (sysmonwait); start_the_world(1)");
  start_the_world(1);
  EXPECT_TRUE(sched.sysmonnote.is_set()) << "sysmon went to sleep because the world was stopped: "
                                            "start_the_world must wake it";
  EXPECT_FALSE(sched.sysmonwait.load()) << "sysmonwait goes back to false with it, or two would "
                                           "wake sysmon";
}

TEST(Gcstopm, GivesUpThePAndIsCounted) {
  FakeM fake(3);
  sched.gcwaiting.store(true);
  sched.stopwait = 2;
  sched.nmspinning.store(1);
  bool spins = true;
  std::thread other([&] {
    const FakeThread m(fake.p(1));
    getm()->spinning = true;
    gcstopm();
    spins = getm()->spinning;
  });
  GORO_STEP("two Ps have yet to stop; the M of P1, which spins, calls gcstopm");
  wait_until([] { return locked([] { return sched.nmidle == 1; }); });
  EXPECT_EQ(locked([] { return sched.stopwait; }), 1) << "one of two has stopped: stopwait is 1";
  EXPECT_EQ(name_of(status_of(fake.p(1))), std::string("gcstop")) << "its P is stopped";
  EXPECT_EQ(fake.p(1)->m.get(), nullptr) << "and has no M";
  EXPECT_EQ(sched.nmspinning.load(), 0)
      << "the M was spinning and is not any more: a spinning count that leaks means that nobody is "
         "ever woken again";
  EXPECT_FALSE(sched.stopnote.is_set()) << "somebody has yet to stop: the stopper sleeps on";
  set_status(fake.p(1), PStatus::idle);
  startm(fake.p(1), false);
  other.join();
  EXPECT_FALSE(spins) << "m->spinning must follow";
  GORO_STEP("the M of P2, the last one, calls gcstopm");
  std::thread last([&] {
    const FakeThread m(fake.p(2));
    gcstopm();
  });
  wait_until([] { return locked([] { return sched.nmidle == 1; }); });
  EXPECT_EQ(locked([] { return sched.stopwait; }), 0) << "all have stopped";
  EXPECT_TRUE(sched.stopnote.is_set()) << "the last one that stops must wake the stopper";
  set_status(fake.p(2), PStatus::idle);
  startm(fake.p(2), false);
  last.join();
}

TEST(Gcstopm, WithoutAStopIsFatal) {
  FakeM fake;
  GORO_STEP("nobody stops the world; gcstopm, in a process of its own");
  const ChildEnd ending = in_short_child([] {
    sleeping_is_a_deadlock();
    gcstopm();
  });
  EXPECT_TRUE(ending.fatal_with("gcstopm: not waiting for gc"))
      << "an M that stops although nobody asked would sleep with nobody to start it. "
      << ending.told();
}

// Whole programs.

TEST(Program, MaxProcsIsLive) {
  constexpr int kGoroutines = 50;
  constexpr int kChanges = 40;
  std::vector<int> turns(kGoroutines);
  int wrong = 0;
  GORO_STEP("50 goroutines yield; goroutine 1 changes the number of Ps 40 times, 1 to 4");
  goro::run(
      [&] {
        WaitGroup group;
        for (int& mine : turns) {
          group.go([m = &mine] {
            for (int n = 0; n < 50; ++n) {
              ++*m;
              yield();
            }
          });
        }
        for (int i = 0; i < kChanges; ++i) {
          const int before = i == 0 ? 2 : 1 + (i - 1) % 4;
          if (max_procs(1 + i % 4) != before) ++wrong;
          yield();
        }
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(wrong, 0) << "max_procs returns the number of Ps that there were before";
  for (const int mine : turns) {
    ASSERT_EQ(mine, 50) << "a goroutine was lost, or run twice, while the number of Ps changed";
  }
}

TEST(Program, StopsWhileOthersBlockAndCompute) {
  std::size_t whole = 0;
  constexpr int kStops = 30;
  GORO_STEP(
      "four goroutines go in and out of system calls, four compute; the world is stopped 30 "
      "times (goro::stacks)");
  goro::run(
      [&] {
        std::atomic<bool> over{false};
        WaitGroup group;
        for (int i = 0; i < 8; ++i) {
          group.go([o = &over, i] {
            while (!o->load()) {
              if (i % 2 == 0) {
                system_call([] { osyield(); });
              } else {
                yield();
              }
            }
          });
        }
        for (int i = 0; i < kStops; ++i) {
          if (stacks().find("goroutine 1 [running]:") == 0) ++whole;
          yield();
        }
        over.store(true);
        group.wait();
      },
      {.procs = 3});
  EXPECT_EQ(whole, static_cast<std::size_t>(kStops)) << "each stop of the world came to its end";
}

}  // namespace
}  // namespace goro::testing
