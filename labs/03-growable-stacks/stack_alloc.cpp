// Where stacks come from: a cache in each P, a pool for each size, the page heap.
// contracts/stack.h is the specification.
#include "contracts/not_implemented.h"
#include "contracts/services/fatal.h"
#include "contracts/services/page_heap.h"
#include "contracts/services/stackcheck.h"
#include "contracts/stack.h"

namespace goro {

Stack stackalloc(P* /*pp*/, std::size_t /*bytes*/) {
  GORO_NOT_IMPLEMENTED(3, 1);
}

void stackfree(P* /*pp*/, Stack /*stack*/) {
  GORO_NOT_IMPLEMENTED(3, 1);
}

void stackcache_refill(P* /*pp*/, int /*order*/) {
  GORO_NOT_IMPLEMENTED(3, 2);
}

void stackcache_release(P* /*pp*/, int /*order*/) {
  GORO_NOT_IMPLEMENTED(3, 2);
}

void stackcache_clear(P* /*pp*/) {
  GORO_NOT_IMPLEMENTED(3, 2);
}

void stackpool_reset() {
  GORO_NOT_IMPLEMENTED(3, 2);
}

}  // namespace goro
