// Memory order, watched by ThreadSanitizer. Between the two sides of each test there is no other
// synchronisation than stealing itself: where it is too weak, TSan sees plain data that one thread
// writes and another reads, and says so.
#include <atomic>
#include <thread>

#include "support.h"

namespace goro::testing {
namespace {

constexpr std::uint32_t kGoroutines = 1500;

// What a goroutine's maker leaves for whoever runs it: plain memory.
struct Payload {
  std::uint64_t text = 0;
};

std::vector<G*> new_goroutines(FakeM& fake, std::uint32_t n) {
  std::vector<G*> gs;
  for (std::uint32_t i = 0; i < n; ++i) gs.push_back(fake.g());
  return gs;
}

// What the owner of a P does: waits for room without ordering anything, then publishes.
void put_when_there_is_room(P* pp, G* gp) {
  const std::uint32_t tail = pp->runqtail.load(std::memory_order_relaxed);
  while (tail - pp->runqhead.load(std::memory_order_relaxed) >= 8) std::this_thread::yield();
  pp->runq[tail % kRunqSize].store(gp, std::memory_order_relaxed);
  pp->runqtail.store(tail + 1, std::memory_order_release);
}

// One goroutine of the own ring, as its owner takes it.
G* take_own(P* pp) {
  std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
  while (head != pp->runqtail.load(std::memory_order_relaxed)) {
    G* gp = pp->runq[head % kRunqSize].load(std::memory_order_relaxed);
    if (pp->runqhead.compare_exchange_strong(head, head + 1, std::memory_order_release,
                                             std::memory_order_acquire)) {
      return gp;
    }
  }
  return nullptr;
}

class Readers {
 public:
  explicit Readers(std::uint32_t n) : payloads_(n + 1) {}

  void write(const G* gp) { payloads_[gp->goid].text = gp->goid * 3; }
  void read(const G* gp) {
    if (payloads_[gp->goid].text != gp->goid * 3) wrong_.fetch_add(1, std::memory_order_relaxed);
    taken_.fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint32_t taken() const { return taken_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t wrong() const { return wrong_.load(std::memory_order_relaxed); }

 private:
  std::vector<Payload> payloads_;
  std::atomic<std::uint32_t> taken_{0};
  std::atomic<std::uint32_t> wrong_{0};
};

TEST(Race, AThiefSeesWhatWasWrittenBeforePut) {
  FakeM fake(3);
  const std::vector<G*> gs = new_goroutines(fake, kGoroutines);
  Readers readers(kGoroutines);
  GORO_STEP("the owner of P0 writes a payload for each goroutine and puts it into its ring");
  GORO_STEP("two thieves steal from P0 and read the payload");
  std::vector<std::thread> thieves;
  for (int i = 1; i < 3; ++i) {
    thieves.emplace_back([&, i] {
      const FakeThread thread(fake.p(i));
      while (readers.taken() < kGoroutines) {
        const G* gp = runq_steal(fake.p(i), fake.p(0), false);
        for (; gp != nullptr; gp = take_own(fake.p(i))) readers.read(gp);
        std::this_thread::yield();
      }
    });
  }
  for (G* gp : gs) {
    readers.write(gp);
    put_when_there_is_room(fake.p(0), gp);
  }
  for (std::thread& thief : thieves) thief.join();
  EXPECT_EQ(readers.taken(), kGoroutines) << "every goroutine must be taken exactly once";
  EXPECT_EQ(readers.wrong(), 0U) << "whoever steals a goroutine must see everything that was "
                                    "written before it was put: read the tail with acquire";
}

TEST(Race, WhatWasStolenCanBeStolenAgain) {
  FakeM fake(3);
  const std::vector<G*> gs = new_goroutines(fake, kGoroutines);
  Readers readers(kGoroutines);
  GORO_STEP("the owner of P0 writes a payload for each goroutine and puts it into its ring");
  GORO_STEP("the M of P1 steals from P0; the M of P2 steals from P1 only and reads the payload");
  std::thread second([&] {
    const FakeThread thread(fake.p(2));
    while (readers.taken() < kGoroutines) {
      const G* gp = runq_steal(fake.p(2), fake.p(1), false);
      for (; gp != nullptr; gp = take_own(fake.p(2))) readers.read(gp);
      std::this_thread::yield();
    }
  });
  std::thread first([&] {
    const FakeThread thread(fake.p(1));
    while (readers.taken() < kGoroutines) {
      // The contract: pp's ring is empty.
      if (fake.p(1)->runqhead.load(std::memory_order_acquire) ==
          fake.p(1)->runqtail.load(std::memory_order_relaxed)) {
        if (const G* gp = runq_steal(fake.p(1), fake.p(0), false); gp != nullptr) readers.read(gp);
      }
      std::this_thread::yield();
    }
  });
  for (G* gp : gs) {
    readers.write(gp);
    put_when_there_is_room(fake.p(0), gp);
  }
  first.join();
  second.join();
  EXPECT_EQ(readers.taken(), kGoroutines) << "every goroutine must be taken exactly once";
  EXPECT_EQ(readers.wrong(), 0U)
      << "the thief publishes what it stole by a store of its own tail, with release: the next "
         "thief must see what the goroutine's maker wrote";
}

TEST(Race, TheOwnerSeesThatAThiefIsDoneWithItsSlots) {
  FakeM fake(2);
  std::vector<G*> gs = new_goroutines(fake, 64);
  std::uint64_t read_by_thief = 0;  // plain: the thief writes it before it claims
  std::uint64_t wrong = 0;
  GORO_STEP("a thief notes down what it is about to take, and takes it");
  GORO_STEP("the owner sees the head move (acquire) and reads the note");
  constexpr std::uint32_t kRounds = 500;
  std::thread thief([&] {
    const FakeThread thread(fake.p(1));
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      while (fake.p(0)->runqtail.load(std::memory_order_acquire) == round) {
        std::this_thread::yield();
      }
      read_by_thief = round + 1;
      runq_grab(fake.p(0), fake.p(1)->runq, 0, false);
    }
  });
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    fake.p(0)->runq[round % kRunqSize].store(gs[round % gs.size()], std::memory_order_relaxed);
    fake.p(0)->runqtail.store(round + 1, std::memory_order_release);
    while (fake.p(0)->runqhead.load(std::memory_order_acquire) == round) std::this_thread::yield();
    if (read_by_thief != round + 1) ++wrong;
  }
  thief.join();
  EXPECT_EQ(wrong, 0U) << "an owner that sees the head moved must know that the thief has read the "
                          "slots: the compare-and-swap of the head needs release";
}

}  // namespace
}  // namespace goro::testing
