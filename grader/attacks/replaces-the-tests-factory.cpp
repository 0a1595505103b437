// Takes the place of the function that makes the test, and makes one that expects nothing.
// report: a slot may not use or define
#include "/usr/src/googletest/googletest/include/gtest/gtest.h"

namespace goro {
namespace {
struct Empty : ::testing::Test {
  void TestBody() override {}
};
}  // namespace

::testing::Test* attack() __asm__(
    "_ZN7testing8internal15TestFactoryImplIN4goro7testing25Ring_HoldsExactly256_TestEE"
    "10CreateTestEv");
::testing::Test* attack() {
  return new Empty;
}
}  // namespace goro
