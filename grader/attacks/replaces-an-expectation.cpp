// Defines a function of GoogleTest that every expectation uses.
// report: duplicate symbol: testing::AssertionFailure()
namespace testing {
struct AssertionResult {};
AssertionResult AssertionFailure() {
  return {};
}
}  // namespace testing
