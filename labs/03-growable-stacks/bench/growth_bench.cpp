// What growing costs, and what a stack costs. On one P.
#include <benchmark/benchmark.h>

#include "contracts/getg.h"
#include "contracts/services/goroutine.h"
#include "contracts/stack.h"
#include "goro/goro.h"
#include "testing/bench_at_one_p.h"

namespace goro {
namespace {

__attribute__((noinline)) int recurse(int depth, const int* caller) {
  int local = depth;
  asm volatile("" : : "r"(&local) : "memory");
  const int below = depth == 0 ? 0 : recurse(depth - 1, &local);
  asm volatile("" : : : "memory");
  return below + *caller - local;
}

// A goroutine recurses 1,000 deep on a new stack of 2 KB: every doubling and every copy on the way,
// and the memory for it.
void BM_FirstRecursion(benchmark::State& state) {
  bool done = false;
  for (auto _ : state) {
    done = false;
    go([out = &done] {
      int local = 0;
      benchmark::DoNotOptimize(recurse(1000, &local));
      *out = true;
    });
    while (!done) yield();
  }
}
BENCHMARK(BM_FirstRecursion);

// A burst of stacks, larger than a cache: refills, releases, and the pool behind them.
void BM_AllocateAndFree(benchmark::State& state) {
  constexpr int kBurst = 64;
  Stack stacks[kBurst];
  for (auto _ : state) {
    systemstack([&] {
      P* pp = getm()->p;
      for (Stack& stack : stacks) stack = stackalloc(pp, kStackMin);
      for (const Stack& stack : stacks) stackfree(pp, stack);
    });
  }
  state.SetItemsProcessed(state.iterations() * kBurst);
}
BENCHMARK(BM_AllocateAndFree);

}  // namespace
}  // namespace goro

int main(int argc, char** argv) {
  return goro::testing::run_benchmarks_at_one_p(argc, argv);
}
