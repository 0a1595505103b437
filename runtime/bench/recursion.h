#pragma once

namespace goro::bars {

// Before the first recursion: what a process does in its first milliseconds (a runtime's threads
// start, and each gets a stack and a heap) is over then. It would be measured, too: whoever changes
// the address space makes page faults wait.
inline constexpr int kSettleMilliseconds = 10;

// 1 + 2 + … + depth, with a frame for each: 64 bytes of locals that the compiler cannot leave out.
// The other languages' programs have the same.
__attribute__((noinline)) inline long recursion(long depth) {
  volatile long locals[8];
  locals[depth % 8] = depth;
  if (depth == 0) return 0;
  const long below = recursion(depth - 1);
  return below + locals[depth % 8];
}

}  // namespace goro::bars
