// Step 2: the idle lists, and how an M and a P are wired.
#include "support.h"

namespace goro::testing {
namespace {

std::vector<int> numbers(std::initializer_list<int> list) {
  return list;
}

TEST(IdleLists, PsAreLastInFirstOut) {
  FakeM fake(4);
  GORO_STEP("put P1, P2, P3 on the idle list, in this order");
  locked([&] {
    for (int i = 1; i < 4; ++i) pidleput(fake.p(i));
    return 0;
  });
  EXPECT_EQ(idle_ps(), numbers({3, 2, 1}))
      << "the P that went idle last is on top (sched.pidle), and P::link leads to the one before";
  EXPECT_EQ(sched.npidle.load(), 3) << "npidle counts the idle Ps";
  GORO_STEP("took them off again");
  for (const int expected : {3, 2, 1}) {
    const int taken = id_of(locked([] { return pidleget(); }));
    ASSERT_EQ(taken, expected) << "pidleget returns the P that was put last: its caches are the "
                                  "warmest";
    EXPECT_EQ(sched.npidle.load(), expected - 1) << "pidleget counts npidle down";
    EXPECT_EQ(fake.p(expected)->link, nullptr) << "a P that is on no list has no link";
  }
}

TEST(IdleLists, NoIdlePIsNull) {
  FakeM fake(2);
  EXPECT_EQ(locked([] { return pidleget(); }), nullptr) << "no P is idle: null";
  EXPECT_EQ(sched.npidle.load(), 0) << "nothing was taken, so nothing is counted down";
}

TEST(IdleLists, TheMaskHasABitForEachIdleP) {
  FakeM fake(70);
  const auto bit = [](int i) { return (sched.idlepmask[i / 32].load() >> (i % 32)) & 1U; };
  const auto others = [&] {
    int count = 0;
    for (int i = 0; i < 96; ++i) count += static_cast<int>(bit(i));
    return count;
  };
  for (const int i : {1, 31, 32, 63, 64, 69}) {
    GORO_STEP("put P", i, " on the idle list, and took it off");
    locked([&] {
      pidleput(fake.p(i));
      return 0;
    });
    EXPECT_EQ(bit(i), 1U) << "bit " << i % 32 << " of idlepmask[" << i / 32 << "] belongs to P" << i
                          << ", which is idle";
    EXPECT_EQ(others(), 1) << "no other bit of idlepmask may be set";
    locked([] { return pidleget(); });
    EXPECT_EQ(others(), 0) << "pidleget must clear the bit: P" << i << " is not idle any more";
  }
}

TEST(IdleLists, APWithWorkIsRefused) {
  FakeM fake(2);
  GORO_STEP("a goroutine is in the queue of P1; pidleput(P1), in a process of its own");
  put_in_ring(fake.p(1), fake.g());
  const ChildEnd ending = in_short_child([&] {
    sched.lock.lock();
    pidleput(fake.p(1));
  });
  EXPECT_TRUE(ending.fatal_with("pidleput: P has non-empty run queue"))
      << "a P on the idle list is not looked at by thieves, so a goroutine in its queue would wait "
         "for ever: `fatal error: pidleput: P has non-empty run queue`. "
      << ending.told();
}

TEST(IdleLists, WhoFindsNoPLeavesAMark) {
  FakeM fake(3);
  rest(fake, 2, 2);
  GORO_STEP("one P is idle; pidleget_spinning twice");
  EXPECT_EQ(id_of(locked([] { return pidleget_spinning(); })), 2)
      << "pidleget_spinning returns an idle P as pidleget does";
  EXPECT_FALSE(sched.needspinning.load()) << "it found a P: needspinning stays as it was";
  EXPECT_EQ(locked([] { return pidleget_spinning(); }), nullptr) << "no P is left: null";
  EXPECT_TRUE(sched.needspinning.load()) << "the caller knows of work and got no P: it must set "
                                            "needspinning, so that whoever is about "
                                            "to give up a P looks around first";
}

TEST(IdleLists, MsAreLastInFirstOut) {
  FakeM fake;
  M one;
  M two;
  sched.mcount = 3;
  GORO_STEP("put two Ms on the list of idle Ms");
  locked([&] {
    mput(&one);
    mput(&two);
    return 0;
  });
  EXPECT_EQ(sched.nmidle, 2) << "nmidle counts the idle Ms";
  GORO_STEP("took three off");
  EXPECT_EQ(locked([] { return mget(); }), &two) << "the M that went idle last comes first";
  EXPECT_EQ(two.schedlink, nullptr) << "an M that is on no list has no link";
  EXPECT_EQ(locked([] { return mget(); }), &one) << "then the one before";
  EXPECT_EQ(locked([] { return mget(); }), nullptr) << "then none is left: null";
  EXPECT_EQ(sched.nmidle, 0) << "mget counts down, but not when it found nothing";
}

TEST(IdleLists, TheLastMToGoIdleIsADeadlock) {
  FakeM fake;
  GORO_STEP("there is one M in all, and it goes idle (mput), in a process of its own");
  const ChildEnd ending = in_short_child([&] {
    sleeping_is_a_deadlock();
    sched.lock.lock();
    mput(fake.m());
  });
  EXPECT_TRUE(ending.status == 2 && ending.err.find("deadlock!") != std::string::npos)
      << "mput must call checkdead(), after it has counted: when the last M that ran goes idle, "
         "nobody can wake anyone, and the program must end with a deadlock's text. "
      << ending.told();
}

TEST(Wiring, AcquirepAndReleasep) {
  FakeM fake(2);
  GORO_STEP("releasep: the M gives up P0");
  EXPECT_EQ(id_of(releasep()), 0) << "releasep returns the P that this M had";
  EXPECT_EQ(fake.m()->p.get(), nullptr) << "the M has no P now";
  EXPECT_EQ(fake.p(0)->m.get(), nullptr) << "and the P no M";
  EXPECT_EQ(name_of(status_of(fake.p(0))), std::string("idle")) << "a P without an M is idle";
  EXPECT_EQ(sched.pidle, nullptr) << "on which list it goes is the caller's business";
  GORO_STEP("acquirep(P1)");
  acquirep(fake.p(1));
  EXPECT_EQ(id_of(fake.m()->p), 1) << "the M has P1 now";
  EXPECT_EQ(fake.p(1)->m.get(), fake.m()) << "and P1 knows its M";
  EXPECT_EQ(name_of(status_of(fake.p(1))), std::string("running")) << "a P with an M is running";
}

TEST(Wiring, AcquirepRefusesWhatIsTaken) {
  FakeM fake(3);
  M other;
  GORO_STEP("each in a process of its own: an M that has a P takes another one");
  ChildEnd ending = in_short_child([&] { acquirep(fake.p(1)); });
  EXPECT_TRUE(ending.fatal_with("wirep: already in go"))
      << "this M has P0 already: two Ps for one M. " << ending.told();
  GORO_STEP("an M takes a P that has an M");
  ending = in_short_child([&] {
    releasep();
    fake.p(1)->m = &other;
    acquirep(fake.p(1));
  });
  EXPECT_TRUE(ending.fatal_with("wirep: already in go"))
      << "P1 has an M already: two Ms would run one queue. " << ending.told();
  GORO_STEP("an M takes a P that is stopped");
  ending = in_short_child([&] {
    releasep();
    set_status(fake.p(1), PStatus::gcstop);
    acquirep(fake.p(1));
  });
  EXPECT_TRUE(ending.fatal_with("wirep: invalid p state"))
      << "only an idle P may be taken; P1 is stopped. " << ending.told();
}

TEST(Wiring, ReleasepRefusesWhatItDoesNotHave) {
  FakeM fake(2);
  M other;
  GORO_STEP("each in a process of its own: releasep without a P");
  ChildEnd ending = in_short_child([&] {
    fake.m()->p = nullptr;
    releasep();
  });
  EXPECT_TRUE(ending.fatal_with("releasep: invalid p state"))
      << "this M has no P. " << ending.told();
  GORO_STEP("releasep of a P that another M has");
  ending = in_short_child([&] {
    fake.p(0)->m = &other;
    releasep();
  });
  EXPECT_TRUE(ending.fatal_with("releasep: invalid p state"))
      << "the P says that its M is another one: somebody has taken it. " << ending.told();
  GORO_STEP("releasep of a P that does not run");
  ending = in_short_child([&] {
    set_status(fake.p(0), PStatus::gcstop);
    releasep();
  });
  EXPECT_TRUE(ending.fatal_with("releasep: invalid p state"))
      << "the P is stopped, not running. " << ending.told();
}

}  // namespace
}  // namespace goro::testing
