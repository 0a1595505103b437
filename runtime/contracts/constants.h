// The numbers that several slots share. Each names Go's constant; where ours differs, it says why.
#pragma once

#include <cstddef>
#include <cstdint>

// Growable stacks need checks in prologues. The sanitizers cannot follow a stack that moves, so
// their builds run every goroutine on a larger stack that stays where it is.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GORO_GROWABLE_STACKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GORO_GROWABLE_STACKS 0
#else
#define GORO_GROWABLE_STACKS 1
#endif
#else
#define GORO_GROWABLE_STACKS 1
#endif

// Stacks that grow by chaining need GCC's whole protocol: on ARM64 a function has its frame and has
// moved its arguments when the check comes.
#if GORO_GROWABLE_STACKS && defined(__x86_64__)
#define GORO_CHAINED_STACKS 1
#else
#define GORO_CHAINED_STACKS 0
#endif

namespace goro {

inline constexpr std::size_t kCacheLine = 64;

// Go: physPageSize. The smallest piece of memory whose protection can be changed.
inline constexpr std::size_t kPhysPageSize = 4096;

// Go: active_spin and active_spin_cnt. Whoever waits for a lock whose owner runs looks this often,
// and pauses so many times before each look.
inline constexpr int kActiveSpin = 4;
inline constexpr int kActiveSpinCount = 30;

// Go: stackMin. The stack of a new goroutine, in bytes.
#if GORO_GROWABLE_STACKS
inline constexpr std::size_t kStackMin = 2048;
#else
inline constexpr std::size_t kStackMin = std::size_t{128} * 1024;
#endif

// [stack_guard]
// Go: stackGuard (928). Bytes that stay free below the address a prologue compares with: room for a
// frame that the prologue did not count, for functions without a check, and for the registers that
// growing the stack saves.
//   x86-64: 256 (frame of a function whose prologue compares bare rsp) + 280 (registers pushed by
//           __morestack and goro_mcall, and return addresses) + 168 for the chain of functions
//           without a check.
//   ARM64:  the frame is taken before the check, so the largest frame the compiler may make
//           (kMaxFrame, an error beyond) + the registers saved by _mcount + the same chain.
#if defined(__aarch64__)
inline constexpr std::size_t kMaxFrame = 768;
inline constexpr std::size_t kStackGuard = kMaxFrame + 256;
#else
inline constexpr std::size_t kStackGuard = 704;
#endif
// [/stack_guard]

// Room that a library function may assume when it is called on a growable stack. The linker asks
// for the same amount (16 KB) where it meets a call into code without checks.
inline constexpr std::size_t kForeignRoom = std::size_t{16} * 1024;

// Go: stackPreempt. A guard no stack pointer is above, so that the next prologue calls the runtime.
inline constexpr std::uintptr_t kStackPreempt = ~std::uintptr_t{1313};

// Stacks start at multiples of this and sizes are multiples of it, so the distance of a copy is
// one, too. It keeps every alignment up to this, and the lowest byte of every address: a bool that
// was stored over an old one, and is taken for an address with the rest of its word, stays what it
// is.
inline constexpr std::size_t kStackAlign = 256;

// No multiple of this lies inside of a stack that is not larger (adjust_pointers says why).
inline constexpr std::size_t kNoStackAcross = std::size_t{64} << 10;

// Go: the length of p.runq.
inline constexpr std::uint32_t kRunqSize = 256;

// The most Ps there can be.
inline constexpr std::int32_t kMaxProcs = 65536;

// Go: schedtick % 61 in findRunnable.
inline constexpr std::uint32_t kGlobalQueueTick = 61;

// Go: gfput and gfget. A P's list of dead Gs is flushed at 64, down to 31, and refilled to 32.
inline constexpr std::int32_t kGFreeFlushAt = 64;
inline constexpr std::int32_t kGFreeKeepBelow = 32;

// Go: the capacity of p.sudogbuf. An empty list is refilled to half of that, a full one flushed to
// half.
inline constexpr std::int32_t kSudogCache = 128;

// Go: _GoidCacheBatch.
inline constexpr std::uint64_t kGoidCacheBatch = 16;

// Go: _NumStackOrders and _StackCacheSize. Stacks of kStackMin << 0..3 live in caches and pools;
// larger ones come from the page heap one by one.
inline constexpr int kNumStackOrders = 4;
inline constexpr std::size_t kStackCacheSize = 16 * kStackMin;

}  // namespace goro
