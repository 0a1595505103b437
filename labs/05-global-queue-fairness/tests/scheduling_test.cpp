// Steps 4 and 5, and what all five make together: goroutines that run under goro::run.
#include <array>
#include <atomic>
#include <chrono>
#include <exception>

#include "contracts/lifecycle.h"
#include "contracts/services/allgs.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"
#include "goro/goro.h"
#include "support.h"

namespace goro::testing {
namespace {

GStatus status_of(const G* gp) {
  return static_cast<GStatus>(gp->atomicstatus.load());
}

std::uint32_t tick() {
  return getm()->p->schedtick;
}

// What a running goroutine can see of how it was started.
struct Links {
  bool running = false;
  bool m_knows_g = false;
  bool g_knows_m = false;

  void look() {
    const G* gp = getg();
    running = status_of(gp) == GStatus::running;
    g_knows_m = gp->m != nullptr && gp->m->g0 != nullptr && gp->m->g0->m == gp->m;
    m_knows_g = g_knows_m && gp->m->curg.load() == gp;
  }
};

TEST(Execute, LinksTheThreadAndTheGoroutine) {
  GORO_STEP(
      "goroutine 1 and a second goroutine look at themselves; the second yields and looks again");
  std::array<Links, 3> seen;
  goro::run(
      [&] {
        seen[0].look();
        WaitGroup group;
        Links* out = seen.data();
        group.go([out] {
          out[1].look();
          yield();
          out[2].look();
        });
        group.wait();
        for (const Links& links : seen) {
          EXPECT_TRUE(links.running) << "execute moves the goroutine from runnable to running";
          EXPECT_TRUE(links.g_knows_m) << "gp->m must be the M that runs the goroutine";
          EXPECT_TRUE(links.m_knows_g) << "m->curg must be the goroutine that the M runs";
        }
      },
      {.procs = 1});
}

TEST(Execute, OnlyANewSliceCounts) {
  GORO_STEP("at one P: spawn A, B and C, and wait; C is in runnext, A and B are in the ring");
  expect_exactly([] {
    struct {
      std::uint32_t at_start, a, b, c, after_wait, after_yield;
    } seen{};
    goro::run(
        [&] {
          auto* out = &seen;
          WaitGroup group;
          group.go([out] { out->a = tick(); });
          group.go([out] { out->b = tick(); });
          group.go([out] { out->c = tick(); });
          seen.at_start = tick();
          group.wait();
          seen.after_wait = tick();
          yield();
          seen.after_yield = tick();
        },
        {.procs = 1});
    std::ostringstream wrong;
    const auto check = [&](const char* who, std::uint32_t now, std::uint32_t expected,
                           const char* why) {
      if (now == expected || wrong.tellp() > 0) return;
      wrong << "schedtick is " << now << " when " << who << " runs and should be " << expected
            << " (" << seen.at_start << " before): " << why;
    };
    const std::uint32_t t = seen.at_start;
    check("C", seen.c, t,
          "C came from runnext, it inherits the slice, and that does not count as a new one");
    check("A", seen.a, t + 1, "A came from the ring: a new time slice, schedtick goes up by one");
    check("B", seen.b, t + 2, "B came from the ring: a new time slice, schedtick goes up by one");
    check("goroutine 1", seen.after_wait, t + 2,
          "B woke it into runnext, so it inherits B's slice");
    check("goroutine 1 after a yield", seen.after_yield, t + 3,
          "it came back from the GRQ: a new time slice, schedtick goes up by one");
    return wrong.str();
  });
}

TEST(Execute, AChainOfWakeUpsIsOneSlice) {
  static constexpr int kRounds = 1000;
  GORO_STEP("at one P: two goroutines send a number back and forth ", kRounds, " times");
  expect_exactly([] {
    struct {
      std::uint32_t first = 0, last = 0;
    } seen;
    goro::run(
        [&] {
          auto* out = &seen;
          const Channel<int> there;
          const Channel<int> back;
          WaitGroup group;
          group.go([there, back] {
            for (const int value : there) back.send(value + 1);
          });
          group.go([there, back, out] {
            int value = 0;
            there.send(value);
            value = *back.receive();
            out->first = tick();
            for (int i = 0; i < kRounds; ++i) {
              there.send(value);
              value = *back.receive();
            }
            out->last = tick();
            there.close();
          });
          group.wait();
        },
        {.procs = 1});
    if (seen.first == seen.last) return std::string();
    std::ostringstream wrong;
    wrong << "schedtick went from " << seen.first << " to " << seen.last
          << ": each of the two is woken into runnext by the other and inherits its slice, so the "
             "whole "
             "chain is one slice, and whoever watches for slices that last too long can see that";
    return wrong.str();
  });
}

TEST(Execute, TheStackComesWithTheFirstExecution) {
  static constexpr int kGoroutines = 5;
  GORO_STEP("at one P: spawn ", kGoroutines, " goroutines, which only wait, and count stacks");
  goro::run(
      [] {
        const auto with_stack = [] {
          int count = 0;
          systemstack([&] {
            for_each_g([&](const G* gp) {
              if (is_small_stack(gp->stack_kind) && gp->stack.lo != 0) ++count;
            });
          });
          return count;
        };
        const Channel<int> never;
        for (int i = 0; i < kGoroutines; ++i) go([never] { never.receive(); });
        EXPECT_EQ(with_stack(), 0) << "nobody has run yet, so nobody has a stack";
        GORO_STEP("let each run until it waits, and count again");
        // Twice: on a tick that is a multiple of 61 the first one would come back at once, from the
        // GRQ.
        yield();
        yield();
        EXPECT_EQ(with_stack(), kGoroutines) << "g_prepare_to_run gives a goroutine its stack when "
                                                "it is executed for the first time";
      },
      {.procs = 1});
}

TEST(Execute, BringsBackTheExceptionInHand) {
  GORO_STEP("two goroutines each catch an exception of their own and yield inside the catch block");
  std::array<bool, 2> own{};
  goro::run(
      [&] {
        bool* out = own.data();
        WaitGroup group;
        for (int i = 0; i < 2; ++i) {
          group.go(SpawnOptions{.stack = fixed_stack(64 << 10)}, [out, i] {
            try {
              throw i;
            } catch (const int& mine) {
              yield();
              yield();
              const std::exception_ptr now = std::current_exception();
              if (now == nullptr) return;
              try {
                std::rethrow_exception(now);
              } catch (const int& again) {
                out[i] = &again == &mine;
              }
            }
          });
        }
        group.wait();
      },
      {.procs = 1});
  for (const bool found : own) {
    EXPECT_TRUE(found)
        << "a goroutine that yields in a catch block handles the same exception afterwards: "
           "execute must restore_exception_state before it switches";
  }
}

TEST(Schedule, ASpinningThreadThatFoundWorkSpinsNoMore) {
  GORO_STEP("at two Ps: goroutine 1 keeps its P busy, so another M must come looking and steal");
  struct {
    std::atomic<bool> done{false};
    bool spinning = false;
    bool always_looking = false;
  } seen;
  goro::run(
      [&] {
        auto* out = &seen;
        for (int round = 0; round < 20 && !seen.always_looking; ++round) {
          seen.done.store(false);
          go([out] {
            out->spinning |= getm()->spinning;
            // A wakep that finds the P taken has counted an M for a moment. Both Ps are busy now,
            // so nobody new comes to look, and the count must go down to 0.
            const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
            while (sched.nmspinning.load() != 0 && !out->always_looking) {
              out->always_looking = std::chrono::steady_clock::now() > deadline;
            }
            out->done.store(true);
          });
          while (!seen.done.load()) cpu_relax();
        }
      },
      {.procs = 2});
  EXPECT_FALSE(seen.spinning)
      << "the M that runs a goroutine still has m->spinning set: an M that was "
         "spinning and found work must call resetspinning before it executes it";
  EXPECT_FALSE(seen.always_looking)
      << "sched.nmspinning counts an M as spinning that runs a goroutine; then "
         "wakep never starts another, because it thinks that somebody is looking";
}

TEST(Schedule, LeavesWhenAsked) {
  GORO_STEP("at two Ps: eight goroutines that only yield, for ever");
  std::array<std::atomic<int>, 8> turns{};
  goro::run(
      [&] {
        for (std::atomic<int>& mine : turns) {
          std::atomic<int>* out = &mine;
          go([out] {
            for (;;) {
              out->fetch_add(1);
              yield();
            }
          });
        }
        const auto wait_for_a_turn_of_all = [&] {
          for (std::atomic<int>& mine : turns) {
            const int before = mine.load();
            while (mine.load() == before) yield();
          }
        };
        wait_for_a_turn_of_all();
        GORO_STEP("the world is stopped to change the number of Ps: every M must give up its P");
        max_procs(1);
        max_procs(2);
        wait_for_a_turn_of_all();
        GORO_STEP("goroutine 1 returns: every M must leave at its next schedule (leave_if_asked)");
      },
      {.procs = 2});
  GORO_STEP("run has returned");
  for (const std::atomic<int>& mine : turns) EXPECT_GT(mine.load(), 0);
}

// Three goroutines that keep each other awake. Whoever has the lead wakes the next one, which lands
// in runnext and is kicked out to the ring by the second wake-up; then it waits. So the P's own
// queue is never empty, and every round takes one new slice from the ring.
struct Chatter {
  static constexpr int kLead = 1;
  static constexpr int kRest = 0;
  static constexpr int kMostRounds = 61 * 100;
  static constexpr int kTurns = 20;

  // With room, so that nobody waits to be heard.
  std::array<Channel<int>, 3> talk{Channel<int>(4), Channel<int>(4), Channel<int>(4)};
  Channel<int> over;
  int rounds = 0;
  int turns = 0;                          // of the fourth goroutine
  std::array<int, kTurns> rounds_then{};  // when it had them

  void speak(std::size_t me) {
    for (;;) {
      if (*talk[me].receive() != kLead) continue;
      if (turns == kTurns || rounds == kMostRounds) {
        over.send(1);
        continue;
      }
      ++rounds;
      talk[(me + 1) % 3].send(kLead);
      talk[(me + 2) % 3].send(kRest);
    }
  }

  void wait_for_turns() {
    while (turns < kTurns) {
      rounds_then[static_cast<std::size_t>(turns++)] = rounds;
      yield();
    }
  }
};

TEST(Fairness, ABusyRingDoesNotStarveTheGlobalQueue) {
  GORO_STEP(
      "at one P: three goroutines wake each other for ever, so runnext or ring always has work");
  GORO_STEP(
      "a fourth yields: it waits in the GRQ; it counts the rounds of the three between its turns");
  Chatter chatter;
  goro::run(
      [&] {
        Chatter* all = &chatter;
        for (std::size_t i = 0; i < 3; ++i) go([all, i] { all->speak(i); });
        go([all] { all->wait_for_turns(); });
        chatter.talk[0].send(Chatter::kLead);
        chatter.over.receive();
      },
      {.procs = 1});
  ASSERT_EQ(chatter.turns, Chatter::kTurns)
      << "the goroutine in the GRQ starved: it had " << chatter.turns
      << " turns while the others had " << chatter.rounds
      << " rounds; every 61st slice must look at the GRQ first";
  for (std::size_t i = 1; i < chatter.rounds_then.size(); ++i) {
    const int waited = chatter.rounds_then[i] - chatter.rounds_then[i - 1];
    ASSERT_LE(waited, 61) << "the goroutine in the GRQ waited for " << waited
                          << " rounds of the others before turn " << i
                          << "; every 61st slice must look at the GRQ first";
  }
}

// `goroutines` goroutines that yield `turns` times each, at one P; the order of their turns.
struct Yielders {
  std::uint32_t schedtick = 0;
  std::vector<int> order;

  Yielders(int goroutines, int turns) {
    order.reserve(static_cast<std::size_t>(goroutines * turns));
    goro::run(
        [&] {
          WaitGroup group;
          std::vector<int>* out = &order;
          for (int i = 0; i < goroutines; ++i) {
            group.go([out, i, turns] {
              for (int n = 0; n < turns; ++n) {
                out->push_back(i);
                yield();
              }
            });
          }
          schedtick = tick();
          group.wait();
        },
        {.procs = 1});
  }
};

TEST(Fairness, YieldersTakeTurns) {
  static constexpr int kGoroutines = 20;
  static constexpr int kTurns = 50;
  GORO_STEP("at one P: ", kGoroutines, " goroutines yield ", kTurns, " times each");
  expect_exactly([] {
    const Yielders yielders(kGoroutines, kTurns);
    Rules rules(yielders.schedtick);
    std::array<int, kGoroutines> left{};
    left.fill(kTurns);
    for (int i = 0; i < kGoroutines; ++i) rules.spawn(i);
    std::vector<Rules::Turn> expected;
    // A goroutine comes once more to find that it has had its turns.
    while (expected.size() < static_cast<std::size_t>(kGoroutines * kTurns)) {
      const Rules::Turn turn = rules.next();
      int& mine = left[static_cast<std::size_t>(turn.who)];
      if (mine == 0) continue;
      --mine;
      expected.push_back(turn);
      rules.yield(turn.who);
    }
    const std::string wrong = first_difference(expected, yielders.order, yielders.schedtick);
    return wrong.empty()
               ? wrong
               : "whoever yields goes behind everybody else, and the order of turns is another: " +
                     wrong;
  });
}

// A burst of `count` goroutines spawned at one P, with `yields` time slices before it, so that the
// 61st tick falls elsewhere. "" if the order is what the rules say.
std::string burst(int count, int yields) {
  std::uint32_t schedtick = 0;
  std::vector<int> order;
  order.reserve(static_cast<std::size_t>(count));
  goro::run(
      [&] {
        for (int i = 0; i < yields; ++i) yield();
        WaitGroup group;
        std::vector<int>* out = &order;
        for (int i = 0; i < count; ++i) {
          group.go([out, i] { out->push_back(i); });
        }
        schedtick = tick();
        group.wait();
      },
      {.procs = 1});
  Rules rules(schedtick);
  for (int i = 0; i < count; ++i) rules.spawn(i);
  std::vector<Rules::Turn> expected;
  for (int i = 0; i < count; ++i) expected.push_back(rules.next());
  return first_difference(expected, order, schedtick);
}

TEST(Order, SixHundredGoroutinesAtOneP) {
  GORO_STEP(
      "at one P: spawn goroutines 0 to 599 and wait; the ring overflows into the GRQ three times");
  expect_exactly([] { return burst(600, 0); });
  for (int yields = 1; yields <= 61 && !HasFailure(); yields += 10) {
    GORO_STEP("the same after ", yields, " time slices, so that the 61st falls elsewhere");
    expect_exactly([yields] { return burst(600, yields); });
  }
}

TEST(Order, AnyBurstFollowsTheRules) {
  const std::uint64_t seed = testing::seed();
  GORO_STEP("20 bursts of random size");
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20; ++i) {
    const int count = 1 + static_cast<int>(random() % 900);
    const int yields = static_cast<int>(random() % 61);
    expect_exactly([count, yields] { return burst(count, yields); });
    if (HasFailure()) {
      FAIL() << "that was a burst of " << count << " goroutines after " << yields
             << " time slices; --seed " << seed << " replays it";
    }
  }
}

TEST(FourProcessors, RunEveryGoroutineExactlyAsOftenAsItYields) {
  static constexpr int kGoroutines = 400;
  static constexpr int kTurns = 10;
  GORO_STEP("at four Ps: ", kGoroutines, " goroutines yield ", kTurns,
            " times each and count in memory that is not atomic");
  std::vector<int> turns(kGoroutines);
  goro::run(
      [&] {
        WaitGroup group;
        for (int& mine : turns) {
          int* out = &mine;
          group.go([out] {
            for (int n = 0; n < kTurns; ++n) {
              ++*out;
              yield();
            }
          });
        }
        group.wait();
      },
      {.procs = 4});
  for (const int count : turns) {
    ASSERT_EQ(count, kTurns)
        << "a goroutine was run by two Ms at once, or lost on its way through the GRQ";
  }
}

}  // namespace
}  // namespace goro::testing
