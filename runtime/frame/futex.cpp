#include "contracts/services/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace goro {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

void futex_sleep(atomic<std::uint32_t>* word, std::uint32_t expected) {
  // Woken, interrupted, or the value was another already: the caller looks again in every case.
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void futex_sleep_for(atomic<std::uint32_t>* word, std::uint32_t expected,
                     std::int64_t nanoseconds) {
  timespec timeout{};
  timeout.tv_sec = nanoseconds / kSecond;
  timeout.tv_nsec = nanoseconds % kSecond;
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &timeout, nullptr, 0);
}

void futex_wakeup(atomic<std::uint32_t>* word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace goro
