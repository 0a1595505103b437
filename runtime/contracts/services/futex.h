// The kernel's futex: sleep on a word for as long as it has a value. Go: futexsleep, futexwakeup.
#pragma once

#include <cstdint>

#include "contracts/atomic.h"

namespace goro {

// Sleeps if *word is `expected`, until futex_wakeup(word). May return early: when *word was another
// value already, on a signal, or for no reason. The caller looks at the word again. On a g0 or on a
// thread that is not the runtime's.
void futex_sleep(atomic<std::uint32_t>* word, std::uint32_t expected);

// The same, for at most `nanoseconds`.
void futex_sleep_for(atomic<std::uint32_t>* word, std::uint32_t expected, std::int64_t nanoseconds);

// Wakes at most `count` of the threads that sleep on `word`.
void futex_wakeup(atomic<std::uint32_t>* word, int count);

}  // namespace goro
