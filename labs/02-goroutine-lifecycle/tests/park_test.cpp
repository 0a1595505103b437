// Steps 4 and 5: dropg, gopark and park_m.
#include <algorithm>
#include <atomic>
#include <iterator>

#include "support.h"

namespace goro::lab02 {

TEST(Dropg, UndoesTheLinkAndSavesTheExceptions) {
  World world;
  G* gp = world->g(GStatus::running);
  M* mp = world->m();
  int exception = 0;
  GORO_STEP("an M and a goroutine that are linked as by execute, with an exception being handled");
  mp->curg.store(gp);
  gp->m = mp;
  *mp->exception_globals = ExceptionState{&exception, 1};
  GORO_STEP("dropg");
  dropg();
  EXPECT_EQ(mp->curg.load(), nullptr) << "after dropg the M runs no goroutine";
  EXPECT_EQ(gp->m, nullptr) << "after dropg the goroutine is on no M";
  EXPECT_EQ(gp->exceptions.caught, &exception)
      << "the exception that the goroutine handles goes with it, saved before the link is cut";
  EXPECT_EQ(gp->exceptions.uncaught, 1U) << "the exception state is saved whole";
  EXPECT_EQ(mp->exception_globals->caught, nullptr)
      << "the M's thread is left without an exception: the next goroutine must not see this one's";
}

TEST(Dropg, CatchBlocksAreTheGoroutinesOwn) {
  int first = 0;
  int second = 0;
  GORO_STEP(
      "one goroutine throws 1 and waits inside its catch block; another throws 2, wakes the first ",
      "from inside its own catch block, and yields; then each rethrows the exception that it "
      "handles");
  run(
      [&] {
        Event event;
        Event* e = &event;
        WaitGroup group;
        group.go([e, out = &first] {
          try {
            throw 1;
          } catch (int) {
            e->wait();
            try {
              throw;
            } catch (int value) {
              *out = value;
            }
          }
        });
        yield_until([&] { return event.has_waiter(); }, 1000);
        group.go([e, out = &second] {
          try {
            throw 2;
          } catch (int) {
            e->post();
            yield();
            try {
              throw;
            } catch (int value) {
              *out = value;
            }
          }
        });
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(first, 1)
      << "the exception of a goroutine that waits must still be its own when it goes on";
  EXPECT_EQ(second, 2)
      << "the exception of a goroutine that yields must still be its own when it goes on";
}

namespace {

// What an unlock function saw.
struct Seen {
  int calls = 0;
  G* gp = nullptr;
  void* lock = nullptr;
  bool on_g0 = false;
  bool on_its_stack = true;
  GStatus status = GStatus::idle;
  bool off_its_m = false;
  WaitReason reason = WaitReason::none;
};
Seen seen;

bool look_around(G* gp, void* lock) {
  const int here = 0;
  ++seen.calls;
  seen.gp = gp;
  seen.lock = lock;
  seen.on_g0 = on_g0();
  seen.on_its_stack = gp->stack.contains(reinterpret_cast<std::uintptr_t>(&here));
  seen.status = status_of(gp);
  seen.off_its_m = gp->m == nullptr && getm()->curg.load() == nullptr;
  seen.reason = gp->waitreason;
  return true;
}

}  // namespace

TEST(Park, UnlockfRunsOffTheStackAfterTheStatus) {
  seen = Seen{};
  run(
      [] {
        int lock = 0;
        G* parked = nullptr;
        bool went_on = false;
        GORO_STEP("a goroutine calls gopark with an unlock function that looks around");
        go([lock = &lock, parked = &parked, went_on = &went_on] {
          *parked = getg();
          gopark(look_around, lock, WaitReason::sync_cond_wait);
          *went_on = true;
        });
        yield_until([] { return seen.calls != 0; }, 1000);
        ASSERT_EQ(seen.calls, 1) << "gopark must lead to one call of the unlock function";
        EXPECT_EQ(seen.gp, parked) << "unlockf's first argument is the goroutine that parks";
        EXPECT_EQ(seen.lock, &lock) << "unlockf's second argument is gopark's lock";
        EXPECT_TRUE(seen.on_g0) << "unlockf runs on g0: it may let another M run the goroutine";
        EXPECT_FALSE(seen.on_its_stack) << "unlockf must not run on the goroutine's own stack";
        EXPECT_EQ(name_of(seen.status), "waiting")
            << "when unlockf runs, the status must be waiting already: whoever it lets in will "
               "call "
               "ready, which moves the goroutine from waiting to runnable";
        EXPECT_TRUE(seen.off_its_m) << "when unlockf runs, dropg must have been called already";
        EXPECT_EQ(seen.reason, WaitReason::sync_cond_wait)
            << "the wait reason is set before it waits";
        EXPECT_FALSE(went_on) << "unlockf returned true: the goroutine waits";
        EXPECT_EQ(status_name_of(parked), "waiting")
            << "unlockf returned true: the goroutine waits";
        GORO_STEP("ready");
        goready(parked);
        yield_until([&] { return went_on; }, 1000);
        EXPECT_TRUE(went_on) << "after ready, gopark must return to the goroutine";
        EXPECT_EQ(seen.calls, 1) << "unlockf is called once for each gopark";
      },
      {.procs = 1});
}

TEST(Park, FalseMeansGoOnAtOnce) {
  run(
      [] {
        leave_the_first_slice();
        bool other_ran = false;
        GORO_STEP("start a goroutine, which is next to run");
        go([other_ran = &other_ran] { *other_ran = true; });
        G* self = getg();
        const std::uint32_t tick = own_p()->schedtick;
        GORO_STEP(
            "gopark with an unlock function that returns false: what we wait for is there already");
        gopark([](G*, void*) { return false; }, nullptr, WaitReason::semacquire);
        EXPECT_FALSE(other_ran)
            << "unlockf returned false: the goroutine goes on at once, before any other";
        EXPECT_EQ(own_p()->schedtick, tick)
            << "it goes on in the slice it has (inherit_time = true)";
        EXPECT_EQ(status_name_of(self), "running")
            << "it goes on: waiting, runnable, and running by execute";
        EXPECT_EQ(getm()->curg.load(), self)
            << "it goes on by execute, which links it with the M again";
        EXPECT_EQ(sched.runqsize.load(), 0)
            << "it goes on at once, so it must be on no queue as well";
        EXPECT_EQ(own_p()->runqtail.load() - own_p()->runqhead.load(), 0U)
            << "it goes on at once, so it must be on no queue as well";
        GORO_STEP("yield: the other goroutine's turn");
        yield_until([&] { return other_ran; }, 1000);
        EXPECT_TRUE(other_ran) << "the goroutine that was next must not be lost";
      },
      {.procs = 1});
}

TEST(Park, NullUnlockfJustWaits) {
  seen = Seen{};
  run(
      [] {
        int rounds = 0;
        G* parked = nullptr;
        GORO_STEP("a goroutine parks with an unlock function, and then without one");
        go([parked = &parked, rounds = &rounds] {
          *parked = getg();
          gopark(look_around, nullptr, WaitReason::sleep);
          *rounds = 1;
          gopark(nullptr, nullptr, WaitReason::sleep);
          *rounds = 2;
        });
        yield_until([] { return seen.calls != 0; }, 1000);
        GORO_STEP("ready");
        goready(parked);
        yield_until([&] { return rounds == 1 && status_of(parked) == GStatus::waiting; }, 1000);
        EXPECT_EQ(rounds, 1) << "without an unlock function the goroutine waits all the same";
        EXPECT_EQ(status_name_of(parked), "waiting") << "a null unlockf means that it waits";
        EXPECT_EQ(seen.calls, 1)
            << "a null unlockf: nothing is called, least of all the unlock function "
               "of the gopark before";
        GORO_STEP("ready");
        goready(parked);
        yield_until([&] { return rounds == 2; }, 1000);
        EXPECT_EQ(rounds, 2) << "after ready, gopark must return";
      },
      {.procs = 1});
}

TEST(Park, ShowsItsReasonInADump) {
  static constexpr WaitReason kReasons[] = {
      WaitReason::io_wait,          WaitReason::sleep,
      WaitReason::select,           WaitReason::semacquire,
      WaitReason::chan_receive_nil, WaitReason::sync_cond_wait};
  constexpr std::size_t kCount = std::size(kReasons);
  std::uint64_t ids[kCount] = {};
  std::size_t counted = 0;
  std::string text;
  GORO_STEP(kCount, " goroutines park, each for another reason; then goro::stacks()");
  run(
      [&] {
        for (std::size_t i = 0; i < kCount; ++i) {
          go([i, ids = &ids[0]] {
            ids[i] = goroutine_id();
            gopark(nullptr, nullptr, kReasons[i]);
          });
        }
        yield_until([&] { return std::find(ids, ids + kCount, 0U) == ids + kCount; }, 1000);
        counted = num_goroutine();
        text = stacks();
      },
      {.procs = 1});
  for (std::size_t i = 0; i < kCount; ++i) {
    const std::string line =
        "goroutine " + std::to_string(ids[i]) + " [" + wait_reason_string(kReasons[i]) + "]:";
    ASSERT_TRUE(text.find(line) != std::string::npos)
        << "the dump must show why a goroutine waits, its wait reason: a line `" << line
        << "` is missing in\n"
        << text;
  }
  EXPECT_EQ(counted, kCount + 1)
      << "goroutines that wait exist: num_goroutine counts them, and main";
}

#if GORO_GROWABLE_STACKS
namespace {

__attribute__((noinline)) int deep(int n) {
  volatile char room[200];
  const int any = n % 200;  // or the compiler keeps one byte of them
  room[any] = static_cast<char>(n);
  return n == 0 ? 0 : deep(n - 1) + room[any];
}

constexpr int kParks = 200;
struct Sizes {
  std::size_t start = 0;
  std::size_t in_unlockf[kParks] = {};
  std::size_t after[kParks] = {};
  int park = 0;
};
Sizes sizes;

}  // namespace

TEST(Park, ShrinksAQuietStackBeforeUnlockf) {
  sizes = Sizes{};
  GORO_STEP("a goroutine recurses deeply, returns, and parks ", kParks, " times");
  run(
      [] {
        WaitGroup group;
        group.go({.stack = growable()}, [] {
          deep(300);
          sizes.start = getg()->stack.size();
          for (sizes.park = 0; sizes.park < kParks; ++sizes.park) {
            gopark(
                [](G* gp, void*) {
                  sizes.in_unlockf[sizes.park] = gp->stack.size();
                  return false;
                },
                nullptr, WaitReason::semacquire);
            sizes.after[sizes.park] = getg()->stack.size();
          }
        });
        group.wait();
      },
      {.procs = 1});
  EXPECT_GT(sizes.start, 32U * 1024) << "the recursion must have made the stack grow";
  EXPECT_LT(sizes.after[kParks - 1], sizes.start)
      << "park_m calls before_park, which shrinks a stack that is large and little used for a "
         "while";
  for (int i = 0; i < kParks; ++i) {
    ASSERT_EQ(sizes.in_unlockf[i], sizes.after[i])
        << "in park " << i + 1
        << " the stack shrank after unlockf: before_park must come before, because "
           "after unlockf the goroutine, and its stack, may belong to another M";
  }
}
#endif

namespace {

// Goroutine 1 parks; unlockf readies it and keeps park_m waiting until it runs on the other M. Then
// the next goroutine of the first M shows that park_m is through.
struct Overtaken {
  std::atomic<bool> went_on{false};
  std::atomic<bool> parker_is_through{false};
  G* next = nullptr;
};

bool be_overtaken(G* gp, void* lock) {
  auto* o = static_cast<Overtaken*>(lock);
  ready(gp);
  while (!o->went_on.load()) cpu_relax();
  runq_put(getm()->p, o->next, true);
  return true;
}

}  // namespace

TEST(Park, LeavesAloneAGoroutineThatWentOn) {
  run(
      [] {
        Overtaken o;
        systemstack([&] {
          o.next = newproc1(
              own_p(),
              Closure{[](void* arg) { static_cast<Overtaken*>(arg)->parker_is_through = true; },
                      &o},
              StackKind::growable, 1, 0);
        });
        G* self = getg();
        GORO_STEP(
            "goroutine 1 parks; its unlock function readies it and returns only when another M, "
            "which ",
            "ready's wakep has woken, runs it");
        gopark(be_overtaken, &o, WaitReason::semacquire);
        M* now_on = self->m;
        ExceptionState mine = *now_on->exception_globals;
        o.went_on.store(true);
        while (!o.parker_is_through.load()) cpu_relax();
        GORO_STEP("the first M has left park_m and runs another goroutine");
        M* m_after = self->m;
        G* curg_after = now_on->curg.load();
        const GStatus status = status_of(self);
        self->m = now_on;  // whatever happened: the report needs a whole goroutine
        now_on->curg.store(self);
        *now_on->exception_globals = mine;
        EXPECT_EQ(m_after, now_on)
            << "park_m cut the link of a goroutine that had gone on already: after "
               "unlockf it belongs to somebody else and must not be touched";
        EXPECT_EQ(curg_after, self) << "park_m touched a goroutine that had gone on already";
        EXPECT_EQ(name_of(status), "running")
            << "park_m touched a goroutine that had gone on already";
      },
      {.procs = 2});
}

}  // namespace goro::lab02
