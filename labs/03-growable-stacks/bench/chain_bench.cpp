// Your chain beside your copy: a call at the stack's end, and deep recursion. For you to look at;
// nothing here is graded. On one P.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "bench/end_of_stack.h"
#include "bench/recursion.h"
#include "goro/goro.h"

#if GORO_CHAINED_STACKS
namespace goro {
namespace {

constexpr int kRounds = 9;

// Runs f() in a new goroutine and waits for it.
template <typename F>
void on(StackChoice stack, F* f) {
  const WaitGroup group;
  group.go({.stack = stack}, [f] { (*f)(); });
  group.wait();
}

// Shown in nanoseconds: the lowest of the rounds, since whatever else the machine does only adds.
void show(benchmark::State& state, const char* name, double ns) {
  state.counters[name] = ns;
}

// The hot split: a call of a function that works for about so many nanoseconds, from the end of a
// stack, beside the same call where there is room.
void BM_CallAtTheEnd(benchmark::State& state, StackChoice stack) {
  const bars::Work* work =
      std::find_if(std::begin(bars::kWork), std::end(bars::kWork),
                   [&state](const bars::Work& one) { return one.about_ns == state.range(0); });
  double with_room = 0;
  double at_the_end = 0;
  for (auto _ : state) {
    bars::Calls calls[] = {{*work, false}, {*work, true}};
    auto measure = [&calls] {
      for (bars::Calls& one : calls) bars::call(&one);
    };
    on(stack, &measure);
    with_room = with_room == 0 ? calls[0].ns : std::min(with_room, calls[0].ns);
    at_the_end = at_the_end == 0 ? calls[1].ns : std::min(at_the_end, calls[1].ns);
  }
  show(state, "with_room_ns", with_room);
  show(state, "at_the_end_ns", at_the_end);
  show(state, "ordinary_calls", at_the_end / with_room);
}
#define EACH_WORK ArgName("works_ns")->Arg(0)->Arg(1)->Arg(10)->Arg(30)->Arg(100)
BENCHMARK_CAPTURE(BM_CallAtTheEnd, copied, growable())->EACH_WORK->Iterations(kRounds);
BENCHMARK_CAPTURE(BM_CallAtTheEnd, chained, chained())->EACH_WORK->Iterations(kRounds);

// A recursion in a new goroutine, and once more: what one call of it takes.
void BM_Deep(benchmark::State& state, StackChoice stack) {
  const auto depth = static_cast<long>(state.range(0));
  double first = 0;
  double again = 0;
  for (auto _ : state) {
    double times[2];
    auto measure = [&times, depth] {
      for (double& time : times) {
        const double start = bars::thread_ns();
        benchmark::DoNotOptimize(bars::recursion(depth));
        time = (bars::thread_ns() - start) / static_cast<double>(depth);
      }
    };
    on(stack, &measure);
    first = first == 0 ? times[0] : std::min(first, times[0]);
    again = again == 0 ? times[1] : std::min(again, times[1]);
  }
  show(state, "first_ns", first);
  show(state, "again_ns", again);
}
#define EACH_DEPTH ArgName("deep")->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000)->Arg(100'000)
BENCHMARK_CAPTURE(BM_Deep, copied, growable())->EACH_DEPTH->Iterations(kRounds);
BENCHMARK_CAPTURE(BM_Deep, chained, chained())->EACH_DEPTH->Iterations(kRounds);

}  // namespace
}  // namespace goro
#endif
