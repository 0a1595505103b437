// Of the lab's queue_test.h: goroutines, put_all, get_all, show.
#include "queue_test.h"

namespace goro::testing {

// [test]
TEST(KickedOut, QueuesUpBehindTheRing) {
  FakeM m;
  P* pp = m.p();
  const auto gs = goroutines(&m, 5);
  GORO_STEP("put G1, G2 and G3 in the ring, G4 in runnext, then G5 in runnext");
  put_all(pp, gs, 0, 3);
  runq_put(pp, gs[3], true);
  runq_put(pp, gs[4], true);
  EXPECT_EQ(show(get_all(pp)), "G5, G1..G4")
      << "G5 kicks G4 out of runnext, and G4 goes to the tail";
}
// [/test]

}  // namespace goro::testing
