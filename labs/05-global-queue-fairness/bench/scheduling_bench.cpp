// What a scheduling decision costs: a yield, and getting goroutines out of the GRQ.
//
// Everything runs at one P, in goroutine 1, so that the figures are CPU time of this slot and not
// waiting.
#include <benchmark/benchmark.h>

#include <vector>

#include "contracts/getg.h"
#include "contracts/scheduler.h"
#include "contracts/services/goroutine.h"
#include "goro/goro.h"
#include "testing/bench_at_one_p.h"
#include "testing/whole_slices.h"

namespace {

// Who runs after whom is counted on, so nobody may be interrupted.
const goro::testing::WholeSlices whole_slices;

// There and back: goroutine 1 yields to another goroutine, which yields to goroutine 1.
void BM_YieldRoundTrip(benchmark::State& state) {
  constexpr int kRoundTrips = 100;
  bool stop = false;
  bool* const stopped = &stop;
  const goro::WaitGroup group;
  group.go([stopped] {
    while (!*stopped) goro::yield();
  });
  for (auto _ : state) {
    for (int i = 0; i < kRoundTrips; ++i) goro::yield();
  }
  stop = true;
  group.wait();
  state.SetItemsProcessed(state.iterations() * kRoundTrips);
}
BENCHMARK(BM_YieldRoundTrip);

// 10,000 goroutines into the GRQ one by one, and out through find_runnable. They are never
// executed.
void BM_DrainGlobalQueue(benchmark::State& state) {
  constexpr std::size_t kGoroutines = 10'000;
  std::vector<goro::G> gs(kGoroutines);
  for (auto _ : state) {
    goro::systemstack([&] {
      goro::P* pp = goro::getm()->p;
      goro::sched.lock.lock();
      for (goro::G& gp : gs) goro::globrunq_put(&gp);
      goro::sched.lock.unlock();
      for (std::size_t i = 0; i < kGoroutines; ++i) {
        benchmark::DoNotOptimize(goro::find_runnable());
        ++pp->schedtick;
      }
    });
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kGoroutines));
}
BENCHMARK(BM_DrainGlobalQueue);

}  // namespace

int main(int argc, char** argv) {
  return goro::testing::run_benchmarks_at_one_p(argc, argv);
}
