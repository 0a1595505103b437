// Where stacks come from: a cache in each P, a pool for each size, the page heap.
//
// Taking a stack from the cache is two loads and a store, without a lock; a goroutine that ends
// puts its stack there, and the next one to start gets it while it is still in the processor's
// cache. Cache and pool exchange half a cache at a time, so a P that only creates and a P that only
// finishes meet at the pool's lock once in eight stacks, not at every one.
//
// Pools never give spans back to the page heap: a stack that was free a moment ago is what the next
// burst needs. run() returns everything at its end.
#include "contracts/services/fatal.h"
#include "contracts/services/page_heap.h"
#include "contracts/services/stackcheck.h"
#include "contracts/stack.h"

namespace goro {

namespace {

struct alignas(kCacheLine) StackPool {
  RuntimeMutex lock;
  FreeStack* list = nullptr;
};

StackPool stackpool[kNumStackOrders];

// log2(bytes / kStackMin).
int order_of(std::size_t bytes) {
  return __builtin_ctzll(bytes) - __builtin_ctzll(kStackMin);
}

// Under the pool's lock.
FreeStack* pool_take(StackPool* pool, std::size_t bytes) {
  if (pool->list == nullptr) {
    const Stack span = page_heap_alloc_small(bytes);
    // Linked so that the lowest address is taken first: a span fills from one end.
    for (std::uintptr_t hi = span.hi; hi != span.lo; hi -= bytes) {
      auto* free_stack = reinterpret_cast<FreeStack*>(hi - bytes);
      free_stack->next = pool->list;
      pool->list = free_stack;
    }
  }
  FreeStack* taken = pool->list;
  pool->list = taken->next;
  return taken;
}

Stack as_stack(FreeStack* free_stack, std::size_t bytes) {
  const auto lo = reinterpret_cast<std::uintptr_t>(free_stack);
  return Stack{lo, lo + bytes};
}

}  // namespace

Stack stackalloc(P* pp, std::size_t bytes) {
  if (bytes < kStackMin || (bytes & (bytes - 1)) != 0) {
    fatal("stackalloc: size is not a power of two of at least the smallest stack");
  }
  if (stackcheck_enabled()) return stackcheck_alloc(bytes);
  const int order = order_of(bytes);
  if (order >= kNumStackOrders) {
    const std::uintptr_t lo = page_heap_alloc(bytes);
    return Stack{lo, lo + bytes};
  }
  if (pp == nullptr) {
    StackPool* pool = &stackpool[order];
    pool->lock.lock();
    FreeStack* taken = pool_take(pool, bytes);
    pool->lock.unlock();
    return as_stack(taken, bytes);
  }
  StackCacheEntry* cache = &pp->stackcache[order];
  if (cache->list == nullptr) stackcache_refill(pp, order);
  FreeStack* taken = cache->list;
  cache->list = taken->next;  // NOLINT(clang-analyzer-core.NullDereference): refill left some
  cache->bytes -= bytes;
  return as_stack(taken, bytes);
}

void stackfree(P* pp, Stack stack) {
  const std::size_t bytes = stack.size();
  if (stackcheck_enabled()) {
    stackcheck_free(stack);
    return;
  }
  const int order = order_of(bytes);
  if (order >= kNumStackOrders) {
    page_heap_free(stack.lo, bytes);
    return;
  }
  auto* freed = reinterpret_cast<FreeStack*>(stack.lo);
  if (pp == nullptr) {
    StackPool* pool = &stackpool[order];
    pool->lock.lock();
    freed->next = pool->list;
    pool->list = freed;
    pool->lock.unlock();
    return;
  }
  StackCacheEntry* cache = &pp->stackcache[order];
  freed->next = cache->list;
  cache->list = freed;
  cache->bytes += bytes;
  if (cache->bytes >= kStackCacheSize) stackcache_release(pp, order);
}

void stackcache_refill(P* pp, int order) {
  const std::size_t bytes = kStackMin << order;
  StackCacheEntry* cache = &pp->stackcache[order];
  StackPool* pool = &stackpool[order];
  FreeStack** end = &cache->list;
  pool->lock.lock();
  while (cache->bytes < kStackCacheSize / 2) {
    FreeStack* taken = pool_take(pool, bytes);
    taken->next = nullptr;
    *end = taken;
    end = &taken->next;
    cache->bytes += bytes;
  }
  pool->lock.unlock();
}

// [release]
static void release_down_to(P* pp, int order, std::size_t keep) {
  const std::size_t bytes = kStackMin << order;
  StackCacheEntry* cache = &pp->stackcache[order];
  StackPool* pool = &stackpool[order];
  pool->lock.lock();
  while (cache->bytes > keep) {
    FreeStack* released = cache->list;
    cache->list = released->next;
    cache->bytes -= bytes;
    released->next = pool->list;
    pool->list = released;
  }
  pool->lock.unlock();
}
// [/release]

void stackcache_release(P* pp, int order) {
  release_down_to(pp, order, kStackCacheSize / 2);
}

void stackcache_clear(P* pp) {
  for (int order = 0; order < kNumStackOrders; ++order) release_down_to(pp, order, 0);
}

void stackpool_reset() {
  for (StackPool& pool : stackpool) pool.list = nullptr;
}

}  // namespace goro
