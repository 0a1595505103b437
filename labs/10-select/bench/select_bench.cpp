// What a select costs: with a case that is ready, and when it has to wait.
//
// Everything runs at one P, so that the figures are CPU time of this slot and not waiting.
#include <benchmark/benchmark.h>

#include "goro/goro.h"
#include "testing/bench_at_one_p.h"

namespace {

using goro::Channel;
using goro::on_receive;
using goro::on_send;
using goro::select;

constexpr int kSelects = 100;

// A value into one of two buffers, and out of one of them.
void BM_OneOfTwoIsReady(benchmark::State& state) {
  const Channel<int> a(kSelects);
  const Channel<int> b(kSelects);
  int sum = 0;
  const auto look = [&](std::optional<int> v) { sum += v.value_or(0); };
  for (auto _ : state) {
    for (int i = 0; i < kSelects; ++i) {
      select(on_send(a, i, [] {}), on_send(b, i, [] {}));
      select(on_receive(a, look), on_receive(b, look));
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * kSelects);
}
BENCHMARK(BM_OneOfTwoIsReady);

// A goroutine waits at four channels; it is served at one of them after the other.
void BM_WaitForOneOfFour(benchmark::State& state) {
  const Channel<int> c[4];
  const Channel<int> stop;
  goro::go([c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3]] {
    bool more = true;
    const auto look = [&](std::optional<int> v) { more = v.has_value(); };
    while (more) {
      select(on_receive(c0, look), on_receive(c1, look), on_receive(c2, look),
             on_receive(c3, look));
    }
  });
  for (auto _ : state) {
    for (int i = 0; i < kSelects; ++i) {
      c[i % 4].send(i);
      goro::yield();
    }
  }
  for (const Channel<int>& ch : c) ch.close();
  goro::yield();
  state.SetItemsProcessed(state.iterations() * kSelects);
}
BENCHMARK(BM_WaitForOneOfFour);

}  // namespace

int main(int argc, char** argv) {
  return goro::testing::run_benchmarks_at_one_p(argc, argv);
}
