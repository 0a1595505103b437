// operator new and delete for goroutines on small stacks.
//
// malloc may need more room than a 2 KB stack has, and everything allocates. So on a goroutine's
// stack these hop to g0 for the call; elsewhere they are malloc and free. Under
// GORO_DEBUG=stackcheck=1 every block is also written down, for the search at a copy.
#include "contracts/constants.h"

#if GORO_GROWABLE_STACKS

#include <cstdlib>
#include <new>

#include "contracts/getg.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/stackcheck.h"
#include "frame/heap_blocks.h"
#include "goro/no_grow.h"

namespace goro {

namespace {

// Never inlined, and without a check: a function that calls foreign code asks for 16 KB of stack on
// entry, which costs a return that the processor mispredicts, and these two are only entered where
// there is room.
GORO_NO_GROW void* allocate_here(std::size_t size, std::size_t align, std::uintptr_t pc);
GORO_NO_GROW void free_here(void* at);

[[gnu::noinline]] void* allocate_here(std::size_t size, std::size_t align, std::uintptr_t pc) {
  if (size == 0) size = 1;
  void* at = nullptr;
  if (align <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
    at = std::malloc(size);
  } else {
    at = std::aligned_alloc(align, (size + align - 1) / align * align);
  }
  if (at != nullptr && stackcheck_enabled()) heap_blocks_add(at, size, pc);
  return at;
}

[[gnu::noinline]] void free_here(void* at) {
  if (at != nullptr && stackcheck_enabled()) heap_blocks_remove(at);
  std::free(at);
}

void* allocate(std::size_t size, std::size_t align, std::uintptr_t pc) {
  const G* gp = getg();
  if (gp == nullptr || !is_small_stack(gp->stack_kind)) return allocate_here(size, align, pc);
  void* at = nullptr;
  systemstack([&] { at = allocate_here(size, align, pc); });
  return at;
}

// Apart for the same reason.
[[gnu::noinline, gnu::cold]] void* try_harder(std::size_t size, std::size_t align,
                                              std::uintptr_t pc) {
  for (;;) {
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
    if (void* at = allocate(size, align, pc); at != nullptr) return at;
  }
}

void* allocate_or_throw(std::size_t size, std::size_t align, std::uintptr_t pc) {
  void* at = allocate(size, align, pc);
  return at != nullptr ? at : try_harder(size, align, pc);
}

void release(void* at) {
  const G* gp = getg();
  if (gp == nullptr || !is_small_stack(gp->stack_kind)) {
    free_here(at);
  } else {
    systemstack([&] { free_here(at); });
  }
}

}  // namespace

}  // namespace goro

#define GORO_CALLER reinterpret_cast<std::uintptr_t>(__builtin_return_address(0))

void* operator new(std::size_t size) {
  return goro::allocate_or_throw(size, 0, GORO_CALLER);
}
void* operator new[](std::size_t size) {
  return goro::allocate_or_throw(size, 0, GORO_CALLER);
}
void* operator new(std::size_t size, std::align_val_t align) {
  return goro::allocate_or_throw(size, static_cast<std::size_t>(align), GORO_CALLER);
}
void* operator new[](std::size_t size, std::align_val_t align) {
  return goro::allocate_or_throw(size, static_cast<std::size_t>(align), GORO_CALLER);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return goro::allocate(size, 0, GORO_CALLER);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return goro::allocate(size, 0, GORO_CALLER);
}
void* operator new(std::size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  return goro::allocate(size, static_cast<std::size_t>(align), GORO_CALLER);
}
void* operator new[](std::size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  return goro::allocate(size, static_cast<std::size_t>(align), GORO_CALLER);
}
void operator delete(void* at) noexcept {
  goro::release(at);
}
void operator delete[](void* at) noexcept {
  goro::release(at);
}
void operator delete(void* at, std::size_t) noexcept {
  goro::release(at);
}
void operator delete[](void* at, std::size_t) noexcept {
  goro::release(at);
}
void operator delete(void* at, std::align_val_t) noexcept {
  goro::release(at);
}
void operator delete[](void* at, std::align_val_t) noexcept {
  goro::release(at);
}
void operator delete(void* at, std::size_t, std::align_val_t) noexcept {
  goro::release(at);
}
void operator delete[](void* at, std::size_t, std::align_val_t) noexcept {
  goro::release(at);
}
void operator delete(void* at, const std::nothrow_t&) noexcept {
  goro::release(at);
}
void operator delete[](void* at, const std::nothrow_t&) noexcept {
  goro::release(at);
}

namespace goro {
// Referred to by run(), so that a linker takes this file out of the library with it.
int allocation_is_linked = 0;
}  // namespace goro

#else

namespace goro {
int allocation_is_linked = 0;
}

#endif
