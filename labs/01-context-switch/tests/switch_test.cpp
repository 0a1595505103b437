// All steps together: goroutines by hand, on one thread and on two, and goroutines of a whole
// runtime.
#include <cfenv>
#include <exception>
#include <thread>

#include "by_hand.h"
#include "goro/goro.h"

namespace goro::lab01 {
namespace {

// -- a goroutine that begins on one thread and ends on another --

struct Journey {
  G* traveller = nullptr;
  M* began_on = nullptr;
  M* ended_on = nullptr;
  Registers before;
  Registers after;
  std::uint64_t home = 0;
  int current = 0;
  int rethrown = 0;
};
Journey journey;

// An mcall function.
void leave_the_thread(G* gp) {
  M* mp = gp->m;
  save_exception_state(gp, mp);
  gp->m = nullptr;
  goro_gogo(&mp->g0->sched);
}

void travel() {
  journey.began_on = getm();
  try {
    try {
      throw 43;
    } catch (int) {
      lab01_probe(&journey.before, &journey.after, as_function(goro_mcall),
                  reinterpret_cast<void*>(&leave_the_thread), nullptr);
      journey.home = lab01_home;
      journey.ended_on = getm();
      try {
        std::rethrow_exception(std::current_exception());
      } catch (int current) {
        journey.current = current;
      }
      throw;
    }
  } catch (int rethrown) {
    journey.rethrown = rethrown;
  }
  goro_mcall(leave_the_thread);
}

void carry_the_traveller() {
  M* mp = getm();
  journey.traveller->m = mp;
  restore_exception_state(journey.traveller, mp);
  goro_gogo(&journey.traveller->sched);
}

TEST(Switch, GoesOnOnAnotherThread) {
  ByHand first;
  G* gp = first.goroutine();
  journey = Journey{};
  journey.traveller = gp;
  journey.before = known_values();
  journey.before.control = rounding(Rounding::up);
  gostartcall(&gp->sched, gp->stack.hi, travel);
  GORO_STEP("on this thread, start a goroutine; it stops inside a catch block");
  goro_mstart(first.g0(), carry_the_traveller);
  goro_tls_g = nullptr;
  const bool handling_here = std::current_exception() != nullptr;
  GORO_STEP("on another thread, continue it");
  M* second_m = nullptr;
  std::thread([&second_m] {
    ByHand second;
    second_m = second.m();
    goro_mstart(second.g0(), carry_the_traveller);
    goro_tls_g = nullptr;
  }).join();
  EXPECT_EQ(journey.began_on, first.m());
  EXPECT_EQ(journey.ended_on, second_m) << "getg() must be the goroutine on the second thread";
  LAB01_EXPECT_NO_DIFFERENCE(differences(journey.before, journey.after, journey.home),
                             "registers and control words travel with the goroutine");
  EXPECT_FALSE(handling_here)
      << "the thread that it left must not be handling its exception any more";
  EXPECT_EQ(journey.current, 43)
      << "std::current_exception() must be the goroutine's on any thread";
  EXPECT_EQ(journey.rethrown, 43) << "`throw;` must throw the goroutine's exception on any thread";
}

// -- two goroutines that hand each other the thread --

constexpr int kRoundTrips = 500'000;
constexpr std::uint64_t kFactor = 6364136223846793005U;

struct Player {
  G* g = nullptr;
  G* other = nullptr;
  std::uint64_t sum = 0;
  double real = 0;
  bool done = false;
};
Player players[2];

// An mcall function. It never returns, and ThreadSanitizer must not count its entries: a million of
// them are more than it has room for.
#if defined(__clang__)
__attribute__((disable_sanitizer_instrumentation))
#else
__attribute__((no_sanitize("thread")))
#endif
void to_the_other(G* gp) {
  goro_gogo(&players[gp == players[0].g ? 1 : 0].g->sched);
}

void leave(G* gp) {
  goro_gogo(&gp->m->g0->sched);
}

// All of a, b, c and real live in registers across the switch, as far as the compiler can.
void play(Player* player, std::uint64_t first, bool alone) {
  std::uint64_t a = first;
  std::uint64_t b = ~first;
  std::uint64_t c = first * 3;
  double real = static_cast<double>(first);
  for (int i = 0; i < kRoundTrips; ++i) {
    if (!alone) goro_mcall(to_the_other);
    a = a * kFactor + 1;
    b ^= a >> 7;
    c += b;
    real = real * 0.5 + static_cast<double>(a & 0xff);
  }
  player->sum = a ^ b ^ c;
  player->real = real;
  player->done = true;
}

TEST(Switch, AMillionSwitchesKeepEveryValue) {
  ByHand hand;
  players[0] = players[1] = Player{};
  players[0].g = hand.goroutine();
  players[1].g = hand.goroutine();
  gostartcall(&players[0].g->sched, players[0].g->stack.hi, [] {
    play(&players[0], 1, false);
    goro_mcall(to_the_other);
  });
  gostartcall(&players[1].g->sched, players[1].g->stack.hi, [] {
    play(&players[1], 2, false);
    goro_mcall(leave);
  });
  GORO_STEP("two goroutines hand each other the thread ", 2 * kRoundTrips, " times, and count");
  goro_mstart(hand.g0(), [] { goro_gogo(&players[0].g->sched); });
  goro_tls_g = nullptr;
  for (int i = 0; i < 2; ++i) {
    Player expected;
    play(&expected, static_cast<std::uint64_t>(i + 1), true);
    EXPECT_TRUE(players[i].done) << "goroutine " << i << " did not come to its end";
    EXPECT_EQ(players[i].sum, expected.sum) << "goroutine " << i << " lost a value in a switch";
    EXPECT_EQ(players[i].real, expected.real)
        << "goroutine " << i << " lost a floating-point value in a switch";
  }
}

// -- a whole runtime on top --

double a_third() {
  volatile double one = 1;
  volatile double three = 3;
  return one / three;
}

TEST(Switch, RoundingModeBelongsToTheGoroutine) {
  struct Seen {
    int wrong_up = 0;
    int wrong_nearest = 0;
    double up = 0;
    double nearest = 0;
  } seen;
  constexpr int kRounds = 100;
  GORO_STEP("one goroutine rounds up, one to nearest; they yield to each other ", kRounds,
            " times");
  goro::run(
      [&] {
        Seen* out = &seen;
        goro::WaitGroup group;
        group.go([out] {
          std::fesetround(FE_UPWARD);
          for (int i = 0; i < kRounds; ++i) {
            goro::yield();
            if (std::fegetround() != FE_UPWARD) ++out->wrong_up;
          }
          out->up = a_third();
        });
        group.go([out] {
          for (int i = 0; i < kRounds; ++i) {
            goro::yield();
            if (std::fegetround() != FE_TONEAREST) ++out->wrong_nearest;
          }
          out->nearest = a_third();
        });
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(seen.wrong_up, 0) << "the goroutine that asked for rounding up lost it in a switch";
  EXPECT_EQ(seen.wrong_nearest, 0) << "a goroutine that asked for nothing rounds as another asked";
  EXPECT_GT(seen.up, seen.nearest) << "1/3 rounded up is more than 1/3 rounded to nearest";
  EXPECT_EQ(std::fegetround(), FE_TONEAREST) << "the thread that called run() must be as it was";
}

int throw_at(int depth) {
  if (depth == 0) throw depth + 7;
  return throw_at(depth - 1) + 1;
}

TEST(Switch, GoroutinesThrowAndCatch) {
  constexpr int kGoroutines = 100;
  constexpr int kDepth = 50;
  int caught[kGoroutines] = {};
  GORO_STEP(kGoroutines, " goroutines on 2 KB stacks throw through ", kDepth,
            " frames, yield and catch again");
  goro::run([&] {
    goro::WaitGroup group;
    for (int& out : caught) {
      int* mine = &out;
      group.go([mine] {
        for (int round = 0; round < 2; ++round) {
          try {
            throw_at(kDepth);
          } catch (int value) {
            *mine += value;
          }
          goro::yield();
        }
      });
    }
    group.wait();
  });
  for (int i = 0; i < kGoroutines; ++i) {
    ASSERT_EQ(caught[i], 14) << "goroutine " << i << " must catch both exceptions that it threw";
  }
}

}  // namespace
}  // namespace goro::lab01
