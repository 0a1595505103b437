// Memory order, watched by ThreadSanitizer. Between the two sides of each test there is no other
// synchronisation than the queue's own: where the queue's is too weak, TSan sees plain data that
// one thread writes and another reads, and says so.
#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "queue_test.h"

namespace goro::testing {

namespace {

constexpr std::size_t kGoroutines = 2000;

// What a goroutine's maker leaves for whoever runs it: plain memory.
struct Payload {
  std::uint64_t text = 0;
};

__attribute__((noinline)) void write_payload_before_put(Payload* payload, std::uint64_t value) {
  payload->text = value;
}

__attribute__((noinline)) std::uint64_t read_payload_after_take(const Payload* payload) {
  return payload->text;
}

struct HandedOver {
  std::uint64_t taken = 0;
  std::uint64_t wrong = 0;  // payloads that were not what the owner wrote
};

// The owner puts gs while thieves take them; `put(i)` puts gs[i].
template <typename Put, typename Take>
HandedOver hand_over(const std::vector<G*>& gs, P* pp, int thief_count, Put put, Take take) {
  std::vector<Payload> payloads(gs.size() + 1);
  std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint64_t> wrong{0};
  std::atomic<bool> all_put{false};
  const auto look_at = [&](const G* gp) {
    if (read_payload_after_take(&payloads[gp->goid]) != gp->goid * 3) {
      wrong.fetch_add(1, std::memory_order_relaxed);
    }
    taken.fetch_add(1, std::memory_order_relaxed);
  };
  std::vector<std::thread> thieves;
  for (int t = 0; t < thief_count; ++t) {
    thieves.emplace_back([&] {
      for (;;) {
        const bool last_look = all_put.load(std::memory_order_relaxed);
        if (const G* gp = take(); gp != nullptr) {
          look_at(gp);
        } else if (last_look) {
          return;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::size_t i = 0; i < gs.size(); ++i) {
    write_payload_before_put(&payloads[gs[i]->goid], gs[i]->goid * 3);
    // Relaxed, so that looking for room orders nothing: the ring must not overflow here.
    while (pp->runqtail.load(std::memory_order_relaxed) -
               pp->runqhead.load(std::memory_order_relaxed) >=
           kRunqSize / 2) {
      std::this_thread::yield();
    }
    put(i);
  }
  all_put.store(true, std::memory_order_relaxed);
  for (std::thread& thief : thieves) thief.join();
  while (const G* gp = take()) look_at(gp);
  return {taken.load(), wrong.load()};
}

}  // namespace

TEST(Race, AThiefSeesWhatWasWrittenBeforePut) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, kGoroutines);
  GORO_STEP(
      "the owner wrote a payload for each goroutine and put it into the ring; two thieves took it "
      "and read "
      "the payload");
  const HandedOver result = hand_over(
      gs, pp, 2, [&](std::size_t i) { runq_put(pp, gs[i], false); },
      [&] { return steal_oldest(pp); });
  EXPECT_EQ(result.taken, kGoroutines) << "every goroutine must be taken exactly once";
  EXPECT_EQ(result.wrong, 0U)
      << "a thief that sees the new tail must see everything the owner wrote before: the "
         "tail needs a store with memory order release";
}

TEST(Race, AThiefSeesWhatWasWrittenBeforeABatch) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, kGoroutines);
  GORO_STEP(
      "the owner wrote a payload for each goroutine and put it with runq_put_batch; two thieves "
      "took it and "
      "read the payload");
  const HandedOver result = hand_over(
      gs, pp, 2,
      [&](std::size_t i) {
        GQueue queue;
        queue.push_back(gs[i]);
        runq_put_batch(pp, &queue);
      },
      [&] { return steal_oldest(pp); });
  EXPECT_EQ(result.taken, kGoroutines) << "every goroutine must be taken exactly once";
  EXPECT_EQ(result.wrong, 0U) << "the batch's store of the tail needs memory order release too";
}

TEST(Race, AThiefOfRunnextSeesWhatWasWrittenBeforePut) {
  FakeM m;
  P* pp = m.p();
  // Few: each of them has to wait until the thief gets a processor.
  const auto gs = goroutines(&m, 100);
  GORO_STEP(
      "the owner wrote a payload for each goroutine and put it into runnext; a thief took it from "
      "there and "
      "read the payload");
  const HandedOver result = hand_over(
      gs, pp, 1,
      [&](std::size_t i) {
        // Relaxed, as above: nobody may be kicked out here.
        while (pp->runnext.load(std::memory_order_relaxed) != nullptr) std::this_thread::yield();
        runq_put(pp, gs[i], true);
      },
      [&] { return steal_runnext(pp); });
  EXPECT_EQ(result.taken, gs.size()) << "every goroutine must be taken exactly once";
  EXPECT_EQ(result.wrong, 0U) << "runnext needs memory order seq_cst, which includes release";
}

// A thief reads a slot, then moves the head. An owner that sees the new head reuses the slot: it
// must see that the thief is done. The note stands for the slot; TSan does not check the slots,
// they are atomic.
template <typename Put>
void thief_is_done_before_owner_reuses(std::size_t rounds, Put put) {
  for (std::size_t round = 0; round < rounds; ++round) {
    FakeM m;
    P* pp = m.p();
    const auto gs = goroutines(&m, 257);
    put_all(pp, gs, 0, 256);
    std::uint64_t note = 0;
    std::thread thief([&] {
      const G* gp = pp->runq[0].load(std::memory_order_relaxed);
      note = gp->goid;  // what a thief does before it moves the head
      pp->runqhead.store(1, std::memory_order_release);
    });
    // Relaxed: this loop only waits; the order must come from the queue.
    while (pp->runqhead.load(std::memory_order_relaxed) == 0) std::this_thread::yield();
    put(pp, gs[256]);
    const std::uint64_t read_note_after_put = note;
    EXPECT_EQ(read_note_after_put, 1U);
    EXPECT_EQ(show(ring(pp)), show(range(2, 257)));
    thief.join();
  }
}

TEST(Race, TheOwnerSeesThatAThiefIsDoneWithItsSlot) {
  GORO_STEP(
      "the ring is full; a thief reads slot 0, writes a note, and moves the head; the owner sees "
      "the room, "
      "puts a goroutine into slot 0 with runq_put, and reads the note");
  thief_is_done_before_owner_reuses(5, [](P* pp, G* gp) { runq_put(pp, gp, false); });
  GORO_STEP("the same with runq_put_batch");
  thief_is_done_before_owner_reuses(5, [](P* pp, G* gp) {
    GQueue queue;
    queue.push_back(gp);
    runq_put_batch(pp, &queue);
  });
}

TEST(Race, TwoOverflowsAtOnceTakeTheLock) {
  constexpr std::size_t kEach = 257 * 12;
  FakeM m(2);
  const auto gs = goroutines(&m, 2 * kEach);
  GORO_STEP(
      "two Ps' owners put goroutines until their rings overflow, a dozen times each, both at once");
  std::atomic<int> started{0};
  const auto put_half = [&](P* pp, std::size_t from) {
    started.fetch_add(1, std::memory_order_relaxed);
    while (started.load(std::memory_order_relaxed) != 2) std::this_thread::yield();
    put_all(pp, gs, from, from + kEach);
  };
  std::thread other([&] {
    const FakeThread fake(m.p(1));
    put_half(m.p(1), kEach);
  });
  put_half(m.p(0), 0);
  other.join();
  const std::int32_t size = sched.runqsize.load();
  Ids all = m.drain_global();
  EXPECT_EQ(static_cast<std::size_t>(size), all.size())
      << "the GRQ's size is wrong: two overflows must not touch the GRQ at the same time "
         "(sched.lock)";
  all = all + ring(m.p(0)) + ring(m.p(1));
  std::sort(all.begin(), all.end());
  EXPECT_EQ(show(all), show(range(1, 2 * kEach)))
      << "goroutines got lost in the GRQ: runq_put_slow must hold sched.lock around "
         "globrunq_put_batch";
}

TEST(Race, EmptyIsNeverTrueWhileGoroutinesMove) {
  constexpr int kMoves = 10'000;
  FakeM m;
  P* pp = m.p();
  G* waiting = m.g();
  G* running = m.g();
  GORO_STEP(
      "one thread kept moving goroutines from runnext to the ring, so that there was always one in "
      "the "
      "queue; another asked runq_empty all the time");
  runq_put(pp, waiting, true);
  std::atomic<bool> done{false};
  std::atomic<int> asked{0};
  std::atomic<int> said_empty{0};
  std::thread observer([&] {
    while (!done.load(std::memory_order_relaxed)) {
      if (runq_empty(pp)) said_empty.fetch_add(1, std::memory_order_relaxed);
      asked.fetch_add(1, std::memory_order_relaxed);
    }
  });
  const G* left_the_ring = waiting;
  for (int i = 0; i < kMoves || asked.load(std::memory_order_relaxed) < 100; ++i) {
    bool inherit = false;
    runq_put(pp, running, true);       // waiting moves to the ring
    runq_get(pp, &inherit);            // running runs; waiting is in the ring
    runq_put(pp, running, true);       // running is in runnext, waiting in the ring
    left_the_ring = steal_oldest(pp);  // running is in runnext
    if (left_the_ring != waiting) break;
    std::swap(waiting, running);
  }
  done.store(true, std::memory_order_relaxed);
  observer.join();
  EXPECT_NE(left_the_ring, nullptr)
      << "the goroutine that was kicked out of runnext is not in the ring";
  EXPECT_EQ(said_empty.load(), 0)
      << "runq_empty said empty, but there was a goroutine in runnext or in the "
         "ring at every moment (it was asked "
      << asked.load() << " times)";
}

TEST(Race, OwnerAndThievesTakeEveryGoroutineOnce) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, kGoroutines);
  std::vector<int> taken(kGoroutines + 1);  // plain: only whoever took the goroutine may write here
  std::atomic<bool> done{false};
  GORO_STEP("the owner put and took, through runnext and the ring, while two thieves took");
  std::vector<std::thread> thieves;
  for (int t = 0; t < 2; ++t) {
    thieves.emplace_back([&, t] {
      while (!done.load(std::memory_order_relaxed)) {
        G* stolen[kRunqSize];
        std::uint32_t n = steal(pp, 2, kRunqSize, stolen);
        if (n == 0 && t == 0 && (stolen[0] = steal_runnext(pp)) != nullptr) n = 1;
        for (std::uint32_t i = 0; i < n; ++i) ++taken[stolen[i]->goid];
        if (n == 0) std::this_thread::yield();
      }
    });
  }
  bool inherit = false;
  for (std::size_t i = 0; i < gs.size(); ++i) {
    runq_put(pp, gs[i], i % 3 == 0);
    if (i % 4 == 0) {
      if (const G* gp = runq_get(pp, &inherit); gp != nullptr) ++taken[gp->goid];
    }
    if (i % 64 == 0) std::this_thread::yield();
  }
  while (const G* gp = runq_get(pp, &inherit)) ++taken[gp->goid];
  done.store(true, std::memory_order_relaxed);
  for (std::thread& thief : thieves) thief.join();
  for (const std::uint64_t id : m.drain_global()) ++taken[id];
  for (std::size_t id = 1; id <= kGoroutines; ++id) {
    ASSERT_EQ(taken[id], 1) << "G" << id << " must be taken exactly once";
  }
}

}  // namespace goro::testing
