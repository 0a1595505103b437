// Those who wait, and those who wake, taking turns at every atomic access, as a seed decides. There
// are no descriptors here; who has an edge is a thread, or a goroutine.
#include <chrono>

#include "contracts/services/clock.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/waiting.h"
#include "support.h"
#include "testing/simulate.h"

namespace goro::testing {

namespace {

constexpr std::uint64_t kSeeds = 10'000;       // of single functions
constexpr std::uint64_t kRuntimeSeeds = 2000;  // of whole programs

void name_words(PollDesc& pd) {
  sim::name(&pd.info, sizeof(pd.info), "info");
  sim::name(&pd.lock, sizeof(pd.lock), "lock");
  sim::name(&pd.side(PollMode::read).g, sizeof(std::uintptr_t), "the word for reading");
  sim::name(&pd.side(PollMode::write).g, sizeof(std::uintptr_t), "the word for writing");
}

// What netpoll does with an event, and its caller with the list. On a goroutine.
void give_edge(PollDesc* pd, PollMode mode) {
  systemstack([&] {
    G* gp = netpoll_unblock(pd, mode, true);
    if (gp == nullptr) return;
    netpoll_waiters.fetch_sub(1);
    wake(gp);
  });
}

void set_deadline(PollDesc* pd, PollMode mode, std::int64_t from_now) {
  systemstack([&] { poll_set_deadline(pd, mode, from_now == 0 ? 0 : nanotime() + from_now); });
}

struct Stage : NobodyWaits {
  Stage() { name_words(pd); }
  PollDesc pd;
};

}  // namespace

TEST(SimulatedWord, WhoWaitsIsTakenOutOnce) {
  GORO_STEP("G1 was parked; \"main\" had an edge, and \"other\" a deadline, at the same time");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    Stage stage;
    const G* waits = fake.g(GStatus::waiting);
    stage.pd.side(PollMode::read).g.store(reinterpret_cast<std::uintptr_t>(waits));
    const G* by_other = nullptr;
    sim::Threads threads;
    threads.start("other", [&] {
      const FakeThread thread(fake.p(1));
      by_other = netpoll_unblock(&stage.pd, PollMode::read, false);
    });
    const G* by_main = netpoll_unblock(&stage.pd, PollMode::read, true);
    threads.join();
    const sim::Undisturbed quiet;
    EXPECT_EQ(id_of(by_main) + id_of(by_other), 1U)
        << "one of the two must get G1, or it is woken twice, or never";
    EXPECT_EQ(word_of(stage.pd, PollMode::read), "ready")
        << "whatever came first, the edge must not be lost";
  });
}

TEST(SimulatedWord, AnEdgeMeetsAReset) {
  GORO_STEP("\"other\" wrote a byte and gave an edge, while \"main\" reset, tried, and blocked");
  GORO_STEP("\"main\" does not park here: the descriptor was closed afterwards");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    Stage stage;
    atomic<int> bytes{0};
    sim::Threads threads;
    threads.start("other", [&] {
      const FakeThread thread(fake.p(1));
      bytes.store(1);
      netpoll_unblock(&stage.pd, PollMode::read, true);
    });
    poll_reset(&stage.pd, PollMode::read);
    const bool seen = bytes.load() != 0;
    threads.join();
    const sim::Undisturbed quiet;
    if (!seen) {
      EXPECT_EQ(word_of(stage.pd, PollMode::read), "ready")
          << "the byte came after the try, so its edge came after the reset: it must be there";
    }
  });
}

// [no_edge_is_lost]
TEST(SimulatedWait, NoEdgeIsLost) {
  GORO_STEP("one goroutine read three bytes, another wrote them one by one, each with an edge");
  GORO_STEP("\"deadlock\" means here: the reader waits for an edge that came already");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    Stage stage;
    PollDesc* pd = &stage.pd;
    atomic<int> bytes{0};
    int got = 0;
    run(
        [&] {
          const WaitGroup group;
          group.go([pd, in = &bytes, out = &got] {
            for (;;) {
              poll_reset(pd, PollMode::read);
              *out += in->exchange(0);
              if (*out == 3) return;
              poll_wait(pd, PollMode::read);
            }
          });
          group.go([pd, out = &bytes] {
            for (int i = 0; i < 3; ++i) {
              out->fetch_add(1);
              give_edge(pd, PollMode::read);
            }
          });
          group.wait();
        },
        {.procs = 2});
    EXPECT_EQ(got, 3);
    EXPECT_EQ(netpoll_waiters.load(), 0) << "nobody waits any more";
  });
}
// [/no_edge_is_lost]

TEST(SimulatedWait, CloseWakesWhoWaitsAndWhoIsAboutTo) {
  GORO_STEP("a reader and a writer wait, the writer gets an edge, and a third one closes");
  GORO_STEP("\"deadlock\" means here: one of them waits for a descriptor that is closed");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    Stage stage;
    PollDesc* pd = &stage.pd;
    PollError read = PollError::none;
    PollError write = PollError::none;
    run(
        [&] {
          const WaitGroup group;
          group.go([pd, out = &read] { *out = poll_wait(pd, PollMode::read); });
          group.go([pd, out = &write] {
            do {
              *out = poll_wait(pd, PollMode::write);
            } while (*out == PollError::none);
          });
          group.go([pd] { give_edge(pd, PollMode::write); });
          group.go([pd] { systemstack([pd] { poll_unblock(pd); }); });
          group.wait();
        },
        {.procs = 2});
    EXPECT_TRUE(read == PollError::closed) << "who read must be told that it is closed";
    EXPECT_TRUE(write == PollError::closed) << "who wrote must be told that it is closed";
    EXPECT_EQ(netpoll_waiters.load(), 0) << "nobody waits any more";
  });
}

TEST(SimulatedWait, ADeadlineWakesOnceWhateverElseHappens) {
  GORO_STEP("a reader waits until its deadline, which others move about while there is an edge");
  GORO_STEP("\"deadlock\" means here: its deadline passed, and it waits still");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    Stage stage;
    PollDesc* pd = &stage.pd;
    PollError error = PollError::none;
    run(
        [&] {
          const WaitGroup group;
          group.go([pd, out = &error] {
            set_deadline(pd, PollMode::read, 20'000);
            do {
              *out = poll_wait(pd, PollMode::read);
            } while (*out == PollError::none);
          });
          group.go([pd] { give_edge(pd, PollMode::read); });
          group.go([pd] {
            set_deadline(pd, PollMode::read, 1'000);
            set_deadline(pd, PollMode::read, 30'000);
          });
          group.wait();
        },
        {.procs = 2});
    EXPECT_TRUE(error == PollError::timeout) << "it must be told that its time is up";
    EXPECT_EQ(netpoll_waiters.load(), 0) << "nobody waits any more";
  });
}

TEST(SimulatedWait, ADeadlineThatWasMovedDoesNotEndAWait) {
  GORO_STEP("a deadline of 1 µs was moved to an hour before anybody waited; an edge comes at last");
  sim::explore({.seeds = kRuntimeSeeds}, [] {
    Stage stage;
    PollDesc* pd = &stage.pd;
    PollError error = PollError::closed;
    run(
        [&] {
          set_deadline(pd, PollMode::read, 1'000);
          set_deadline(pd, PollMode::read, 3'600'000'000'000);
          const WaitGroup group;
          group.go([pd, out = &error] { *out = poll_wait(pd, PollMode::read); });
          group.go([pd] {
            sleep(std::chrono::microseconds(5));
            give_edge(pd, PollMode::read);
          });
          group.wait();
          set_deadline(pd, PollMode::read, 0);
        },
        {.procs = 2});
    EXPECT_TRUE(error == PollError::none)
        << "there was an edge, and the deadline is an hour away: the old timer was out of date";
  });
}

}  // namespace goro::testing
