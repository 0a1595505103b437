// Step 1: an order that looks random and leaves nobody out.
#include <set>
#include <utility>

#include "support.h"

namespace goro::testing {
namespace {

using Positions = std::vector<std::uint32_t>;

// At most three times as many as there should be: a walk that never ends is told, not waited for.
Positions positions_of(RandomOrder::Walk walk, std::uint32_t count) {
  Positions positions;
  while (!walk.done() && positions.size() < std::size_t{3} * count) {
    positions.push_back(walk.position());
    walk.next();
  }
  return positions;
}

TEST(Order, NextGoesOneStepFurtherAndWrapsAround) {
  GORO_STEP("a walk over 5 Ps that starts at position 3 with steps of 4");
  const Positions seen = positions_of(RandomOrder::Walk(5, 3, 4), 5);
  ASSERT_EQ(seen.size(), 5U)
      << "a walk over 5 Ps is done after 5 calls of next: next must count in i_";
  EXPECT_EQ(seen, (Positions{3, 2, 1, 0, 4}))
      << "next moves on by the step and wraps around: position = (position + step) mod count";
}

TEST(Order, StartChoosesThePositionAndTheStep) {
  RandomOrder order;
  order.reset(10);
  GORO_STEP("an order of 10 Ps; the numbers coprime to 10 are 1, 3, 7 and 9");
  GORO_STEP("start(23): position 23 mod 10 = 3; step number (23 / 10) mod 4 = 2, which is 7");
  EXPECT_EQ(positions_of(order.start(23), 10), (Positions{3, 0, 7, 4, 1, 8, 5, 2, 9, 6}))
      << "the position is random mod count, and the step is the coprime with index (random / "
         "count) "
         "mod how many there are";
  GORO_STEP("start(67): position 7; step number 6 mod 4 = 2 again");
  EXPECT_EQ(positions_of(order.start(67), 10), (Positions{7, 4, 1, 8, 5, 2, 9, 6, 3, 0}))
      << "the index of the step wraps around at the number of coprimes";
}

TEST(Order, OnePIsNoSpecialCase) {
  RandomOrder order;
  GORO_STEP("an order of a single P");
  order.reset(1);
  for (const std::uint32_t random : {0U, 1U, 7U, 4'294'967'295U}) {
    EXPECT_EQ(positions_of(order.start(random), 1), (Positions{0}))
        << "1 is coprime to 1, so an order of one P has one step and visits P0";
  }
}

TEST(Order, EveryPIsVisitedOnce) {
  RandomOrder order;
  for (std::uint32_t count = 1; count <= 20; ++count) {
    order.reset(count);
    for (std::uint32_t random = 0; random < 2 * count * count; ++random) {
      std::vector<int> visits(count);
      for (const std::uint32_t position : positions_of(order.start(random), count)) {
        ASSERT_LT(position, count) << "there is no such P; random was " << random;
        ++visits[position];
      }
      for (std::uint32_t i = 0; i < count; ++i) {
        ASSERT_EQ(visits[i], 1)
            << "a walk over " << count << " Ps (random was " << random << ") visited P" << i << " "
            << visits[i]
            << " times instead of once: a step that has a divisor in common with the count "
               "comes back too early";
      }
    }
  }
}

TEST(Order, EveryCoprimeIsUsed) {
  RandomOrder order;
  order.reset(8);
  GORO_STEP("8 Ps, and the steps 1, 3, 5 and 7: 32 starts");
  std::set<Positions> orders;
  for (std::uint32_t random = 0; random < 32; ++random) {
    orders.insert(positions_of(order.start(random), 8));
  }
  EXPECT_EQ(orders.size(), 32U) << "8 positions and 4 steps are 32 different orders; two thieves "
                                   "that walk in the same order meet at every victim";
}

TEST(Order, ResetForgetsTheOldCount) {
  RandomOrder order;
  GORO_STEP("an order of 12 Ps, which becomes an order of 9");
  order.reset(12);
  order.reset(9);
  RandomOrder fresh;
  fresh.reset(9);
  for (std::uint32_t random = 0; random < 100; ++random) {
    ASSERT_EQ(positions_of(order.start(random), 9), positions_of(fresh.start(random), 9))
        << "reset must forget the steps of the old count, which may have divisors in common with "
           "the new one";
  }
}

}  // namespace
}  // namespace goro::testing
