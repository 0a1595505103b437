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

#include <sstream>
#include <string>

namespace goro::testing {

// Adds a step to the running test's story.
void step(const std::string& text);

// In a child process of a test: nothing that it does is told to whoever grades.
void leave_channel();

template <typename... Parts>
void step_of(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  step(text.str());
}

}  // namespace goro::testing

// GORO_STEP("took ", n, " from the queue")
#define GORO_STEP(...) ::goro::testing::step_of(__VA_ARGS__)
