// Pages that outlive their run: the G and the stack of a goroutine whose system call does.
//
// Stacks and Gs come from large mappings that run() gives back as a whole, and two small stacks may
// share a page. So pages are counted, and what is kept is spared.
#pragma once

#include <cstddef>
#include <cstdint>

namespace goro {

// Counts the pages that [at, at + bytes) touches.
void keep_pages(std::uintptr_t at, std::size_t bytes);

// Counts them down; gives back those that nobody keeps any more. Whoever had mapped them has let go
// of them (unmap_but_kept) before.
void release_pages(std::uintptr_t at, std::size_t bytes);

// How many pages are kept now.
std::size_t kept_pages();

// munmap, but for kept pages. `at` and `bytes` are multiples of a page.
void unmap_but_kept(std::uintptr_t at, std::size_t bytes);

}  // namespace goro
