// What a switch costs. One thread, one M and a goroutine made by hand; no scheduler.
#include <benchmark/benchmark.h>

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/model.h"
#include "testing/run_benchmarks.h"

namespace goro {
namespace {

// Below every stack, so that each check passes.
constexpr std::uintptr_t kLimit = 0x4740;
constexpr int kBatch = 64;

// The thread's own stack is a goroutine's, and g0 has a stack apart.
class ByHand {
 public:
  ByHand() {
    m_.g0 = &m_.g0_storage;
    m_.g0->m = &m_;
    m_.g0->stack_kind = StackKind::system;
    m_.g0->sched.g = m_.g0;
    m_.g0->sched.sp = reinterpret_cast<std::uintptr_t>(stack_) + sizeof(stack_);
    g_.m = &m_;
    g_.stack_kind = StackKind::fixed;
    g_.sched.g = &g_;
    g_.stackguard0.store(kLimit);
    goro_tls_g = &g_;
  }
  ~ByHand() { goro_tls_g = nullptr; }
  ByHand(const ByHand&) = delete;
  ByHand& operator=(const ByHand&) = delete;

 private:
  alignas(64) std::byte stack_[std::size_t{64} << 10];
  M m_;
  G g_;
};

void go_back(G* gp) {
  goro_gogo(&gp->sched);
}

void nothing(void*) {}

// [round_trip]
// goro_mcall to g0 and goro_gogo back, 64 times.
void BM_SwitchRoundTrip(benchmark::State& state) {
  const ByHand hand;
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) goro_mcall(go_back);
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(BM_SwitchRoundTrip);
// [/round_trip]

// goro_systemstack with a function that does nothing, 64 times.
void BM_Systemstack(benchmark::State& state) {
  const ByHand hand;
  for (auto _ : state) {
    for (int i = 0; i < kBatch; ++i) goro_systemstack(nothing, nullptr);
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(BM_Systemstack);

}  // namespace
}  // namespace goro

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  goro::testing::run_benchmarks();
  return 0;
}
