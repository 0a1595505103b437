// What a goroutine's life costs, on one P: birth to death, and one wait.
#include <benchmark/benchmark.h>

#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "goro/goro.h"
#include "testing/bench_at_one_p.h"
#include "testing/whole_slices.h"

namespace goro {
namespace {

// Who runs after whom is counted on, so nobody may be interrupted.
const testing::WholeSlices whole_slices;

// A batch of empty goroutines is started, runs and ends. The batch is larger than what a P keeps of
// dead Gs, so the flush and the refill are part of it.
void BM_SpawnAndFinish(benchmark::State& state) {
  constexpr int kBatch = 100;
  int ran = 0;
  for (auto _ : state) {
    ran = 0;
    for (int i = 0; i < kBatch; ++i) go([ran = &ran] { ++*ran; });
    while (ran != kBatch) yield();
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(BM_SpawnAndFinish);

// One goroutine's name, given away when it is off its stack.
struct Seat {
  G* waiter = nullptr;
  bool leave = false;
};

void sit(Seat* seat) {
  gopark(
      [](G* gp, void* arg) {
        static_cast<Seat*>(arg)->waiter = gp;
        return true;
      },
      seat, WaitReason::semacquire);
}

// Goroutine 1 readies a goroutine and parks; that one readies goroutine 1 and parks: two parks, two
// readies, two switches.
void BM_ParkReady(benchmark::State& state) {
  struct Table {
    Seat mine;
    Seat other;
  } table;
  go([t = &table] {
    for (;;) {
      sit(&t->other);
      if (t->other.leave) break;
      goready(t->mine.waiter);
    }
    t->other.waiter = nullptr;
  });
  while (table.other.waiter == nullptr) yield();
  for (auto _ : state) {
    goready(table.other.waiter);
    sit(&table.mine);
  }
  while (table.other.waiter == nullptr ||
         table.other.waiter->atomicstatus.load() != static_cast<std::uint32_t>(GStatus::waiting)) {
    yield();
  }
  table.other.leave = true;
  goready(table.other.waiter);
  while (table.other.waiter != nullptr) yield();
}
BENCHMARK(BM_ParkReady);

}  // namespace
}  // namespace goro

int main(int argc, char** argv) {
  return goro::testing::run_benchmarks_at_one_p(argc, argv);
}
