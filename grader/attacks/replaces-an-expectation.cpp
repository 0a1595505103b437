// Defines a function of GoogleTest that every expectation uses.
// report: a slot may not use or define testing::AssertionFailure()
namespace testing {
struct AssertionResult {};
AssertionResult AssertionFailure() {
  return {};
}
}  // namespace testing
