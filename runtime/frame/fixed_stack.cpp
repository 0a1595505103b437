#include "frame/fixed_stack.h"

#include <sys/mman.h>

#include "contracts/services/sanitizer.h"

namespace goro {

namespace {

constexpr std::size_t kMost = std::size_t{1} << 40;

// Making a guarded stack takes two system calls and its first use a page fault, so a few of the
// size used last are kept.
struct Cache {
  RuntimeMutex lock;
  static constexpr int kKept = 16;
  Stack kept[kKept];
  int count = 0;
};
Cache cache;

void unmap(Stack stack) {
  sanitizer_fresh(reinterpret_cast<void*>(stack.lo), stack.size());
  munmap(reinterpret_cast<void*>(stack.lo - kPhysPageSize), stack.size() + kPhysPageSize);
}

}  // namespace

Stack fixed_stack_alloc(std::size_t bytes) {
  if (bytes > kMost) return Stack{};
  // Room for what a check keeps free below the guard, so that a caller gets what it asked for.
  bytes = (bytes + kStackGuard + kPhysPageSize - 1) & ~(kPhysPageSize - 1);
  cache.lock.lock();
  for (int i = cache.count - 1; i >= 0; --i) {
    if (cache.kept[i].size() != bytes) continue;
    const Stack stack = cache.kept[i];
    cache.kept[i] = cache.kept[--cache.count];
    cache.lock.unlock();
    sanitizer_fresh(reinterpret_cast<void*>(stack.lo), stack.size());
    return stack;
  }
  cache.lock.unlock();
  void* at = mmap(nullptr, bytes + kPhysPageSize, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (at == MAP_FAILED) return Stack{};
  if (mprotect(at, kPhysPageSize, PROT_NONE) != 0) {
    munmap(at, bytes + kPhysPageSize);
    return Stack{};
  }
  sanitizer_fresh(at, bytes + kPhysPageSize);
  const std::uintptr_t lo = reinterpret_cast<std::uintptr_t>(at) + kPhysPageSize;
  return Stack{lo, lo + bytes};
}

void fixed_stack_free(Stack stack) {
  cache.lock.lock();
  const bool keep = cache.count < Cache::kKept;
  if (keep) cache.kept[cache.count++] = stack;
  cache.lock.unlock();
  if (!keep) unmap(stack);
}

bool in_guard_page(const G* gp, std::uintptr_t address) {
  return gp->stack_kind == StackKind::fixed && address >= gp->stack.lo - kPhysPageSize &&
         address < gp->stack.lo;
}

void fixed_stack_reset() {
  for (int i = 0; i < cache.count; ++i) unmap(cache.kept[i]);
  cache.count = 0;
}

}  // namespace goro
