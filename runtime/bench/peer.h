// What the peers' programs have in common. Each is started as
//     PROGRAM --run WORKLOAD --procs N --count N
// and prints the figures of that workload in one line. go/bars.go does the same.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace goro::bars {

struct Workload {
  std::string name;
  int procs = 1;
  long count = 0;
};

// A workload as one program has it.
struct Known {
  const char* name;
  double (*measure)(long count);
  int times = 1;         // 2: on fresh memory, and again
  bool peak = false;     // with the peak of memory as a second figure
  bool outside = false;  // not in a goroutine, fiber or the like
};
constexpr Known twice(const char* name, double (*measure)(long)) {
  return {name, measure, 2};
}
constexpr Known with_peak(const char* name, double (*measure)(long)) {
  return {name, measure, 1, true};
}
constexpr Known outside(const char* name, double (*measure)(long)) {
  return {name, measure, 1, false, true};
}

[[noreturn]] inline void cannot_measure(const char* why) {
  std::fprintf(stderr, "%s\n", why);
  std::exit(3);
}

inline double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  long pages = 0;
  if (file == nullptr || std::fscanf(file, "%*d %ld", &pages) != 1) {
    cannot_measure("cannot read /proc/self/statm");
  }
  std::fclose(file);
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// The most memory that this process ever had, in bytes.
inline double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

// The figures of one workload. `inside` runs a function as the program's first goroutine, fiber or
// thread, on so many processors. Empty: there is no such workload.
template <typename Inside>
std::vector<double> figures_of(const Workload& workload, std::span<const Known> all,
                               Inside&& inside) {
  std::vector<double> figures;
  for (const Known& known : all) {
    if (workload.name != known.name) continue;
    const auto measure = [&] {
      for (int i = 0; i < known.times; ++i) figures.push_back(known.measure(workload.count));
    };
    if (known.outside) {
      measure();
    } else {
      inside(workload.procs, measure);
    }
    if (known.peak) figures.push_back(peak_bytes());
  }
  return figures;
}

// main() of a peer's program. It leaves by _exit: what a workload leaves behind is given back by
// the kernel.
template <typename Figures>
[[noreturn]] void peer_main(int argc, char** argv, const char* version, Figures&& figures) {
  Workload workload;
  bool asks_version = false;
  for (int i = 1; i < argc; ++i) {
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (std::strcmp(argv[i], "--version") == 0) {
      asks_version = true;
    } else if (std::strcmp(argv[i], "--run") == 0) {
      workload.name = value;
    } else if (std::strcmp(argv[i], "--procs") == 0) {
      workload.procs = std::atoi(value);
    } else if (std::strcmp(argv[i], "--count") == 0) {
      workload.count = std::atol(value);
    }
  }
  if (asks_version) {
    std::puts(version);
  } else if (workload.procs < 1 || workload.count < 1) {
    std::fprintf(stderr, "usage: %s --run WORKLOAD --procs N --count N\n", argv[0]);
    std::_Exit(2);
  } else {
    const std::vector<double> all = figures(workload);
    if (all.empty()) {
      std::fprintf(stderr, "%s: there is no workload \"%s\"\n", argv[0], workload.name.c_str());
      std::_Exit(2);
    }
    for (const double figure : all) std::printf("%.3f ", figure);
    std::puts("");
  }
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace goro::bars
