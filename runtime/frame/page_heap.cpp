// Memory for stacks: arenas from the system. Small stacks lie side by side from an arena's lower
// end on, larger ones ("blocks", one stack each) come from its upper end.
//
// Nothing is split or joined: a run uses few sizes, over and over.
//
// *Small stacks.* What a goroutine that waits needs again are the first few lines under the end of
// its stack, and all stacks are multiples of 2 KB long. If they began at multiples of 2 KB, too,
// those lines of all goroutines would meet in a sixth of the sets of the processor's caches. A
// second-level cache of 2 MB then holds what 1,000 goroutines need, and the rest of it stays empty.
// So in every row of kRow bytes the small stacks step aside, by about as much as such a goroutine
// uses (a sieve of 2,000 goroutines on one P is a quarter faster).
//
// Stacks that stepped aside would lie across multiples of 64 KB, and in such a stack
// adjust_pointers takes two bools for an address now and then (contracts/stack.h). So there is a
// *gap* at each such place, as long as a stack. Nothing is lost by it: sudogs and Gs live there
// (frame/gaps.h).
//
// *Blocks* of kLarge and more are mapped one by one and given back to the system when a few of
// their size are free already, so one deep recursion does not hold its memory for ever.
//
// That is what there would be without spans. A block of kSmallestBlock to kReach is the upper end
// of a *span* if one can be had: kReach bytes of address space, of which the block gets more and
// more without moving (page_heap_extend). What nobody touches is no memory. But it is addresses,
// which somebody may count (ulimit -v), and a debugger that writes a core file reads all of them.
// So there are few spans; who comes too late has a stack that is copied. And the smallest blocks,
// which any call of a C library's function may bring about, get no more than half of them: the
// others are for those that grow.
//
// A span that comes back keeps its pages, and the next deep recursion finds them there. But all
// spans together keep no more than kMaxSpare that no block covers. The uppermost kSmallestBlock
// always stays: stacks of that size come and go without a system call.
#include "contracts/services/page_heap.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <vector>

#include "contracts/constants.h"
#include "contracts/lock.h"
#include "contracts/services/fatal.h"
#include "contracts/services/sanitizer.h"
#include "frame/gaps.h"
#include "frame/kept_pages.h"

namespace goro {

namespace {

constexpr std::size_t kArena = std::size_t{64} << 20;
constexpr std::size_t kLarge = std::size_t{1} << 20;
constexpr std::size_t kSmallestBlock = kStackCacheSize;
constexpr int kSmallestOrder = __builtin_ctzll(kSmallestBlock);
constexpr std::size_t kReach = std::size_t{16} << 20;
constexpr std::size_t kMostReserved = 128 * kReach;
constexpr int kMostSmallest = 64;  // blocks of kSmallestBlock that have a span
constexpr std::size_t kMaxSpare = 4 * kReach;
constexpr std::size_t kMostPopulated = std::size_t{256} << 10;
constexpr std::size_t kRow = std::size_t{256} << 10;
constexpr std::size_t kStepAside = kStackAlign;  // four cache lines
constexpr std::size_t kSteps = kStackMin / kStepAside;
constexpr int kMaxFreeLarge = 4;
constexpr int kAddressBits = 48;  // without asking for more, nobody gets higher addresses

struct FreeBlock {
  FreeBlock* next;
};

struct Gap {
  Gap* next;
  std::uintptr_t end;
};

RuntimeMutex heap_lock;
FreeBlock* free_blocks[64];
int free_count[64];
std::uintptr_t arena_at = 0;   // [arena_at, arena_end) of the last arena have not been used yet:
std::uintptr_t arena_end = 0;  // small stacks come from below, from above what has kReach bytes
std::uintptr_t block_at = 0;   // [block_at, block_end): what blocks come from that have no span
std::uintptr_t block_end = 0;
Gap* gaps = nullptr;
std::vector<std::uintptr_t>* arenas = nullptr;

// Spans. A free one is linked in its last word.
FreeBlock* warm_spans = nullptr;  // those that have more than kSmallestBlock
FreeBlock* cold_spans = nullptr;
std::size_t reserved = 0;  // bytes of all spans
int smallest = 0;          // how many of them have a block of kSmallestBlock
std::size_t spare = 0;     // bytes that spans have and nobody needs
// By address / kReach. The binary logarithm of what a span *has*: so many bytes below its upper end
// were a block's since the span was carved or trimmed, and may be memory. 0: this is no span. Of
// the table, too, only what is touched is memory: a page for 64 GB.
std::uint8_t span_has[(std::size_t{1} << kAddressBits) / kReach];

// 0 if there is no such address space. At a multiple of `align`, which is one of a page.
std::uintptr_t try_map(std::size_t bytes, std::size_t align) {
  const std::size_t room = bytes + align - kPhysPageSize;
  void* mapped = mmap(nullptr, room, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return 0;
  const auto lo = reinterpret_cast<std::uintptr_t>(mapped);
  // As high as it fits: the kernel maps downwards, so the next one will be this one's neighbour.
  const std::uintptr_t at = (lo + room - bytes) & ~(align - 1);
  if (at != lo) munmap(mapped, at - lo);
  if (at + bytes != lo + room) {
    munmap(reinterpret_cast<void*>(at + bytes), lo + room - at - bytes);
  }
  return at;
}

std::uintptr_t map(std::size_t bytes, std::size_t align) {
  const std::uintptr_t at = try_map(bytes, align);
  if (at == 0) fatal("out of memory (stack)");
  return at;
}

// Under heap_lock. False if there is no such address space.
bool next_arena() {
  const std::uintptr_t at = try_map(kArena, kReach);
  if (at == 0) return false;
  // On a machine that gives huge pages to whoever does not object, 64 KB of a span would be 2 MB.
  madvise(reinterpret_cast<void*>(at), kArena, MADV_NOHUGEPAGE);
  if (arenas == nullptr) arenas = new std::vector<std::uintptr_t>;
  arenas->push_back(at);
  arena_at = at;
  arena_end = at + kArena;
  return true;
}

std::uintptr_t up(std::uintptr_t at, std::size_t align) {
  return (at + align - 1) & ~(align - 1);
}

// Under heap_lock. The lower end of kReach bytes; 0 if there are none.
std::uintptr_t carve_reach() {
  if (arena_at + kReach > arena_end && !next_arena()) return 0;
  return arena_end -= kReach;
}

// So much is left out at the beginning of [at, the next multiple of 64 KB).
std::uintptr_t step_aside(std::uintptr_t at) {
  return at / kRow % kSteps * kStepAside;
}

// Under heap_lock.
std::uintptr_t carve_block(std::size_t bytes) {
  // The smallest ones step aside, too, so each gets twice the addresses that it needs.
  const bool aside = bytes < kNoStackAcross;
  const std::size_t room = aside ? kNoStackAcross : bytes;
  if (room > block_end - block_at) {
    block_at = carve_reach();
    if (block_at == 0) fatal("out of memory (stack)");
    block_end = block_at + kReach;
  }
  const std::uintptr_t at = block_at;
  block_at += room;
  return aside ? at + step_aside(at) : at;
}

// Under heap_lock. [arena_at, to) are passed over.
void leave_gap(std::uintptr_t to) {
  if (to - arena_at >= kStackMin) {
    auto* gap = reinterpret_cast<Gap*>(arena_at);
    *gap = Gap{gaps, to};
    gaps = gap;
  }
  arena_at = to;
}

// Under heap_lock. Stacks of `bytes` side by side.
Stack carve_small(std::size_t bytes) {
  for (;;) {
    if (arena_at + 2 * kNoStackAcross > arena_end && !next_arena()) {
      fatal("out of memory (stack)");
    }
    if (arena_at % kNoStackAcross == 0) arena_at += step_aside(arena_at);
    const std::uintptr_t border = up(arena_at + 1, kNoStackAcross);
    const std::size_t room = std::min(border - arena_at, kStackCacheSize) & ~(bytes - 1);
    if (room != 0) {
      arena_at += room;
      return Stack{arena_at - room, arena_at};
    }
    leave_gap(border + step_aside(border));
  }
}

// Under heap_lock. 0 for a large block that is to be mapped. *had: so much at the upper end is
// likely to be memory.
std::uintptr_t take(std::size_t bytes, std::size_t* had) {
  const int order = __builtin_ctzll(bytes);
  FreeBlock* block = free_blocks[order];
  if (block == nullptr) return bytes < kLarge ? carve_block(bytes) : 0;
  free_blocks[order] = block->next;
  --free_count[order];
  *had = bytes;
  return reinterpret_cast<std::uintptr_t>(block);
}

bool may_reserve(std::size_t bytes) {
  if (bytes > kMostReserved) return false;
  for (const auto what : {RLIMIT_AS, RLIMIT_DATA}) {
    rlimit limit{};
    if (getrlimit(what, &limit) == 0 && bytes > limit.rlim_cur / 4) return false;
  }
  return true;
}

// Under heap_lock. The upper end of a span that nobody had before; 0 if there is none.
std::uintptr_t carve_span() {
  if (!may_reserve(reserved + kReach)) return 0;
  const std::uintptr_t lo = carve_reach();
  if (lo == 0) return 0;
  reserved += kReach;
  span_has[lo / kReach] = kSmallestOrder;
  return lo + kReach;
}

// Under heap_lock. Of the span in which `at` lies, the uppermost `before` bytes were needed, and
// `after` are from now on. Returns what it has had so far.
std::size_t span_needs(std::uintptr_t at, std::size_t before, std::size_t after) {
  const std::size_t had = std::size_t{1} << span_has[at / kReach];
  const std::size_t has = std::max(had, after);
  span_has[at / kReach] = static_cast<std::uint8_t>(__builtin_ctzll(has));
  spare += (has - after) - (had - before);
  return had;
}

// Under heap_lock. 0 if there is no span for it. *had: as above.
std::uintptr_t take_from_span(std::size_t bytes, std::size_t* had) {
  if (!GORO_GROWABLE_STACKS || bytes > kReach) return 0;
  if (bytes == kSmallestBlock && smallest == kMostSmallest) return 0;
  FreeBlock** list = warm_spans != nullptr ? &warm_spans : &cold_spans;
  FreeBlock* taken = *list;
  const bool fresh = taken == nullptr;
  if (!fresh) *list = taken->next;
  const std::uintptr_t hi = fresh ? carve_span() : reinterpret_cast<std::uintptr_t>(taken + 1);
  if (hi == 0) return 0;
  if (bytes == kSmallestBlock) ++smallest;
  *had = span_needs(hi - bytes, kSmallestBlock, bytes);
  if (fresh) *had = 0;
  return hi - bytes;
}

// Under heap_lock, which it leaves while it calls the kernel.
void give_to_span(std::uintptr_t at, std::size_t bytes) {
  const std::uintptr_t hi = at + bytes;
  if (bytes == kSmallestBlock) --smallest;
  const std::size_t had = span_needs(at, bytes, kSmallestBlock);
  const bool trim = had > kSmallestBlock && spare > kMaxSpare;
  if (trim) {
    spare -= had - kSmallestBlock;
    span_has[at / kReach] = kSmallestOrder;
    heap_lock.unlock();
    madvise(reinterpret_cast<void*>(hi - had), had - kSmallestBlock, MADV_DONTNEED);
    heap_lock.lock();
  }
  FreeBlock** list = had > kSmallestBlock && !trim ? &warm_spans : &cold_spans;
  FreeBlock* block = reinterpret_cast<FreeBlock*>(hi) - 1;
  block->next = *list;
  *list = block;
}

bool is_of_span(std::uintptr_t at) {
  return span_has[at / kReach] != 0;
}

// What is about to be written: one call costs less than a fault for each page. A kernel before 5.14
// refuses: then there are faults.
void populate(std::uintptr_t lo, std::uintptr_t hi) {
  lo &= ~(std::uintptr_t{kPhysPageSize} - 1);
  madvise(reinterpret_cast<void*>(lo), hi - lo, MADV_POPULATE_WRITE);
}

}  // namespace

std::uintptr_t page_heap_alloc(std::size_t bytes) {
  std::size_t had = 0;
  heap_lock.lock();
  std::uintptr_t at = take_from_span(bytes, &had);
  if (at == 0) at = take(bytes, &had);
  heap_lock.unlock();
  if (at == 0) at = map(bytes, kNoStackAcross);
  // It is for the copy of a stack that was half as large, and full.
  if (had < bytes / 2) populate(at + bytes / 2, at + bytes - had);
  sanitizer_fresh(reinterpret_cast<void*>(at), bytes);
  return at;
}

Stack page_heap_alloc_small(std::size_t bytes) {
  if (!GORO_GROWABLE_STACKS) {
    // Nobody moves, and the smallest stack is larger than what none may lie across.
    const std::uintptr_t at = page_heap_alloc(kStackCacheSize);
    return Stack{at, at + kStackCacheSize};
  }
  heap_lock.lock();
  const Stack stacks = carve_small(bytes);
  heap_lock.unlock();
  // Each gets its link at once: that touches most of the pages.
  populate(stacks.lo, stacks.hi);
  sanitizer_fresh(reinterpret_cast<void*>(stacks.lo), stacks.size());
  return stacks;
}

Stack take_gap() {
  heap_lock.lock();
  const Gap* gap = gaps;
  const Stack taken =
      gap == nullptr ? Stack{} : Stack{reinterpret_cast<std::uintptr_t>(gap), gap->end};
  if (gap != nullptr) gaps = gap->next;
  heap_lock.unlock();
  sanitizer_fresh(reinterpret_cast<void*>(taken.lo), taken.size());
  return taken;
}

bool page_heap_extend(std::uintptr_t at, std::size_t bytes, std::size_t to) {
  if (to > kReach) return false;
  std::size_t had = 0;
  heap_lock.lock();
  const bool possible = is_of_span(at);
  if (possible) {
    if (bytes == kSmallestBlock) --smallest;
    had = span_needs(at, bytes, to);
  }
  heap_lock.unlock();
  // It was full and grows downwards. How far it will get nobody knows: what it does not use of this
  // is at most as much as it has used, and at most kMostPopulated.
  if (possible && had < to) populate(at - std::min(bytes, kMostPopulated), at);
  return possible;
}

void page_heap_free(std::uintptr_t at, std::size_t bytes) {
  sanitizer_fresh(reinterpret_cast<void*>(at), sizeof(FreeBlock));  // for the list's link
  const int order = __builtin_ctzll(bytes);
  heap_lock.lock();
  const bool of_span = is_of_span(at);
  const bool keep = bytes < kLarge || free_count[order] < kMaxFreeLarge;
  if (of_span) {
    give_to_span(at, bytes);
  } else if (keep) {
    auto* block = reinterpret_cast<FreeBlock*>(at);
    block->next = free_blocks[order];
    free_blocks[order] = block;
    ++free_count[order];
  }
  heap_lock.unlock();
  if (of_span || keep) return;
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
    for (const std::uintptr_t arena : *arenas) {
      std::fill_n(&span_has[arena / kReach], kArena / kReach, 0);
      unmap_but_kept(arena, kArena);
    }
    delete arenas;
    arenas = nullptr;
  }
  arena_at = arena_end = block_at = block_end = 0;
  gaps = nullptr;
  smallest = 0;
  warm_spans = cold_spans = nullptr;
  reserved = spare = 0;
}

}  // namespace goro
