// Every G of this run, in slabs: gaps between stacks while there are some, else pages of their own.
#include "contracts/services/allgs.h"

#include <sys/mman.h>

#include <new>

#include "contracts/services/fatal.h"
#include "contracts/services/sanitizer.h"
#include "frame/gaps.h"
#include "frame/kept_pages.h"

namespace goro {

namespace {

constexpr std::size_t kSlabBytes = std::size_t{256} << 10;

struct Slab {
  explicit Slab(Stack range, bool gap)
      : room(static_cast<std::uint32_t>((range.size() - kCacheLine) / sizeof(G))), is_gap(gap) {}

  atomic<Slab*> next{nullptr};
  atomic<std::uint32_t> used{0};
  const std::uint32_t room;
  const bool is_gap;  // it goes with the stacks
  G* gs() { return reinterpret_cast<G*>(reinterpret_cast<std::byte*>(this) + kCacheLine); }
};
static_assert(sizeof(Slab) <= kCacheLine);
RuntimeMutex slab_lock;  // taken before the page heap's
atomic<Slab*> first_slab{nullptr};
Slab* last_slab = nullptr;

// Under slab_lock. Null: out of memory.
Slab* next_slab() {
  if (const Stack gap = take_gap(); gap.lo != 0) {
    return new (reinterpret_cast<void*>(gap.lo)) Slab(gap, true);
  }
  void* mapped =
      mmap(nullptr, kSlabBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  sanitizer_fresh(mapped, kSlabBytes);
  const auto lo = reinterpret_cast<std::uintptr_t>(mapped);
  return new (mapped) Slab(Stack{lo, lo + kSlabBytes}, false);
}

}  // namespace

G* g_alloc() {
  slab_lock.lock();
  Slab* slab = last_slab;
  if (slab == nullptr || slab->used.load(std::memory_order_relaxed) == slab->room) {
    slab = next_slab();
    if (slab == nullptr) {
      slab_lock.unlock();
      fatal("out of memory (goroutine)");
    }
    if (last_slab == nullptr) {
      first_slab.store(slab, std::memory_order_release);
    } else {
      last_slab->next.store(slab, std::memory_order_release);
    }
    last_slab = slab;
  }
  const std::uint32_t index = slab->used.load(std::memory_order_relaxed);
  G* gp = new (&slab->gs()[index]) G;
  // release: a dump that counts this G sees it constructed.
  slab->used.store(index + 1, std::memory_order_release);
  slab_lock.unlock();
  return gp;
}

void for_each_g(void (*visit)(G* gp, void* arg), void* arg) {
  for (Slab* slab = first_slab.load(std::memory_order_acquire); slab != nullptr;
       slab = slab->next.load(std::memory_order_acquire)) {
    const std::uint32_t used = slab->used.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < used; ++i) {
      G* gp = &slab->gs()[i];
      if (gp->atomicstatus.load(std::memory_order_acquire) !=
          static_cast<std::uint32_t>(GStatus::idle)) {
        visit(gp, arg);
      }
    }
  }
}

void allgs_reset() {
  // Nobody may find a slab that is gone, not even whoever tells a story of what happens here.
  Slab* slab = first_slab.exchange(nullptr, std::memory_order_relaxed);
  while (slab != nullptr) {
    Slab* next = slab->next.load(std::memory_order_relaxed);
    if (!slab->is_gap) unmap_but_kept(reinterpret_cast<std::uintptr_t>(slab), kSlabBytes);
    slab = next;
  }
  last_slab = nullptr;
}

}  // namespace goro
