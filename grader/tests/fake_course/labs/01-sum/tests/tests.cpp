#include "harness.h"

int sum(int a, int b);

static std::string expect(int a, int b) {
  const int got = sum(a, b);
  return got == a + b ? ""
                      : "What was done:\\n  1. sum of two numbers\\nexpected " +
                            std::to_string(a + b) + ", got " + std::to_string(got);
}

int main(int argc, char** argv) {
  return harness::run(argc, argv,
                      {{"Sum.OfTwo", [] { return expect(1, 2); }},
                       {"Sum.OfNegatives", [] { return expect(-5, 2); }}});
}
