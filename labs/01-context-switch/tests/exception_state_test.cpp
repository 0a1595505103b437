// Step 6: the exceptions that a goroutine is handling are its own.
#include <exception>

#include "by_hand.h"
#include "goro/goro.h"

namespace goro::lab01 {
namespace {

int some_exception;
int other_exception;

ExceptionState record(void* caught, std::uint32_t uncaught) {
  ExceptionState state;
  state.caught = caught;
  state.uncaught = uncaught;
  return state;
}

TEST(ExceptionState, SaveTakesTheThreadsRecord) {
  M m;
  G g;
  ExceptionState threads = record(&some_exception, 2);
  m.exception_globals = &threads;
  g.exceptions = record(&other_exception, 7);
  GORO_STEP("the thread is handling an exception; call save_exception_state(g, m)");
  save_exception_state(&g, &m);
  EXPECT_EQ(g.exceptions.caught, &some_exception)
      << "the chain of caught exceptions must go with the goroutine";
  EXPECT_EQ(g.exceptions.uncaught, 2U)
      << "the number of exceptions in flight must go with the goroutine";
  EXPECT_EQ(threads.caught, nullptr) << "the thread must be left handling nothing";
  EXPECT_EQ(threads.uncaught, 0U) << "the thread must be left handling nothing";
  GORO_STEP("save the state of a goroutine that handles nothing");
  save_exception_state(&g, &m);
  EXPECT_EQ(g.exceptions.caught, nullptr) << "an old record must not stay behind in the goroutine";
  EXPECT_EQ(g.exceptions.uncaught, 0U) << "an old record must not stay behind in the goroutine";
}

TEST(ExceptionState, RestoreGivesItBack) {
  M m;
  G g;
  ExceptionState threads = record(&other_exception, 7);
  m.exception_globals = &threads;
  g.exceptions = record(&some_exception, 2);
  GORO_STEP("the goroutine has a saved record; call restore_exception_state(g, m)");
  restore_exception_state(&g, &m);
  EXPECT_EQ(threads.caught, &some_exception) << "the thread must have the goroutine's record";
  EXPECT_EQ(threads.uncaught, 2U) << "the thread must have the goroutine's record";
  EXPECT_EQ(g.exceptions.caught, nullptr)
      << "the goroutine must not keep a second copy: it would be stale soon";
  EXPECT_EQ(g.exceptions.uncaught, 0U) << "the goroutine must not keep a second copy";
  GORO_STEP("a goroutine that handles nothing comes next");
  restore_exception_state(&g, &m);
  EXPECT_EQ(threads.caught, nullptr)
      << "what the one before was handling must not be seen by the next";
  EXPECT_EQ(threads.uncaught, 0U)
      << "what the one before was handling must not be seen by the next";
}

// What goroutines see; they run on small stacks and leave the asserting to goroutine 1.
struct Seen {
  bool other_saw_current = true;
  int other_uncaught = -1;
  bool current_after = false;
  int rethrown = 0;
};

TEST(ExceptionState, SurvivesAParkInACatchBlock) {
  Seen seen;
  GORO_STEP("a goroutine catches 41 and yields in its catch block");
  GORO_STEP("another goroutine runs, throws 42 and catches it");
  GORO_STEP("the first goes on: std::current_exception(), then `throw;`");
  goro::run(
      [&] {
        Seen* out = &seen;
        goro::WaitGroup group;
        group.go([out] {
          try {
            try {
              throw 41;
            } catch (int) {
              goro::yield();
              out->current_after = std::current_exception() != nullptr;
              throw;
            }
          } catch (int rethrown) {
            out->rethrown = rethrown;
          }
        });
        goro::yield();
        // Goroutine 1, while the other is inside its catch block.
        out->other_saw_current = std::current_exception() != nullptr;
        out->other_uncaught = std::uncaught_exceptions();
        try {
          throw 42;
        } catch (int) {
        }
        group.wait();
      },
      {.procs = 1});
  EXPECT_FALSE(seen.other_saw_current)
      << "std::current_exception() in one goroutine must not show what another is handling";
  EXPECT_EQ(seen.other_uncaught, 0);
  EXPECT_TRUE(seen.current_after)
      << "after the switch the goroutine must still be handling its exception";
  EXPECT_EQ(seen.rethrown, 41) << "`throw;` must throw the goroutine's own exception again";
}

TEST(ExceptionState, TwoGoroutinesInterleaveCatchBlocks) {
  constexpr int kRounds = 50;
  int rethrown[2] = {0, 0};
  int nested[2] = {0, 0};
  GORO_STEP(
      "two goroutines each catch, yield, catch another inside, yield, leave, yield and `throw;`, ",
      kRounds, " times");
  goro::run(
      [&] {
        goro::WaitGroup group;
        for (int who = 0; who < 2; ++who) {
          int* right = &rethrown[who];
          int* inner_right = &nested[who];
          group.go([who, right, inner_right] {
            for (int i = 0; i < kRounds; ++i) {
              const int own = who * 1000 + i;
              try {
                try {
                  throw own;
                } catch (int) {
                  goro::yield();
                  try {
                    throw own + 500;
                  } catch (int inner) {
                    goro::yield();
                    if (inner == own + 500) ++*inner_right;
                  }
                  goro::yield();
                  throw;
                }
              } catch (int outer) {
                if (outer == own) ++*right;
              }
            }
          });
        }
        group.wait();
      },
      {.procs = 1});
  for (int who = 0; who < 2; ++who) {
    EXPECT_EQ(nested[who], kRounds)
        << "goroutine " << who << " lost the exception of its inner catch block";
    EXPECT_EQ(rethrown[who], kRounds)
        << "goroutine " << who << " did not throw its own exception again";
  }
}

struct Uncaught {
  int before_yield = -1;
  int after_yield = -1;
  int elsewhere = -1;
};

// Yields while an exception is on its way through its scope.
class YieldsWhileUnwinding {
 public:
  explicit YieldsWhileUnwinding(Uncaught* out) : out_(out) {}
  ~YieldsWhileUnwinding() {
    out_->before_yield = std::uncaught_exceptions();
    goro::yield();
    out_->after_yield = std::uncaught_exceptions();
  }
  YieldsWhileUnwinding(const YieldsWhileUnwinding&) = delete;
  YieldsWhileUnwinding& operator=(const YieldsWhileUnwinding&) = delete;

 private:
  Uncaught* out_;
};

TEST(ExceptionState, CountsUncaughtPerGoroutine) {
  Uncaught seen;
  GORO_STEP("a goroutine throws; a destructor on the way to the handler yields");
  GORO_STEP("another goroutine asks std::uncaught_exceptions()");
  goro::run(
      [&] {
        Uncaught* out = &seen;
        goro::WaitGroup group;
        group.go([out] {
          try {
            const YieldsWhileUnwinding guard(out);
            throw 1;
          } catch (int) {
          }
        });
        goro::yield();
        out->elsewhere = std::uncaught_exceptions();
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(seen.before_yield, 1);
  EXPECT_EQ(seen.elsewhere, 0) << "the exception in flight belongs to the goroutine that threw it";
  EXPECT_EQ(seen.after_yield, 1) << "after the switch it is in flight still";
}

}  // namespace
}  // namespace goro::lab01
