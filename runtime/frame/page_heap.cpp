// Memory for stacks: arenas from the system, carved into powers of two, with a free list for each
// size.
//
// Small blocks are never split or joined: a run uses few sizes, over and over.
//
// What a goroutine that waits needs again are the first few lines under the end of its stack, and
// all stacks are multiples of 2 KB long. If they began at multiples of 2 KB, too, those lines of
// all goroutines would meet in a sixth of the sets of the processor's caches. A second-level cache
// of 2 MB then holds what 1,000 goroutines need, and the rest of it stays empty. So every kRow
// bytes the small blocks step aside by as much as such a goroutine uses (a sieve of 2,000
// goroutines on one P is a quarter faster, for half a byte a goroutine).
//
// Blocks of kLarge and more are mapped one by one and given back to the system when a few of their
// size are free already, so one deep recursion does not hold its memory for ever.
#include "contracts/services/page_heap.h"

#include <sys/mman.h>

#include <vector>

#include "contracts/constants.h"
#include "contracts/lock.h"
#include "contracts/services/fatal.h"
#include "contracts/services/sanitizer.h"
#include "frame/kept_pages.h"

namespace goro {

namespace {

constexpr std::size_t kArena = std::size_t{64} << 20;
constexpr std::size_t kLarge = std::size_t{1} << 20;
constexpr std::size_t kBlockAlign = std::size_t{64} << 10;  // of blocks that are as large as that
constexpr std::size_t kRow = std::size_t{1} << 20;
constexpr std::size_t kStepAside = 5 * kCacheLine;
constexpr int kMaxFreeLarge = 4;

struct FreeBlock {
  FreeBlock* next;
};

struct Mapping {
  std::uintptr_t at;
  std::size_t bytes;
};

RuntimeMutex heap_lock;
FreeBlock* free_blocks[64];
int free_count[64];
std::uintptr_t arena_at = 0;
std::uintptr_t arena_end = 0;
std::vector<Mapping>* arenas = nullptr;

std::uintptr_t map(std::size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) fatal("out of memory (stack)");
  return reinterpret_cast<std::uintptr_t>(at);
}

std::size_t block_align(std::size_t bytes) {
  return bytes < kBlockAlign ? kCacheLine : kBlockAlign;
}

// Under heap_lock.
std::uintptr_t carve(std::size_t bytes) {
  std::uintptr_t at = (arena_at + block_align(bytes) - 1) & ~(block_align(bytes) - 1);
  if (arena_end == 0 || at + bytes > arena_end) {
    if (arenas == nullptr) arenas = new std::vector<Mapping>;
    arena_at = map(kArena);
    arena_end = arena_at + kArena;
    arenas->push_back({arena_at, kArena});
    at = (arena_at + block_align(bytes) - 1) & ~(block_align(bytes) - 1);
  }
  arena_at = at + bytes;
  if (at / kRow != arena_at / kRow) arena_at += kStepAside;
  return at;
}

// A large stack is the copy of one that was half as large, and full. Its upper half is about to be
// written, and one call costs less than a fault for each page. A kernel before 5.14 refuses: then
// there are faults.
void populate_upper_half(std::uintptr_t at, std::size_t bytes) {
  madvise(reinterpret_cast<void*>(at + bytes / 2), bytes / 2, MADV_POPULATE_WRITE);
}

}  // namespace

std::uintptr_t page_heap_alloc(std::size_t bytes) {
  const int order = __builtin_ctzll(bytes);
  heap_lock.lock();
  std::uintptr_t at = 0;
  bool fresh = true;
  if (FreeBlock* block = free_blocks[order]; block != nullptr) {
    free_blocks[order] = block->next;
    --free_count[order];
    at = reinterpret_cast<std::uintptr_t>(block);
    fresh = false;
  } else if (bytes < kLarge) {
    at = carve(bytes);
  }
  heap_lock.unlock();
  if (at == 0) at = map(bytes);
  if (fresh && bytes >= kBlockAlign) populate_upper_half(at, bytes);
  sanitizer_fresh(reinterpret_cast<void*>(at), bytes);
  return at;
}

void page_heap_free(std::uintptr_t at, std::size_t bytes) {
  sanitizer_fresh(reinterpret_cast<void*>(at), sizeof(FreeBlock));  // for the list's link
  const int order = __builtin_ctzll(bytes);
  heap_lock.lock();
  const bool keep = bytes < kLarge || free_count[order] < kMaxFreeLarge;
  if (keep) {
    auto* block = reinterpret_cast<FreeBlock*>(at);
    block->next = free_blocks[order];
    free_blocks[order] = block;
    ++free_count[order];
  }
  heap_lock.unlock();
  if (keep) return;
  sanitizer_fresh(reinterpret_cast<void*>(at), bytes);
  munmap(reinterpret_cast<void*>(at), bytes);
}

void page_heap_reset() {
  for (int order = 0; order < 64; ++order) {
    while (free_blocks[order] != nullptr) {
      FreeBlock* block = free_blocks[order];
      free_blocks[order] = block->next;
      if (std::size_t{1} << order >= kLarge) munmap(block, std::size_t{1} << order);
    }
    free_count[order] = 0;
  }
  if (arenas != nullptr) {
    for (const Mapping& arena : *arenas) unmap_but_kept(arena.at, arena.bytes);
    delete arenas;
    arenas = nullptr;
  }
  arena_at = arena_end = 0;
}

}  // namespace goro
