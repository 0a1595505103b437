#include "contracts/services/clock.h"

#include <sched.h>
#include <unistd.h>

#include <ctime>

namespace goro {

std::int64_t nanotime() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void usleep(std::uint32_t microseconds) {
  ::usleep(microseconds);
}

void osyield() {
  sched_yield();
}

}  // namespace goro
