// The three toy models with two kinds of work: tasks that compute, and tasks that block their
// thread.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <vector>

#include "models.h"

namespace {

constexpr int kTasks = 64;
constexpr int kSteps = 100;
constexpr int kThreads = 4;
constexpr int kBlockMicroseconds = 1000;

enum class Model { one_to_one, many_to_one, many_to_many };

void run(Model model, std::vector<models::Task> tasks) {
  switch (model) {
    case Model::one_to_one:
      models::run_one_to_one(std::move(tasks));
      break;
    case Model::many_to_one:
      models::run_many_to_one(std::move(tasks));
      break;
    case Model::many_to_many:
      models::run_many_to_many(std::move(tasks), kThreads);
      break;
  }
}

// 64 tasks of 100 short steps: what does it cost to share the processors?
void BM_Compute(benchmark::State& state, Model model) {
  for (auto _ : state) {
    std::vector<models::Task> tasks;
    for (int i = 0; i < kTasks; ++i) {
      tasks.emplace_back([left = kSteps]() mutable {
        benchmark::DoNotOptimize(left);
        return --left > 0;
      });
    }
    run(model, std::move(tasks));
  }
}

// 64 tasks of one step each, which blocks its thread for a millisecond, as a read from a slow disk
// does.
void BM_Block(benchmark::State& state, Model model) {
  for (auto _ : state) {
    const std::vector<models::Task> tasks(kTasks, [] {
      usleep(kBlockMicroseconds);
      return false;
    });
    run(model, tasks);
  }
}

BENCHMARK_CAPTURE(BM_Compute, one_to_one, Model::one_to_one)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Compute, many_to_one, Model::many_to_one)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Compute, many_to_many_4_threads, Model::many_to_many)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Block, one_to_one, Model::one_to_one)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Block, many_to_one, Model::many_to_one)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Block, many_to_many_4_threads, Model::many_to_many)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
