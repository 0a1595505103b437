#include "frame/fd_lock.h"

#include "contracts/services/fatal.h"
#include "contracts/sync.h"

namespace goro {

namespace {

constexpr std::uint64_t kClosed = 1;
constexpr std::uint64_t kUse = std::uint64_t{1} << 3;
constexpr std::uint64_t kCountMask = (std::uint64_t{1} << 20) - 1;
constexpr int kUseShift = 3;

std::uint64_t locked(PollMode mode) {
  return mode == PollMode::read ? 2 : 4;
}

int waiting_shift(PollMode mode) {
  return mode == PollMode::read ? 23 : 43;
}

std::uint64_t waiter(PollMode mode) {
  return std::uint64_t{1} << waiting_shift(mode);
}

std::uint64_t waiting(std::uint64_t state, PollMode mode) {
  return state >> waiting_shift(mode) & kCountMask;
}

std::uint64_t uses(std::uint64_t state) {
  return state >> kUseShift & kCountMask;
}

bool is_last(std::uint64_t state) {
  return (state & kClosed) != 0 && uses(state) == 0;
}

[[gnu::noinline, gnu::cold]] void too_many() {
  fatal("too many concurrent operations on a single socket (max 1048575)");
}

}  // namespace

void FdLock::open() {
  state_.store(0);
}

bool FdLock::enter() {
  std::uint64_t seen = state_.load();
  do {
    if ((seen & kClosed) != 0) return false;
    if (uses(seen) == kCountMask) too_many();
  } while (!state_.compare_exchange_weak(seen, seen + kUse));
  return true;
}

bool FdLock::leave() {
  return is_last(state_.fetch_sub(kUse) - kUse);
}

bool FdLock::enter_and_close() {
  std::uint64_t seen = state_.load();
  std::uint64_t next = 0;
  do {
    if ((seen & kClosed) != 0) return false;
    if (uses(seen) == kCountMask) too_many();
    next = (seen | kClosed) + kUse;
    next -= waiting(seen, PollMode::read) * waiter(PollMode::read);
    next -= waiting(seen, PollMode::write) * waiter(PollMode::write);
  } while (!state_.compare_exchange_weak(seen, next));
  for (const PollMode mode : {PollMode::read, PollMode::write}) {
    for (std::uint64_t n = waiting(seen, mode); n != 0; --n) {
      semrelease1(&turns_[static_cast<int>(mode)], false);
    }
  }
  return true;
}

bool FdLock::lock(PollMode mode) {
  std::uint64_t seen = state_.load();
  for (;;) {
    if ((seen & kClosed) != 0) return false;
    const bool is_free = (seen & locked(mode)) == 0;
    if (uses(seen) == kCountMask || waiting(seen, mode) == kCountMask) too_many();
    const std::uint64_t next = is_free ? (seen | locked(mode)) + kUse : seen + waiter(mode);
    if (!state_.compare_exchange_weak(seen, next)) continue;
    if (is_free) return true;
    semacquire1(&turns_[static_cast<int>(mode)], false, WaitReason::semacquire);
    // Whoever woke us has counted us out.
    seen = state_.load();
  }
}

bool FdLock::unlock(PollMode mode) {
  std::uint64_t seen = state_.load();
  std::uint64_t next = 0;
  do {
    next = (seen & ~locked(mode)) - kUse;
    if (waiting(seen, mode) != 0) next -= waiter(mode);
  } while (!state_.compare_exchange_weak(seen, next));
  if (waiting(seen, mode) != 0) semrelease1(&turns_[static_cast<int>(mode)], false);
  return is_last(next);
}

void FdLock::abandon() {
  state_.store(kClosed);
}

}  // namespace goro
