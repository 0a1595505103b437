// Memory for stacks, in powers of two.
#pragma once

#include <cstddef>
#include <cstdint>

#include "contracts/model.h"

namespace goro {

// For one large stack: a block of `bytes` (a power of two, kStackCacheSize or more), aligned to 64
// KB (kNoStackAcross), or to kStackAlign when it is smaller than that; then no multiple of 64 KB
// lies inside. Not cleared when used before. Never fails: fatal "out of memory (stack)". On g0.
// Takes a lock of its own.
std::uintptr_t page_heap_alloc(std::size_t bytes);

// For small stacks, of `bytes` each (a power of two, kStackMin or more, less than kStackCacheSize):
// a span to be cut from end to end. It has room for one at least, and kStackCacheSize at most. It
// begins at a multiple of kStackAlign, and no multiple of 64 KB (kNoStackAcross) lies inside of a
// stack (adjust_pointers says why). Nobody had it before, and it is never given back. Never fails.
// On g0. Takes a lock of its own.
Stack page_heap_alloc_small(std::size_t bytes);

// Makes a block longer where it is. `at` and `bytes` are what page_heap_alloc returned, or what the
// last extension left; `to` is a larger power of two. True if the block is [at + bytes - to,
// at + bytes) from now on, with what was in it; the new part is not cleared. False if nothing
// changed: `to` is more than 16 MB, or it is none of the 128 blocks that have room (fewer where
// ulimit -v says so; at most 64 of them have kStackCacheSize). On g0. Takes a lock of its own. Go
// has no such thing.
bool page_heap_extend(std::uintptr_t at, std::size_t bytes, std::size_t to);

// Gives back what page_heap_alloc returned, as long as it is now. On g0.
void page_heap_free(std::uintptr_t at, std::size_t bytes);

// Gives everything back to the system. Between two runs, by one thread.
void page_heap_reset();

}  // namespace goro
