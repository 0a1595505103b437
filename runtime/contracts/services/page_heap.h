// Memory for stacks, in powers of two.
#pragma once

#include <cstddef>
#include <cstdint>

namespace goro {

// `bytes` (a power of two, at least kStackCacheSize), aligned to 64 KB, or to a cache line when it
// is less than that. Not cleared when used before. Never fails: fatal "out of memory (stack)". On
// g0. Takes a lock of its own.
std::uintptr_t page_heap_alloc(std::size_t bytes);

// Gives back what page_heap_alloc returned. On g0.
void page_heap_free(std::uintptr_t at, std::size_t bytes);

// Gives everything back to the system. Between two runs, by one thread.
void page_heap_reset();

}  // namespace goro
