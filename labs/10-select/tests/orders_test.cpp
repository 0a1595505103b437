// Step 1: the two orders. No case is ready, so that nothing else happens.
#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <random>

#include "support.h"

namespace goro::testing {
namespace {

// Channels that nobody uses, and a place to receive into.
struct Idle {
  explicit Idle(std::size_t n) : channels(n) {}
  std::deque<Chan<int>> channels;
  int place = 0;
};

std::vector<int> sorted(std::vector<int> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<int> numbers_below(int n) {
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(Orders, OnlyAGoroutineMaySelect) {
  const char* const text = "select outside of goro::run";
  Idle idle(2);
  Cases cases;
  for (const Chan<int>& c : idle.channels) cases.receive(c, &idle.place);
  GORO_STEP("select on a thread that is not the runtime's");
  EXPECT_EQ(panic_of([&] { cases.try_select(); }), text) << "it has no goroutine (getg() is null)";
  FakeM fake;
  GORO_STEP("select on g0");
  EXPECT_EQ(panic_of([&] { cases.try_select(); }), text)
      << "g0 runs the scheduler: it is no goroutine (stack_kind system)";
  for (const Chan<int>& c : idle.channels) expect_let_go(c.get(), "the Panic");
}

TEST(Orders, EachCaseIsInBothOnce) {
  const FakeGoroutine goroutine;
  Idle idle(6);
  Cases cases;
  for (const Chan<int>& c : idle.channels) cases.receive(c, &idle.place);
  for (int round = 1; round <= 50; ++round) {
    GORO_STEP("select from six channels, round ", round);
    cases.try_select();
    ASSERT_EQ(sorted(cases.poll_order()), numbers_below(6))
        << "order[0] to order[5] must be the cases 0 to 5 in some order; they are "
        << shown(cases.poll_order());
    ASSERT_EQ(sorted(cases.lock_order()), numbers_below(6))
        << "order[6] to order[11] must be the cases 0 to 5 in some order; they are "
        << shown(cases.lock_order());
  }
}

TEST(Orders, ANilCaseIsInNeither) {
  const FakeGoroutine goroutine;
  Idle idle(2);
  Cases cases;
  cases.nil_receive(&idle.place).receive(idle.channels[0], &idle.place);
  cases.nil_send(&idle.place).receive(idle.channels[1], &idle.place).nil_receive(&idle.place);
  GORO_STEP("five cases; only 1 and 3 have a channel");
  cases.try_select();
  EXPECT_EQ(sorted(cases.poll_order()), (std::vector<int>{1, 3}))
      << "a case without a channel is never ready: order[0] and order[1] must be 1 and 3";
  EXPECT_EQ(sorted(cases.lock_order()), (std::vector<int>{1, 3}))
      << "there is nothing to lock: order[5] and order[6] must be 1 and 3 (the second half begins "
         "at order + n)";
}

TEST(Orders, EveryPollOrderIsAsLikely) {
  constexpr int kRounds = 60'000;
  const FakeGoroutine goroutine;
  Idle idle(3);
  Cases cases;
  for (const Chan<int>& c : idle.channels) cases.receive(c, &idle.place);
  GORO_STEP("three cases, ", kRounds, " selects: how often is which poll order made?");
  std::map<std::string, int> times;
  for (int i = 0; i < kRounds; ++i) {
    cases.try_select();
    ++times[shown(cases.poll_order())];
  }
  EXPECT_EQ(times.size(), 6U) << "three cases have six orders, and each must come";
  for (const auto& [order, n] : times) {
    EXPECT_NEAR(n, kRounds / 6, 500)
        << "the order " << order << " came " << n << " times instead of about " << kRounds / 6
        << ": a case goes to one of the places so far, ends included, by cheaprandn(count + 1)";
  }
}

// The addresses along the lock order must not go down.
void expect_sorted(const Cases& cases) {
  const std::vector<int> order = cases.lock_order();
  for (std::size_t i = 1; i < order.size(); ++i) {
    ASSERT_LE(cases.address(order[i - 1]), cases.address(order[i]))
        << "the lock order must follow the channels' addresses, but place " << i - 1
        << " has a higher one than place " << i;
  }
}

// Each channel in one case: one that is locked twice would keep the test waiting for ever.
TEST(Orders, TheLockOrderIsOfAddresses) {
  const FakeGoroutine goroutine;
  Idle idle(12);
  for (const std::uint64_t seed : seeds_up_to(200)) {
    std::mt19937_64 random(seed);
    const int n = 2 + static_cast<int>(random() % 11);
    GORO_STEP(n, " cases with a channel each (", again_with(seed), ")");
    std::vector<int> which = numbers_below(12);
    std::shuffle(which.begin(), which.end(), random);
    Cases cases;
    for (int i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(which[static_cast<std::size_t>(i)]);
      cases.receive(idle.channels[at], &idle.place);
    }
    cases.try_select();
    ASSERT_EQ(sorted(cases.lock_order()), numbers_below(n))
        << "each case must be in the lock order once";
    expect_sorted(cases);
    if (HasFailure()) return;
  }
}

TEST(Orders, SixtyFiveThousandCasesAreNoProblem) {
  const FakeGoroutine goroutine;
  Idle idle(kMaxCases);
  Cases cases;
  for (const Chan<int>& c : idle.channels) cases.receive(c, &idle.place);
  GORO_STEP(kMaxCases, " cases, the most there may be");
  EXPECT_EQ(cases.try_select().index, -1) << "no channel has a value";
  EXPECT_TRUE(sorted(cases.poll_order()) == numbers_below(kMaxCases))
      << "each case must be in the poll order once: a case's number has 16 bits";
  expect_sorted(cases);
}

}  // namespace
}  // namespace goro::testing
