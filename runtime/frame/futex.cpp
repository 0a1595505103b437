#include "contracts/services/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

namespace goro {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

#if GORO_SIMULATE
const volatile std::uint32_t* as_word(const atomic<std::uint32_t>* word) {
  static_assert(sizeof(*word) == sizeof(std::uint32_t));
  return reinterpret_cast<const volatile std::uint32_t*>(word);
}
#endif

}  // namespace

void futex_sleep(atomic<std::uint32_t>* word, std::uint32_t expected) {
#if GORO_SIMULATE
  if (sim::active) return sim::futex_sleep(as_word(word), expected, sim::kNever);
#endif
  // Woken, interrupted, or the value was another already: the caller looks again in every case.
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void futex_sleep_for(atomic<std::uint32_t>* word, std::uint32_t expected,
                     std::int64_t nanoseconds) {
#if GORO_SIMULATE
  if (sim::active) return sim::futex_sleep(as_word(word), expected, nanoseconds);
#endif
  timespec timeout{};
  timeout.tv_sec = nanoseconds / kSecond;
  timeout.tv_nsec = nanoseconds % kSecond;
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &timeout, nullptr, 0);
}

void futex_wakeup(atomic<std::uint32_t>* word, int count) {
#if GORO_SIMULATE
  if (sim::active) return sim::futex_wakeup(as_word(word), count);
#endif
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace goro
