// What is on the path of every go statement, and of every M that finds nothing to do.
//
// Everything runs at one P, on the M of goroutine 1, so that the figures are processor time of this
// slot and not waiting.
#include <benchmark/benchmark.h>

#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/services/goroutine.h"
#include "goro/goro.h"
#include "testing/bench_at_one_p.h"

namespace {

constexpr int kTimes = 200;

// The only P is busy: there is nothing to wake, and to find that out must cost nearly nothing.
void BM_WakepWhenEveryPIsBusy(benchmark::State& state) {
  for (auto _ : state) {
    goro::systemstack([] {
      for (int i = 0; i < kTimes; ++i) {
        goro::wakep();
        benchmark::ClobberMemory();
      }
    });
  }
  state.SetItemsProcessed(state.iterations() * kTimes);
}
BENCHMARK(BM_WakepWhenEveryPIsBusy);

// What an M does with its P when it goes idle, and when it is woken; without the sleep.
void BM_GiveUpAPAndTakeIt(benchmark::State& state) {
  for (auto _ : state) {
    goro::systemstack([] {
      for (int i = 0; i < kTimes; ++i) {
        goro::sched.lock.lock();
        goro::pidleput(goro::releasep());
        goro::P* pp = goro::pidleget();
        goro::sched.lock.unlock();
        goro::acquirep(pp);
      }
    });
  }
  state.SetItemsProcessed(state.iterations() * kTimes);
}
BENCHMARK(BM_GiveUpAPAndTakeIt);

}  // namespace

int main(int argc, char** argv) {
  return goro::testing::run_benchmarks_at_one_p(argc, argv);
}
