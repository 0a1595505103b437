// The go statement.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace goro {

// A stack that starts at 2 KB, doubles when it is full, and moves. No address of a local may be
// kept in the heap or in another goroutine while the goroutine runs on one.
struct StackChoice {
  std::size_t fixed_bytes = 0;  // 0: growable
};
constexpr StackChoice growable() {
  return {};
}

// A stack of `bytes` (rounded up to pages) with a guard page, which never moves: for any C++ code.
constexpr StackChoice fixed_stack(std::size_t bytes) {
  return {bytes == 0 ? std::size_t{1} : bytes};
}

struct SpawnOptions {
  StackChoice stack = growable();
  // Do not inspect the closure for addresses of the spawner's locals.
  bool unchecked = false;
};

namespace detail {

// What go() hands to the runtime. Exactly one of the two ways to hold the closure is used.
struct SpawnRequest {
  void (*invoke)(void* object);  // calls the object, then destroys it
  const void* bytes;             // a trivially copyable closure, to be copied into the goroutine
  void* object;                  // else: from closure_alloc
  std::size_t size;
  SpawnOptions options;
};

inline constexpr std::size_t kSmallClosure = 48;

void spawn(const SpawnRequest& request);
void* closure_alloc(std::size_t size, std::size_t align);
void closure_free(void* object);

template <typename Fn>
void call_in_place(void* object) {
  auto* fn = static_cast<Fn*>(object);
  (*fn)();
}

template <typename Fn>
void call_and_destroy(void* object) {
  auto* fn = static_cast<Fn*>(object);
  struct Destroy {
    Fn* fn;
    ~Destroy() {
      fn->~Fn();
      closure_free(fn);
    }
  } destroy{fn};
  (*fn)();
}

}  // namespace detail

// Starts a goroutine that runs f(); f is moved there. It runs next on this P, unless another is
// started or woken first. Callable from a goroutine only (else Panic "go outside of goro::run"). On
// a growable stack, a closure that holds an address of the spawner's own stack ends the program
// with status 2 and a text that names the address and the remedies. Go: the go statement, newproc.
template <typename F>
void go(SpawnOptions options, F&& f) {
  using Fn = std::decay_t<F>;
  static_assert(std::is_invocable_v<Fn&>,
                "a goroutine's function takes no arguments: capture them");
  detail::SpawnRequest request{nullptr, nullptr, nullptr, sizeof(Fn), options};
  if constexpr (std::is_trivially_copyable_v<Fn> && sizeof(Fn) <= detail::kSmallClosure &&
                alignof(Fn) <= alignof(std::max_align_t)) {
    request.invoke = detail::call_in_place<Fn>;
    request.bytes = std::addressof(f);
    detail::spawn(request);
  } else {
    void* room = detail::closure_alloc(sizeof(Fn), alignof(Fn));
    try {
      new (room) Fn(std::forward<F>(f));
    } catch (...) {
      detail::closure_free(room);
      throw;
    }
    request.invoke = detail::call_and_destroy<Fn>;
    request.object = room;
    detail::spawn(request);
  }
}

template <typename F>
void go(F&& f) {
  go(SpawnOptions{}, std::forward<F>(f));
}

}  // namespace goro
