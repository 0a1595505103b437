// Built with ThreadSanitizer: plain memory goes from thread to thread through this lab's functions.
#include "support.h"

namespace goro::testing {
namespace {

TEST(Race, AMThatIsStartedSeesItsP) {
  GORO_STEP("100 times: an M stops; another one writes to plain memory and starts it");
  FakeM fake(2);
  int letter = 0;
  int wrong = 0;
  atomic<int> round{0};
  std::thread other([&] {
    const FakeThread m(nullptr);
    for (int i = 1; i <= 100; ++i) {
      stopm();
      if (letter != i) ++wrong;
      releasep();
      round.store(i, std::memory_order_relaxed);
    }
  });
  for (int i = 1; i <= 100; ++i) {
    wait_until([] { return locked([] { return sched.nmidle == 1; }); });
    letter = i;
    startm(fake.p(1), false);
    wait_until([&] { return round.load(std::memory_order_relaxed) == i; });
  }
  other.join();
  EXPECT_EQ(wrong, 0) << "what was written before startm must be there for the M that it wakes";
}

TEST(Race, ThreadsComeAndGo) {
  constexpr int kGoroutines = 24;
  std::vector<int> turns(kGoroutines);
  GORO_STEP(
      "24 goroutines on four Ps count in plain memory, some of them locked to their thread, "
      "some in system calls; the number of Ps changes 12 times");
  goro::run(
      [&] {
        WaitGroup group;
        for (int i = 0; i < kGoroutines; ++i) {
          group.go([mine = &turns[static_cast<std::size_t>(i)], i] {
            if (i % 4 == 0) lock_os_thread();
            for (int n = 0; n < 10; ++n) {
              ++*mine;
              if (i % 4 == 1) {
                system_call([] { osyield(); });
              } else {
                yield();
              }
            }
            if (i % 4 == 0) unlock_os_thread();
          });
        }
        for (int i = 0; i < 12; ++i) {
          max_procs(1 + i % 4);
          yield();
        }
        group.wait();
      },
      {.procs = 4});
  for (const int mine : turns) {
    ASSERT_EQ(mine, 10) << "a goroutine was lost, or run by two Ms at once";
  }
}

}  // namespace
}  // namespace goro::testing
