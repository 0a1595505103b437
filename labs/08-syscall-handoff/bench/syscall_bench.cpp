// What a system call costs beside the call itself: the fast way back, and the slow one.
//
// Everything runs at one P, in goroutine 1, so that the figures are CPU time of this slot and not
// waiting.
#include <benchmark/benchmark.h>

#include "contracts/getg.h"
#include "contracts/processors.h"
#include "contracts/syscall.h"
#include "goro/goro.h"
#include "testing/bench_at_one_p.h"

namespace {

constexpr int kCalls = 100;

// In and out again; nobody wants the P.
void BM_ShortCall(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < kCalls; ++i) goro::system_call([] {});
  }
  state.SetItemsProcessed(state.iterations() * kCalls);
}
BENCHMARK(BM_ShortCall);

// The P is taken during the call and put on the idle list, where the M finds it again. The call
// does to itself what others would do to it.
void BM_CallThatLosesItsP(benchmark::State& state) {
  for (auto _ : state) {
    for (int i = 0; i < kCalls; ++i) {
      goro::system_call([] {
        goro::P* pp = goro::getm()->p;
        goro::SyscallingThread thread;
        // Sysmon may have been quicker.
        if (pp == nullptr || !goro::set_block_on_exit_syscall(pp, &thread)) return;
        thread.take_p();
        thread.resume();
        goro::sched.lock.lock();
        goro::pidleput(pp);
        goro::sched.lock.unlock();
      });
    }
  }
  state.SetItemsProcessed(state.iterations() * kCalls);
}
BENCHMARK(BM_CallThatLosesItsP);

}  // namespace

int main(int argc, char** argv) {
  return goro::testing::run_benchmarks_at_one_p(argc, argv);
}
