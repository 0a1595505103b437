// What it costs to move a timer about, and to let it fire.
//
// Everything runs on one P's g0, so that the figures are CPU time of this slot and not waiting.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <deque>

#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/services/goroutine.h"
#include "contracts/timers.h"
#include "goro/goro.h"
#include "testing/bench_at_one_p.h"

namespace {

constexpr int kTimes = 100;
// A time that no clock reaches.
constexpr std::int64_t kNotToday = goro::kMaxWhen / 2;

void count(void* arg, std::uintptr_t /*seq*/, std::int64_t /*delay*/) {
  ++*static_cast<std::int64_t*>(arg);
}

// A timeout that is set and stopped, as around an operation that is nearly always quick enough,
// beside 1000 others that are set.
void BM_SetAndStop(benchmark::State& state) {
  std::int64_t fired = 0;
  std::deque<goro::RuntimeTimer> others(1000);
  goro::systemstack([&] {
    std::int64_t when = kNotToday;
    for (goro::RuntimeTimer& t : others) t.modify(when += 7, 0, count, &fired, 0);
  });
  for (auto _ : state) {
    goro::systemstack([&] {
      for (int i = 0; i < kTimes; ++i) {
        goro::RuntimeTimer t;
        t.modify(kNotToday + 10'000 + i, 0, count, &fired, 0);
        t.stop();
        // Out of the heap again, as the next timer that is set would do it.
        goro::Timers& own = goro::getm()->p->timers;
        own.lock();
        own.clean_head();
        own.unlock();
      }
    });
  }
  goro::systemstack([&] {
    for (goro::RuntimeTimer& t : others) t.stop();
    goro::Timers& own = goro::getm()->p->timers;
    own.lock();
    own.adjust(1, true);
    own.unlock();
  });
  benchmark::DoNotOptimize(fired);
  state.SetItemsProcessed(state.iterations() * kTimes);
}
BENCHMARK(BM_SetAndStop);

// 100 timers come into the heap in a muddle, and fire in order.
void BM_Fire(benchmark::State& state) {
  std::int64_t fired = 0;
  std::deque<goro::RuntimeTimer> timers(kTimes);
  for (auto _ : state) {
    goro::systemstack([&] {
      std::int64_t when = 0;
      for (goro::RuntimeTimer& t : timers) {
        when = (when + 37) % 101;
        t.modify(when + 1, 0, count, &fired, 0);
      }
      goro::Timers& own = goro::getm()->p->timers;
      own.lock();
      while (own.run(kTimes * 2) == 0) {
      }
      own.unlock();
    });
  }
  benchmark::DoNotOptimize(fired);
  state.SetItemsProcessed(state.iterations() * kTimes);
}
BENCHMARK(BM_Fire);

}  // namespace

int main(int argc, char** argv) {
  return goro::testing::run_benchmarks_at_one_p(argc, argv);
}
