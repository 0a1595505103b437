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

// A try to receive that finds the channel empty while the last value is being taken: `has_one` says
// that there is one still, `take` makes it empty as a taker does, under the lock and with release.
template <typename HasOne, typename Take>
int look_while_somebody_takes(Hchan* c, int written, HasOne has_one, Take take) {
  int data = 0;
  std::thread taker([&] {
    c->lock.lock();
    data = written;
    take();
    c->lock.unlock();
  });
  // Relaxed, so that waiting orders nothing.
  while (has_one()) std::this_thread::yield();
  int place = 0;
  EXPECT_FALSE(chanrecv(c, &place, false).selected) << "it is open, and nothing is there any more";
  const int read = data;
  taker.join();
  return read;
}

TEST(Race, WhoSeesItEmptySeesWhatCameBefore) {
  constexpr int kRounds = 20;
  const char* const rule =
      "what says \"empty\" without the lock must be loaded with acquire. Else `closed`, which is "
      "looked at next, may be from before, and a channel that was closed and then drained looks "
      "open and empty";
  GORO_STEP(
      "a thread writes plain data and takes the last value out of the buffer; another finds the "
      "buffer empty, without the lock, and reads");
  for (int round = 1; round <= kRounds; ++round) {
    const Chan<int> ch(1);
    ch->qcount.store(1);
    ASSERT_EQ(look_while_somebody_takes(
                  ch.get(), round, [&] { return ch->qcount.load(std::memory_order_relaxed) != 0; },
                  [&] { ch->qcount.store(0, std::memory_order_release); }),
              round)
        << rule;
  }
  GORO_STEP("the same without a buffer: the last sender that waits is taken out of sendq");
  for (int round = 1; round <= kRounds; ++round) {
    const Chan<int> ch;
    Sudog sender;
    link_last(&ch->sendq, &sender);
    ASSERT_EQ(look_while_somebody_takes(
                  ch.get(), round,
                  [&] { return ch->sendq.first.load(std::memory_order_relaxed) != nullptr; },
                  [&] {
                    ch->sendq.last = nullptr;
                    ch->sendq.first.store(nullptr, std::memory_order_release);
                  }),
              round)
        << rule;
  }
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
