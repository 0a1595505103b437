#include "contracts/services/clock.h"

#include <sched.h>
#include <unistd.h>

#include <ctime>

#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

namespace goro {

std::int64_t nanotime() {
#if GORO_SIMULATE
  if (sim::active) return sim::now();
#endif
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void usleep(std::uint32_t microseconds) {
#if GORO_SIMULATE
  if (sim::active) return sim::rest(std::int64_t{microseconds} * 1000);
#endif
  ::usleep(microseconds);
}

void osyield() {
#if GORO_SIMULATE
  if (sim::active) return sim::relax();
#endif
  sched_yield();
}

}  // namespace goro
