// The go statement.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "goro/detail/pin.h"

namespace goro {

struct StackChoice {
  std::size_t fixed_bytes = 0;  // 0: growable, unless the environment says otherwise
};

namespace detail {
// Nobody has memory for so much.
inline constexpr std::size_t kChainedStack = ~std::size_t{0};
inline constexpr std::size_t kGrowableStack = kChainedStack - 1;
inline constexpr std::size_t kInsteadOfChained = std::size_t{256} << 10;
}  // namespace detail

// A stack that starts at 2 KB, doubles when it is full, and moves. While the goroutine runs on one,
// no address of a local may be kept in the heap, or get to another goroutine in another way than
// through go() or a channel; goro::pin_stack() is a scope in which that is allowed. Who asks for
// nothing gets one, but with GORO_DEBUG=chainedstacks=1 a chained one.
constexpr StackChoice growable() {
  return {detail::kGrowableStack};
}

// A stack of `bytes` (rounded up to pages) with a guard page, which never moves: for any C++ code.
constexpr StackChoice fixed_stack(std::size_t bytes) {
  if (bytes >= detail::kGrowableStack) bytes = detail::kGrowableStack - 1;
  return {bytes == 0 ? std::size_t{1} : bytes};
}

// A stack that starts at 2 KB and never moves, for any C++ code: a function for which there is too
// little room runs on a further segment, twice as large as the last one until they have 64 KB. A
// loop that calls such a function pays for that each time. On x86-64; on ARM64 and under the
// sanitizers it is fixed_stack(256 << 10).
constexpr StackChoice chained() {
  return {detail::kChainedStack};
}

struct SpawnOptions {
  StackChoice stack = StackChoice{};
  // Do not inspect the closure for addresses of the spawner's locals: what looks like one is none.
  bool unchecked = false;
};

namespace detail {

// What go() hands to the runtime: a closure that is in the heap, or one to be moved into the
// goroutine itself.
struct SpawnRequest {
  void (*invoke)(void* object);  // calls the object, then destroys it
  // Null: the closure is at `object`, from closure_alloc. Else constructs it at `to` from *object.
  void (*construct)(void* to, void* object);
  void* object;
  std::size_t size;
  SpawnOptions options;
};

inline constexpr std::size_t kSmallClosure = 48;

// Takes over a closure in the heap, unless it throws.
void spawn(const SpawnRequest& request);
void* closure_alloc(std::size_t size, std::size_t align);
void closure_free(void* object);

template <typename Fn>
void call_in_place(void* object) {
  auto* fn = static_cast<Fn*>(object);
  struct Destroy {
    Fn* fn;
    ~Destroy() { fn->~Fn(); }
  } destroy{fn};
  (*fn)();
}

template <typename Fn>
void call_in_heap(void* object) {
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

// A closure on its way into the heap: destroyed and freed unless a goroutine took it over.
template <typename Fn>
class HeapClosure {
 public:
  template <typename F>
  HeapClosure(std::in_place_t, F&& f) : room_(closure_alloc(sizeof(Fn), alignof(Fn))) {
    try {
      fn_ = new (room_) Fn(std::forward<F>(f));
    } catch (...) {
      closure_free(room_);
      throw;
    }
  }
  HeapClosure(const HeapClosure&) = delete;
  HeapClosure& operator=(const HeapClosure&) = delete;
  ~HeapClosure() {
    if (fn_ == nullptr) return;
    fn_->~Fn();
    closure_free(room_);
  }

  [[nodiscard]] void* get() const { return room_; }
  void release() { fn_ = nullptr; }

 private:
  void* room_;
  Fn* fn_ = nullptr;
};

}  // namespace detail

// Starts a goroutine that runs f(); f is moved there. It runs next on this P, unless another is
// started or woken first. Callable from a goroutine only (else Panic "go outside of goro::run").
//
// A closure that holds the address of a local pins the spawner's stack, if that is growable: until
// the local's function has returned, it grows as a chained() one does. On ARM64, such a closure
// ends the program with status 2 and a text that names the address and the remedies.
//
// Always inlined, so that what spawn returns to, and dumps show as "created by", is the program's.
// Go: the go statement, newproc.
template <typename F>
[[gnu::always_inline]] inline void go(SpawnOptions options, F&& f) {
  using Fn = std::decay_t<F>;
  static_assert(std::is_invocable_v<Fn&>,
                "a goroutine's function takes no arguments: capture them");
  if constexpr (std::is_nothrow_constructible_v<Fn, F&&> && sizeof(Fn) <= detail::kSmallClosure &&
                alignof(Fn) <= alignof(std::max_align_t)) {
    const auto construct = [](void* to, void* object) {
      new (to) Fn(static_cast<F&&>(*static_cast<std::remove_reference_t<F>*>(object)));
    };
    detail::spawn({detail::call_in_place<Fn>, construct,
                   const_cast<void*>(static_cast<const volatile void*>(std::addressof(f))),
                   sizeof(Fn), options});
  } else {
    if (!options.unchecked) detail::pin_locals_of(f);
    detail::HeapClosure<Fn> closure(std::in_place, std::forward<F>(f));
    detail::spawn({detail::call_in_heap<Fn>, nullptr, closure.get(), sizeof(Fn), options});
    closure.release();
  }
}

template <typename F>
[[gnu::always_inline]] inline void go(F&& f) {
  go(SpawnOptions{}, std::forward<F>(f));
}

}  // namespace goro
