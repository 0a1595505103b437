#pragma once

namespace goro::bars {

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
