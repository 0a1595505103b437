// What it costs to wait and to be woken, and what a mutex costs that others wait for.
//
// Everything runs at one P, so that the figures are CPU time of this slot and of parking, and not
// waiting.
#include <benchmark/benchmark.h>

#include "contracts/sync.h"
#include "goro/goro.h"
#include "testing/run_benchmarks.h"

namespace {

constexpr int kTimes = 100;

// Two goroutines and two semaphores: each wakes the other and waits.
void BM_WakeAndWait(benchmark::State& state) {
  struct Pair {
    goro::atomic<std::uint32_t> there{0};
    goro::atomic<std::uint32_t> back{0};
    bool stop = false;
  } pair;
  goro::go([p = &pair] {
    for (;;) {
      goro::semacquire1(&p->there, false, goro::WaitReason::semacquire);
      if (p->stop) break;
      goro::semrelease1(&p->back, false);
    }
    goro::semrelease1(&p->back, false);
  });
  for (auto _ : state) {
    for (int i = 0; i < kTimes; ++i) {
      goro::semrelease1(&pair.there, false);
      goro::semacquire1(&pair.back, false, goro::WaitReason::semacquire);
    }
  }
  pair.stop = true;
  goro::semrelease1(&pair.there, false);
  goro::semacquire1(&pair.back, false, goro::WaitReason::semacquire);
  state.SetItemsProcessed(state.iterations() * kTimes);
}
BENCHMARK(BM_WakeAndWait);

// One waits, and is awake already: the slow ways find nothing to do. (Mutex itself would not call
// them here.)
void BM_LockBesideAWaiter(benchmark::State& state) {
  goro::MutexWords m;
  m.state.store((1 << goro::kMutexWaiterShift) + goro::kMutexWoken);
  for (auto _ : state) {
    for (int i = 0; i < kTimes; ++i) {
      goro::mutex_lock_slow(&m);
      goro::mutex_unlock_slow(&m, m.state.fetch_sub(goro::kMutexLocked) - goro::kMutexLocked);
    }
  }
  state.SetItemsProcessed(state.iterations() * kTimes);
}
BENCHMARK(BM_LockBesideAWaiter);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  return goro::run(
      [] {
        goro::testing::run_benchmarks();
        return 0;
      },
      {.procs = 1, .main_stack = std::size_t{8} << 20});
}
