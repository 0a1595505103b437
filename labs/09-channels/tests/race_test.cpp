// Memory order, watched by ThreadSanitizer. Between the two sides of each test there is no other
// synchronisation than the channel's own: where it is too weak, TSan sees plain data that one
// thread writes and another reads, and says so.
#include <atomic>
#include <thread>

#include "support.h"

namespace goro::testing {
namespace {

TEST(Race, SudogsTravelBetweenPsUnderTheLock) {
  constexpr int kRounds = 60;
  FakeM fake(3);
  GORO_STEP("two Ms take 200 sudogs and give them back, ", kRounds,
            " times, through sched's list as well");
  std::vector<std::thread> threads;
  for (int i = 1; i < 3; ++i) {
    threads.emplace_back([&, i] {
      const FakeThread thread(fake.p(i));
      std::vector<Sudog*> taken(200);
      for (int round = 0; round < kRounds; ++round) {
        for (Sudog*& s : taken) {
          s = acquire_sudog();
          ++s->ticket;
        }
        for (Sudog* s : taken) {
          --s->ticket;
          release_sudog(s);
        }
        std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const int lists = fake.p(1)->sudogcache.size + fake.p(2)->sudogcache.size + sched.sudogcache.size;
  EXPECT_GE(lists, 200) << "sched's list is changed under sched.sudoglock only";
  EXPECT_LE(lists, 2 * 200 + 2 * kSudogCache)
      << "sched's list is changed under sched.sudoglock only";
}

TEST(Race, WhoSeesTheCloseSeesWhatCameBefore) {
  constexpr int kRounds = 60;
  GORO_STEP(
      "a thread writes plain data and closes; another finds the channel closed, without the "
      "lock, and reads");
  int wrong = 0;
  for (int round = 1; round <= kRounds; ++round) {
    const Chan<int> ch;
    int data = 0;
    std::thread closer([&] {
      data = round;
      closechan(ch.get());
    });
    int place = 0;
    while (!chanrecv(ch.get(), &place, false).selected) std::this_thread::yield();
    if (data != round) ++wrong;
    closer.join();
  }
  EXPECT_EQ(wrong, 0) << "closed is stored with release, and loaded with acquire where there is no "
                         "lock";
}

struct Parcel {
  std::uint64_t text = 0;
};

TEST(Race, TheReceiverSeesWhatTheSenderWrote) {
  constexpr int kParcels = 400;
  for (const int capacity : {0, 4}) {
    GORO_STEP(
        "four Ps: two goroutines write parcels and send their addresses, two receive and "
        "read; room for ",
        capacity);
    std::uint64_t sum = 0;
    goro::run(
        [&] {
          const Channel<Parcel*> ch(capacity);
          const Channel<std::uint64_t> done;
          for (int s = 0; s < 2; ++s) {
            go([ch] {
              for (std::uint64_t i = 1; i <= kParcels; ++i) {
                auto* parcel = new Parcel;
                parcel->text = i;
                ch.send(parcel);
              }
            });
            go([ch, done] {
              std::uint64_t own = 0;
              for (int i = 0; i < kParcels; ++i) {
                const std::unique_ptr<Parcel> parcel(ch.receive().value_or(nullptr));
                if (parcel != nullptr) own += parcel->text;
              }
              done.send(own);
            });
          }
          for (int r = 0; r < 2; ++r) sum += done.receive().value_or(0);
        },
        {.procs = 4});
    EXPECT_EQ(sum, std::uint64_t{kParcels} * (kParcels + 1))
        << "each parcel must arrive once, with what was written into it";
  }
}

TEST(Race, ThreadsOutsideAndGoroutinesShareAChannel) {
  constexpr int kEach = 150;
  GORO_STEP("two threads and two goroutines send through one channel, and goroutine 1 receives");
  const Channel<int> ch(2);
  const ForeignThread guard;
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) ch.send(1);
    });
  }
  int sum = 0;
  goro::run(
      [&] {
        for (int s = 0; s < 2; ++s) {
          go([ch] {
            for (int i = 0; i < kEach; ++i) ch.send(1000);
          });
        }
        for (int i = 0; i < 4 * kEach; ++i) sum += ch.receive().value_or(0);
      },
      {.procs = 3});
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 2 * kEach * 1001) << "each value must arrive once, whoever sent it";
}

}  // namespace
}  // namespace goro::testing
