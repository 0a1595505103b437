// How many processors this process may use. Go 1.25: min(affinity, max(2, cgroup quota rounded
// up)).
#include "frame/cpu_count.h"

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <thread>

#include "goro/run.h"

namespace goro {

namespace {

// The CPU bandwidth limit of this process's own cgroup (v2), in processors; 0: none.
double cgroup_quota() {
  char path[4096] = "";
  if (std::FILE* file = std::fopen("/proc/self/cgroup", "re"); file != nullptr) {
    char line[4000];
    while (std::fgets(line, sizeof(line), file) != nullptr) {
      if (std::strncmp(line, "0::", 3) != 0) continue;
      line[std::strcspn(line, "\n")] = '\0';
      std::snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", line + 3);
    }
    std::fclose(file);
  }
  if (path[0] == '\0') return 0;
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return 0;
  long long quota = 0;
  long long period = 0;
  const int read = std::fscanf(file, "%lld %lld", &quota, &period);  // "max 100000" when unlimited
  std::fclose(file);
  return read == 2 && period > 0 ? static_cast<double>(quota) / static_cast<double>(period) : 0;
}

int affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace

int num_cpu() {
  return affinity();
}

int default_procs() {
  const int cpus = affinity();
  const double quota = cgroup_quota();
  if (quota <= 0) return cpus;
  const int whole = static_cast<int>(quota) + (quota > static_cast<int>(quota) ? 1 : 0);
  return std::min(cpus, std::max(2, whole));
}

}  // namespace goro
