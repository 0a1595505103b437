// What a theft costs, and what it costs to look everywhere and find nothing. One thread: CPU time
// of this slot, and no waiting.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "contracts/getg.h"
#include "contracts/services/goroutine.h"
#include "contracts/work_stealing.h"
#include "goro/goro.h"
#include "testing/bench_at_one_p.h"

namespace {

constexpr std::uint32_t kVictimHas = 128;

// 64 goroutines out of a ring of 128 into an empty one.
void BM_StealHalf(benchmark::State& state) {
  const auto thief = std::make_unique<goro::P>();
  const auto victim = std::make_unique<goro::P>();
  std::vector<goro::G> gs(goro::kRunqSize);
  for (std::uint32_t i = 0; i < goro::kRunqSize; ++i) victim->runq[i].store(&gs[i]);
  for (auto _ : state) {
    victim->runqtail.store(victim->runqhead.load(std::memory_order_relaxed) + kVictimHas,
                           std::memory_order_relaxed);
    benchmark::DoNotOptimize(goro::runq_steal(thief.get(), victim.get(), false));
    thief->runqhead.store(thief->runqtail.load(std::memory_order_relaxed),
                          std::memory_order_relaxed);
  }
  state.SetItemsProcessed(state.iterations() * (kVictimHas / 2));
}
BENCHMARK(BM_StealHalf);

// Four rounds over 64 Ps that have nothing. They are this benchmark's: no M ever holds one.
void BM_LookEverywhereInVain(benchmark::State& state) {
  constexpr std::uint32_t kPs = 64;
  std::vector<std::unique_ptr<goro::P>> made;
  while (goro::allp.size() < kPs) {
    made.push_back(std::make_unique<goro::P>());
    goro::allp.push_back(made.back().get());
  }
  goro::stealorder.reset(kPs);
  for (auto _ : state) {
    goro::systemstack([] { benchmark::DoNotOptimize(goro::steal_work()); });
  }
  goro::stealorder.reset(1);
  goro::allp.resize(1);
}
BENCHMARK(BM_LookEverywhereInVain);

}  // namespace

int main(int argc, char** argv) {
  return goro::testing::run_benchmarks_at_one_p(argc, argv);
}
