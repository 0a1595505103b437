#include "contracts/services/stackcheck.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "contracts/services/fatal.h"
#include "frame/dump.h"
#include "frame/end.h"
#include "frame/heap_blocks.h"

namespace goro {

namespace {

std::size_t pages(std::size_t bytes) {
  return (bytes + kPhysPageSize - 1) & ~(kPhysPageSize - 1);
}

// std::malloc's nodes, so that the table is not in itself.
template <typename T>
struct PlainAllocator {
  using value_type = T;
  PlainAllocator() = default;
  template <typename U>
  explicit PlainAllocator(const PlainAllocator<U>&) {}
  T* allocate(std::size_t n) {
    void* at = std::malloc(n * sizeof(T));
    if (at == nullptr) fatal("out of memory (stackcheck)");
    return static_cast<T*>(at);
  }
  void deallocate(T* at, std::size_t) { std::free(at); }
  template <typename U>
  bool operator==(const PlainAllocator<U>&) const {
    return true;
  }
};

using Blocks = std::map<std::uintptr_t, HeapBlock, std::less<>,
                        PlainAllocator<std::pair<const std::uintptr_t, HeapBlock>>>;

struct Heap {
  std::mutex lock;
  Blocks blocks;
};

Heap& heap() {
  // Never destroyed: operator delete is called until the very end of the process.
  alignas(Heap) static std::byte room[sizeof(Heap)];
  static Heap* instance = new (room) Heap;
  return *instance;
}

}  // namespace

void heap_blocks_add(void* at, std::size_t size, std::uintptr_t pc) {
  std::memset(at, 0, size);
  const std::lock_guard guard(heap().lock);
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  heap().blocks[address] = HeapBlock{address, size, pc};
}

void heap_blocks_remove(void* at) {
  const std::lock_guard guard(heap().lock);
  heap().blocks.erase(reinterpret_cast<std::uintptr_t>(at));
}

HeapBlock heap_blocks_find(std::uintptr_t lo, std::uintptr_t hi, std::uintptr_t* word) {
  const std::lock_guard guard(heap().lock);
  for (const auto& [address, block] : heap().blocks) {
    for (std::size_t i = 0; i + sizeof(std::uintptr_t) <= block.size; i += sizeof(std::uintptr_t)) {
      std::memcpy(word, reinterpret_cast<const void*>(address + i), sizeof(*word));
      if (*word >= lo && *word < hi) return block;
    }
  }
  return HeapBlock{};
}

Stack stackcheck_alloc(std::size_t bytes) {
  // At least one page more, which stays unreadable: what runs over the end of the stack stops
  // there. And enough of them that the stack need not lie across a multiple of kNoStackAcross.
  const std::size_t align = std::min(pages(bytes), kNoStackAcross);
  void* at = mmap(nullptr, align + pages(bytes), PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  const std::uintptr_t lo = (reinterpret_cast<std::uintptr_t>(at) + align) & ~(align - 1);
  if (at == MAP_FAILED ||
      mprotect(reinterpret_cast<void*>(lo), pages(bytes), PROT_READ | PROT_WRITE) != 0) {
    fatal("out of memory (stack)");
  }
  return Stack{lo, lo + bytes};
}

void stackcheck_free(Stack stack) {
  // Unreadable, and its memory given back; the addresses are never used again.
  void* at = mmap(reinterpret_cast<void*>(stack.lo), pages(stack.size()), PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) fatal("out of memory (stackcheck)");
}

void stackcheck_stack_moved(const G* gp, Stack old) {
  if (!stackcheck_enabled()) return;
  // An M keeps the argument of the last gopark on it, which may be a local of a goroutine that has
  // gone on since. It is not the program's, and nobody looks at it again.
  sched.lock.lock();
  for (M* mp = allm; mp != nullptr; mp = mp->alllink) heap_blocks_remove(mp);
  sched.lock.unlock();
  std::uintptr_t word = 0;
  // Of the part that was in use: what lies below may have been sent while its function ran.
  const std::size_t used = gp->stack.hi - gp->sched.sp;
  const HeapBlock block = heap_blocks_find(old.hi - used, old.hi, &word);
  if (block.size == 0) return;
  std::string text;
  {
    TextSink out(&text);
    out.put("fatal error: stackcheck: the heap block ").hex(block.at).put(" of ");
    out.number(block.size)
        .put(" bytes holds ")
        .hex(word)
        .put(", the address of a local of goroutine ");
    out.number(gp->goid).put(" on a stack that has just moved; the block was allocated at ");
    print_symbol(&out, block.pc);
  }
  // One line: where the symbol's file starts a second one.
  while (text.back() == '\n') text.pop_back();
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  text += "; start the goroutine with SpawnOptions{.stack = goro::chained()}";
  if (GORO_CHAINED_STACKS) text += ", or hold a goro::pin_stack() while the address is kept";
  stop_with(text.c_str());
}

}  // namespace goro
