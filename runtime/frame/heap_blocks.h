// The blocks that operator new handed out, for GORO_DEBUG=stackcheck=1.
#pragma once

#include <cstddef>
#include <cstdint>

namespace goro {

struct HeapBlock {
  std::uintptr_t at = 0;
  std::size_t size = 0;
  std::uintptr_t pc = 0;  // who called operator new
};

// The block's bytes are cleared: what an earlier owner left there must not be taken for an address.
void heap_blocks_add(void* at, std::size_t size, std::uintptr_t pc);
void heap_blocks_remove(void* at);

// The first block with a word in [lo, hi), and that word; size 0 if there is none.
HeapBlock heap_blocks_find(std::uintptr_t lo, std::uintptr_t hi, std::uintptr_t* word);

}  // namespace goro
