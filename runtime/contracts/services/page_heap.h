// Memory for stacks, in powers of two.
#pragma once

#include <cstddef>
#include <cstdint>

namespace goro {

// `bytes` (a power of two, at least kStackCacheSize), aligned to 64 KB, or to a cache line when it
// is less than that. Not cleared when used before. Never fails: fatal "out of memory (stack)". On
// g0. Takes a lock of its own.
std::uintptr_t page_heap_alloc(std::size_t bytes);

// Makes a block longer where it is. `at` and `bytes` are what page_heap_alloc returned, or what the
// last extension left; `to` is a larger power of two. True if the block is [at + bytes - to,
// at + bytes) from now on, with what was in it; the new part is not cleared. False if nothing
// changed: the block has less than 64 KB, `to` is more than 16 MB, or it is none of the 128 blocks
// that have room (fewer where ulimit -v says so). On g0. Takes a lock of its own. Go has no such
// thing.
bool page_heap_extend(std::uintptr_t at, std::size_t bytes, std::size_t to);

// Gives back what page_heap_alloc returned, as long as it is now. On g0.
void page_heap_free(std::uintptr_t at, std::size_t bytes);

// Gives everything back to the system. Between two runs, by one thread.
void page_heap_reset();

}  // namespace goro
