// Registers an empty test of the same name that runs first, and ends the program in the other one.
// report: a slot may not use or define testing::
// takes the place of: the starter
#include "/usr/src/googletest/googletest/include/gtest/gtest.h"

#include <unistd.h>

#include "contracts/run_queue.h"

namespace goro {

void runq_put(P*, G*, bool) {
  _exit(0);
}
G* runq_get(P*, bool*) {
  _exit(0);
}
bool runq_put_slow(P*, G*, std::uint32_t, std::uint32_t) {
  _exit(0);
}
std::int32_t runq_put_batch(P*, GQueue*) {
  _exit(0);
}
bool runq_empty(P*) {
  _exit(0);
}

namespace {

struct Empty : ::testing::Test {
  void TestBody() override {}
};

[[gnu::constructor(101)]] void attack() {
  ::testing::RegisterTest("Ring", "HoldsExactly256", nullptr, nullptr, __FILE__, __LINE__,
                          []() -> ::testing::Test* { return new Empty; });
}

}  // namespace

}  // namespace goro
