// An OS thread against a goroutine: making one, switching to one, and what a parked one holds.
//
// The thread's side uses nothing of the runtime. The goroutine's side runs inside goro::run, on one
// P, so that neither side gets help from a second processor.
#include <benchmark/benchmark.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>
#include <condition_variable>
#include <cstdio>
#include <latch>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "goro/goro.h"
#include "testing/run_benchmarks.h"

namespace {

// -- making one, and waiting for its end --

void BM_CreateThread(benchmark::State& state) {
  for (auto _ : state) std::thread([] {}).join();
}
BENCHMARK(BM_CreateThread)->UseRealTime();

void BM_CreateGoroutine(benchmark::State& state) {
  goro::run(
      [&state] {
        for (auto _ : state) {
          const goro::WaitGroup group;
          group.go([] {});
          group.wait();
        }
      },
      {.procs = 1});
}
BENCHMARK(BM_CreateGoroutine)->UseRealTime();

// A thousand at a time, waited for together.
constexpr int kCrowd = 1000;

// Seconds for one of `each` things that an iteration does; shown with its unit, as 130n.
benchmark::Counter time_for_one(int each) {
  return {static_cast<double>(each),
          benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert};
}

void BM_CreateThousandThreads(benchmark::State& state) {
  for (auto _ : state) {
    std::vector<std::thread> threads;
    threads.reserve(kCrowd);
    for (int i = 0; i < kCrowd; ++i) threads.emplace_back([] {});
    for (std::thread& thread : threads) thread.join();
  }
  state.counters["each"] = time_for_one(kCrowd);
}
BENCHMARK(BM_CreateThousandThreads)->UseRealTime();

void BM_CreateThousandGoroutines(benchmark::State& state) {
  goro::run(
      [&state] {
        for (auto _ : state) {
          const goro::WaitGroup group;
          for (int i = 0; i < kCrowd; ++i) group.go([] {});
          group.wait();
        }
      },
      {.procs = 1});
  state.counters["each"] = time_for_one(kCrowd);
}
BENCHMARK(BM_CreateThousandGoroutines)->UseRealTime();

// -- switching: two of them take turns; an iteration goes there and back --

// A thread waits in the kernel for its turn; the one that has it wakes the other.
class FutexBaton {
 public:
  void wait_for(int turn) {
    for (int now; (now = turn_.load(std::memory_order_acquire)) != turn;) futex(FUTEX_WAIT, now);
  }
  void pass_to(int turn) {
    turn_.store(turn, std::memory_order_release);
    futex(FUTEX_WAKE, 1);
  }

 private:
  void futex(int operation, int value) {
    syscall(SYS_futex, &turn_, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
  }
  std::atomic<int> turn_{0};
};

class CondvarBaton {
 public:
  void wait_for(int turn) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return turn_ == turn; });
  }
  void pass_to(int turn) {
    {
      const std::lock_guard lock(mutex_);
      turn_ = turn;
    }
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int turn_ = 0;
};

// Keeps this thread, and those that it starts, on one processor while it lives. Two threads that
// take turns do best there: what one wakes on another processor has to be fetched out of its sleep.
class OneProcessor {
 public:
  OneProcessor() {
    CPU_ZERO(&before_);
    sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof(one), &one);
  }
  ~OneProcessor() { sched_setaffinity(0, sizeof(before_), &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_;
};

template <typename Baton>
void BM_SwitchThread(benchmark::State& state) {
  const OneProcessor pinned;
  Baton baton;
  std::atomic<bool> stop{false};
  std::thread partner([&] {
    while (true) {
      baton.wait_for(1);
      if (stop.load()) return;
      baton.pass_to(0);
    }
  });
  for (auto _ : state) {
    baton.pass_to(1);
    baton.wait_for(0);
  }
  stop.store(true);
  baton.pass_to(1);
  partner.join();
  state.counters["one_way"] = time_for_one(2);
}
BENCHMARK_TEMPLATE(BM_SwitchThread, FutexBaton)->UseRealTime();
BENCHMARK_TEMPLATE(BM_SwitchThread, CondvarBaton)->UseRealTime();

void BM_SwitchGoroutineYield(benchmark::State& state) {
  goro::run(
      [&state] {
        bool stop = false;
        bool* const asked_to_stop = &stop;  // goroutine 1's stack does not move
        const goro::WaitGroup group;
        group.go([asked_to_stop] {
          while (!*asked_to_stop) goro::yield();
        });
        for (auto _ : state) goro::yield();
        stop = true;
        group.wait();
      },
      {.procs = 1});
  state.counters["one_way"] = time_for_one(2);
}
BENCHMARK(BM_SwitchGoroutineYield)->UseRealTime();

void BM_SwitchGoroutineChannel(benchmark::State& state) {
  goro::run(
      [&state] {
        const goro::Channel<int> there;
        const goro::Channel<int> back;
        goro::go([there, back] {
          for (const int ball : there) back.send(ball);
        });
        for (auto _ : state) {
          there.send(1);
          benchmark::DoNotOptimize(back.receive());
        }
        there.close();
      },
      {.procs = 1});
  state.counters["one_way"] = time_for_one(2);
}
BENCHMARK(BM_SwitchGoroutineChannel)->UseRealTime();

// -- memory: a thousand that wait --

struct Memory {
  double virtual_bytes = 0;   // addresses that are reserved
  double resident_bytes = 0;  // memory that is there
};

Memory memory_now() {
  Memory now;
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return now;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  if (std::fscanf(file, "%lf %lf", &now.virtual_bytes, &now.resident_bytes) == 2) {
    now.virtual_bytes *= page;
    now.resident_bytes *= page;
  }
  std::fclose(file);
  return now;
}

Memory difference(const Memory& after, const Memory& before) {
  return {after.virtual_bytes - before.virtual_bytes, after.resident_bytes - before.resident_bytes};
}

Memory of_a_thousand_threads() {
  std::latch started(kCrowd);
  std::latch gate(1);
  std::vector<std::thread> threads;
  threads.reserve(kCrowd);
  const Memory before = memory_now();
  for (int i = 0; i < kCrowd; ++i) {
    threads.emplace_back([&] {
      started.count_down();
      gate.wait();
    });
  }
  started.wait();
  const Memory taken = difference(memory_now(), before);
  gate.count_down();
  for (std::thread& thread : threads) thread.join();
  return taken;
}

Memory of_a_thousand_goroutines() {
  Memory taken;
  goro::run(
      [&taken] {
        const goro::Channel<int> gate;
        const goro::WaitGroup group;
        const Memory before = memory_now();
        for (int i = 0; i < kCrowd; ++i) group.go([gate] { gate.receive(); });
        goro::yield();  // on one P everybody else runs first, up to the receive
        taken = difference(memory_now(), before);
        gate.close();
        group.wait();
      },
      {.procs = 1});
  return taken;
}

// Measures in a child process: memory that an earlier benchmark has touched would not count as new.
void BM_Memory(benchmark::State& state, Memory (*measure)()) {
  for (auto _ : state) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return state.SkipWithError("no pipe");
    const pid_t child = fork();
    if (child == 0) {
      int status = 0;
      try {
        const Memory taken = measure();
        if (write(ends[1], &taken, sizeof(taken)) != sizeof(taken)) status = 1;
      } catch (const std::system_error& error) {
        std::fprintf(stderr, "%s\n",
                     error.what());  // this machine does not give a thousand threads
        status = 1;
      }
      _exit(status);
    }
    close(ends[1]);
    Memory taken;
    const bool complete = read(ends[0], &taken, sizeof(taken)) == sizeof(taken);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    if (!complete) return state.SkipWithError("the child process measured nothing");
    state.counters["resident_each"] = taken.resident_bytes / kCrowd;
    state.counters["virtual_each"] = taken.virtual_bytes / kCrowd;
  }
}
BENCHMARK_CAPTURE(BM_Memory, thousand_threads, of_a_thousand_threads)->Iterations(1)->UseRealTime();
BENCHMARK_CAPTURE(BM_Memory, thousand_goroutines, of_a_thousand_goroutines)
    ->Iterations(1)
    ->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  goro::testing::run_benchmarks();
  benchmark::Shutdown();
  return 0;
}
