// Slot 13's words under every schedule: edges, deadlines and close meet a goroutine that is about
// to wait. There are no descriptors here; who has an edge is a goroutine.
#if GORO_SIMULATE

#include <chrono>

#include "contracts/getg.h"
#include "contracts/netpoll.h"
#include "contracts/services/clock.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/waiting.h"
#include "goro/goro.h"
#include "testing/simulate.h"
#include "testing/story.h"

namespace goro::testing {

namespace {

// What netpoll does with an event.
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

struct Desc {
  PollDesc pd;
  ~Desc() { netpoll_waiters.store(0); }
};

}  // namespace

TEST(NetpollSimulation, NoEdgeIsLost) {
  sim::explore({.seeds = 1000}, [] {
    Desc desc;
    PollDesc* pd = &desc.pd;
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
    EXPECT_EQ(netpoll_waiters.load(), 0);
  });
}

TEST(NetpollSimulation, CloseWakesWhoWaitsAndWhoIsAboutTo) {
  sim::explore({.seeds = 1000}, [] {
    Desc desc;
    PollDesc* pd = &desc.pd;
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
    EXPECT_TRUE(read == PollError::closed) << "who read";
    EXPECT_TRUE(write == PollError::closed) << "who wrote";
    EXPECT_EQ(netpoll_waiters.load(), 0);
  });
}

TEST(NetpollSimulation, ADeadlineWakesOnceWhateverElseHappens) {
  sim::explore({.seeds = 1000}, [] {
    Desc desc;
    PollDesc* pd = &desc.pd;
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
    EXPECT_TRUE(error == PollError::timeout);
    EXPECT_EQ(netpoll_waiters.load(), 0);
  });
}

}  // namespace goro::testing

#endif
