// What a value costs: through the buffer, and from hand to hand between two goroutines.
//
// Everything runs at one P, in goroutine 1 and one other, so that the figures are CPU time of this
// slot and not waiting.
#include <benchmark/benchmark.h>

#include "goro/goro.h"
#include "testing/run_benchmarks.h"

namespace {

constexpr int kValues = 100;

// Into the buffer and out again; nobody waits.
void BM_ThroughTheBuffer(benchmark::State& state) {
  const goro::Channel<int> ch(kValues);
  for (auto _ : state) {
    for (int i = 0; i < kValues; ++i) ch.send(i);
    for (int i = 0; i < kValues; ++i) benchmark::DoNotOptimize(ch.receive());
  }
  state.SetItemsProcessed(state.iterations() * kValues);
}
BENCHMARK(BM_ThroughTheBuffer);

// There and back without a buffer: four operations, of which two wait.
void BM_PingPong(benchmark::State& state) {
  const goro::Channel<int> there;
  const goro::Channel<int> back;
  goro::go([there, back] {
    for (const int value : there) back.send(value);
  });
  for (auto _ : state) {
    for (int i = 0; i < kValues; ++i) {
      there.send(i);
      benchmark::DoNotOptimize(back.receive());
    }
  }
  there.close();
  state.SetItemsProcessed(state.iterations() * kValues);
}
BENCHMARK(BM_PingPong);

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
