// Each workload has its twin in go/bars.go; what one does, the other does.
#include "bench/workloads.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "bench/clock.h"
#include "goro/goro.h"

namespace goro::bars {

namespace {

// Waiting for the end of goroutines that tell nobody: whoever yields goes behind all that are
// runnable now. Another P may still hold a few hundred then, so yield again; of a million they are
// nothing.
constexpr int kYieldsToTheEnd = 4;

double spawn_empty(long count) {
  const double start = now_ns();
  for (long i = 0; i < count; ++i) go([] {});
  for (int i = 0; i < kYieldsToTheEnd; ++i) yield();
  return (now_ns() - start) / static_cast<double>(count);
}

double spawn_wait_group(long count) {
  const double start = now_ns();
  const WaitGroup group;
  for (long i = 0; i < count; ++i) group.go([] {});
  group.wait();
  return (now_ns() - start) / static_cast<double>(count);
}

double spawn_and_wait(long count) {
  const double start = now_ns();
  for (long i = 0; i < count; ++i) {
    const WaitGroup group;
    group.go([] {});
    group.wait();
  }
  return (now_ns() - start) / static_cast<double>(count);
}

double yield_in_turns(long count) {
  constexpr int kGoroutines = 2;
  const long yields = count / kGoroutines;
  const double start = now_ns();
  const WaitGroup group;
  for (int i = 0; i < kGoroutines; ++i) {
    group.go([yields] {
      for (long n = 0; n < yields; ++n) yield();
    });
  }
  group.wait();
  return (now_ns() - start) / static_cast<double>(yields * kGoroutines);
}

double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  long pages = 0;
  if (file == nullptr || std::fscanf(file, "%*d %ld", &pages) != 1) {
    std::perror("/proc/self/statm");
    std::exit(3);
  }
  std::fclose(file);
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double bytes_per_parked(long count) {
  const double before = resident_bytes();
  const Channel<int> gate;
  const WaitGroup group;
  for (long i = 0; i < count; ++i) group.go([gate] { gate.receive(); });
  for (int i = 0; i < kYieldsToTheEnd; ++i) yield();
  const double after = resident_bytes();
  if (num_goroutine() != static_cast<std::size_t>(count) + 1) {
    std::fputs("not every goroutine is parked\n", stderr);
    std::exit(3);
  }
  gate.close();
  group.wait();
  return (after - before) / static_cast<double>(count);
}

}  // namespace

std::vector<double> run_workload(const Workload& workload) {
  double (*measure)(long) = nullptr;
  int times = 1;
  if (workload.name == "spawn" || workload.name == "spawn-wait-group") {
    measure = workload.name == "spawn" ? spawn_empty : spawn_wait_group;
    times = 2;  // on fresh memory, and again
  } else if (workload.name == "spawn-one") {
    measure = spawn_and_wait;
  } else if (workload.name == "yield") {
    measure = yield_in_turns;
  } else if (workload.name == "memory") {
    measure = bytes_per_parked;
  }
  std::vector<double> figures;
  if (measure == nullptr) return figures;
  run(
      [&] {
        for (int i = 0; i < times; ++i) figures.push_back(measure(workload.count));
      },
      {.procs = workload.procs});
  return figures;
}

}  // namespace goro::bars
