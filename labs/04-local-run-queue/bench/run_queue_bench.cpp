// One owner, nobody else: what a put and a get cost when no thief is about.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "contracts/model.h"
#include "contracts/run_queue.h"
#include "testing/run_benchmarks.h"

namespace goro {

namespace {

constexpr std::size_t kBurst = 64;

struct Queue {
  std::unique_ptr<P> p = std::make_unique<P>();
  std::vector<G> gs = std::vector<G>(kBurst);
};

void drain(P* pp) {
  bool inherit = false;
  while (G* gp = runq_get(pp, &inherit)) benchmark::DoNotOptimize(gp);
}

// 64 goroutines into the ring and out again.
void BM_PutGet(benchmark::State& state) {
  Queue queue;
  for (auto _ : state) {
    for (G& gp : queue.gs) runq_put(queue.p.get(), &gp, false);
    drain(queue.p.get());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBurst));
}
BENCHMARK(BM_PutGet);

// What two goroutines that talk to each other do: 64 times into runnext and out again.
void BM_PutNextGet(benchmark::State& state) {
  Queue queue;
  P* pp = queue.p.get();
  bool inherit = false;
  for (auto _ : state) {
    for (G& gp : queue.gs) {
      runq_put(pp, &gp, true);
      benchmark::DoNotOptimize(runq_get(pp, &inherit));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBurst));
}
BENCHMARK(BM_PutNextGet);

}  // namespace

}  // namespace goro

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  goro::testing::run_benchmarks();
  return 0;
}
