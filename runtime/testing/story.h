// Telling a failure as a story: what was done, step by step, then what was expected and what
// happened.
//
//   GORO_STEP("put 257 goroutines into the ring of 256");
//
// Steps are told from the test's own thread or from goroutine 1 (they format text, which needs a
// stack that has room). The same goes for GoogleTest's assertions: goroutines on small stacks
// collect what they saw, and the test looks at it afterwards.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace goro {
class TextSink;
}  // namespace goro

namespace goro::testing {

// Adds a step to the running test's story.
void step(const std::string& text);

// What the test's random values come from: the number in GORO_SEED, which ./course check --seed
// sets, or any. The story names it, so whatever becomes of the test, its report does.
std::uint64_t seed();

// The seeds that a test goes through: 1 to n, or the one that was asked for as above.
std::vector<std::uint64_t> seeds_up_to(std::uint64_t n);

// "again with --seed 7, by hand with GORO_SEED=7"
std::string again_with(std::uint64_t seed);

// Called when this process is about to end in the middle of a test, maybe in a signal handler:
// tells what only the test knows, without allocating. One at a time; null: nothing.
extern void (*tell_more)(TextSink* out);

template <typename... Parts>
void step_of(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  step(text.str());
}

}  // namespace goro::testing

// GORO_STEP("took ", n, " from the queue")
#define GORO_STEP(...) ::goro::testing::step_of(__VA_ARGS__)
