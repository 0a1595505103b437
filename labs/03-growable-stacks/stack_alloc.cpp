// Where stacks come from: a cache in each P, a pool for each size, the page heap.
// contracts/stack.h is the specification.
#include "contracts/not_implemented.h"
#include "contracts/services/fatal.h"
#include "contracts/services/page_heap.h"
#include "contracts/services/stackcheck.h"
#include "contracts/stack.h"

namespace goro {

namespace {

// Free stacks of one size that any P may take. The lock comes first in the order of locks that ends
// with the page heap's: page_heap_alloc may be called with it held.
struct alignas(kCacheLine) StackPool {
  RuntimeMutex lock;
  FreeStack* list = nullptr;
};

[[maybe_unused]] StackPool stackpool[kNumStackOrders];

// log2(bytes / kStackMin).
[[maybe_unused]] int order_of(std::size_t bytes) {
  return __builtin_ctzll(bytes) - __builtin_ctzll(kStackMin);
}

}  // namespace

// Step 1. While stackcheck_enabled(), stackcheck_alloc does it all.
Stack stackalloc(P* /*pp*/, std::size_t /*bytes*/) {
  GORO_NOT_IMPLEMENTED(3, 1);
}

// Step 1. While stackcheck_enabled(), stackcheck_free does it all.
void stackfree(P* /*pp*/, Stack /*stack*/) {
  GORO_NOT_IMPLEMENTED(3, 1);
}

// Step 2.
void stackcache_refill(P* /*pp*/, int /*order*/) {
  GORO_NOT_IMPLEMENTED(3, 2);
}

// Step 2.
void stackcache_release(P* /*pp*/, int /*order*/) {
  GORO_NOT_IMPLEMENTED(3, 2);
}

// Step 2.
void stackcache_clear(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(3, 2);
}

// Step 2.
void stackpool_reset() {
  GORO_NOT_IMPLEMENTED(3, 2);
}

}  // namespace goro
