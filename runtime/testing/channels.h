// Channels that can be looked into, goroutines that wait in their queues without ever having run,
// and elements that watch how they are moved: for tests of channels and of select.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "contracts/channel.h"
#include "contracts/getg.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/fake.h"
#include "testing/panic_of.h"
#include "testing/story.h"
#if GORO_SIMULATE
#include "testing/simulate.h"
#endif

namespace goro::testing {

inline std::uint32_t status_of(const G* gp) {
  return gp->atomicstatus.load();
}

// -- queues, read and written without the functions under test --

inline void link_last(Waitq* q, Sudog* s) {
  s->next = nullptr;
  s->prev = q->last;
  if (q->last != nullptr) {
    q->last->next = s;
  } else {
    q->first.store(s);
  }
  q->last = s;
}

inline void forget_all(Waitq* q) {
  q->first.store(nullptr);
  q->last = nullptr;
}

// -- a channel --

// Where a receiver wants its value.
template <typename T>
using PlaceOf = std::conditional_t<detail::kTrivialElement<T>, T, std::optional<T>>;

template <typename T>
struct Got {
  bool selected = false;
  bool received = false;
  std::optional<T> value;
};

template <typename T>
class Chan {
 public:
  explicit Chan(std::size_t capacity = 0) : c_(makechan(&detail::kElementType<T>, capacity)) {}
  Chan(const Chan&) = delete;
  Chan& operator=(const Chan&) = delete;
  ~Chan() {
    // Who waits here is not alive any more.
    forget_all(&c_->recvq);
    forget_all(&c_->sendq);
    detail::chanfree(c_);
  }

  [[nodiscard]] Hchan* get() const { return c_; }
  Hchan* operator->() const { return c_; }

  bool try_send(T& value) const { return chansend(c_, std::addressof(value), false); }
  bool try_send(T&& value) const { return chansend(c_, std::addressof(value), false); }
  Got<T> try_receive() const {
    detail::Place<T> place;
    const ReceiveResult result = chanrecv(c_, place.get(), false);
    return {result.selected, result.received, place.take(result.received)};
  }
  // The value; -1 if there was none.
  [[nodiscard]] int next() const { return try_receive().value.value_or(-1); }

  // As closechan does it, if nobody waits.
  void mark_closed() const { c_->closed.store(true); }

 private:
  Hchan* c_;
};

// Whoever returns from an operation has given back what it took.
inline void expect_let_go(Hchan* c, const char* after) {
  const bool lock_is_free = c->lock.try_lock();
  EXPECT_TRUE(lock_is_free) << "after " << after << ": c->lock must be released";
  if (lock_is_free) c->lock.unlock();
  EXPECT_EQ(getm()->locks, 0) << "after " << after
                              << ": acquirem and releasem must come in pairs, on every way out";
}

// -- goroutines that wait --

struct Waits {
  Waits(G* gp, Hchan* c, Waitq* q, void* elem) : g(gp) {
    sg.g = gp;
    sg.c = c;
    sg.elem = elem;
    if (q != nullptr) link_last(q, &sg);
  }
  Waits(const Waits&) = delete;
  Waits& operator=(const Waits&) = delete;

  [[nodiscard]] bool woken() const {
    return status_of(g) == static_cast<std::uint32_t>(GStatus::runnable);
  }
  // It will find its sudog in param: it was served, or the channel was closed.
  [[nodiscard]] bool finds_its_sudog() const { return g->param == &sg; }

  G* g;
  mutable Sudog sg;  // others write to it
};

// In recvq, with an empty place.
template <typename T>
struct Receiver : Waits {
  Receiver(FakeM& fake, const Chan<T>& c) : Receiver(fake.g(GStatus::waiting), c) {}
  Receiver(G* gp, const Chan<T>& c) : Waits(gp, c.get(), &c->recvq, &place) {}
  mutable PlaceOf<T> place{};
};

// In sendq, with a value.
template <typename T>
struct Sender : Waits {
  Sender(FakeM& fake, const Chan<T>& c, T v)
      : Waits(fake.g(GStatus::waiting), c.get(), &c->sendq, &value), value(std::move(v)) {}
  mutable T value;
};

#if GORO_SIMULATE
// -- names for stories --

inline void name_words(const Hchan* c, const std::string& name) {
  sim::name(&c->lock, sizeof(c->lock), (name + ".lock").c_str());
  sim::name(&c->closed, sizeof(c->closed), (name + ".closed").c_str());
  sim::name(&c->qcount, sizeof(c->qcount), (name + ".qcount").c_str());
  sim::name(&c->recvq.first, sizeof(c->recvq.first), (name + ".recvq.first").c_str());
  sim::name(&c->sendq.first, sizeof(c->sendq.first), (name + ".sendq.first").c_str());
}

// A channel with `values` 1, 2 … in its buffer.
class Named : public Chan<int> {
 public:
  explicit Named(const char* name, std::size_t capacity = 0, int values = 0) : Chan<int>(capacity) {
    const sim::Undisturbed quiet;
    name_words(get(), name);
    for (int i = 1; i <= values; ++i) try_send(int{i});
  }
};
#endif

// -- elements --

// Its move throws when it is told to, and knows how many there are.
struct Fragile {
  static inline std::atomic<int> alive{0};
  static inline std::atomic<int> throw_in{0};  // the how-manieth move from now throws
  int value;
  bool moved_from = false;

  explicit Fragile(int v) : value(v) { ++alive; }
  // NOLINTNEXTLINE(performance-noexcept-move-constructor): it throws
  Fragile(Fragile&& other) : value(other.value) {
    if (throw_in > 0 && --throw_in == 0) throw std::runtime_error("a move failed");
    other.moved_from = true;
    ++alive;
  }
  Fragile& operator=(Fragile&&) = delete;
  ~Fragile() { --alive; }
};

// Runs f; the `nth` move in it throws. What came out of f.
template <typename F>
std::string failure_of(int nth, F&& f) {
  Fragile::throw_in = nth;
  std::string text = "nothing was thrown";
  try {
    f();
  } catch (const std::runtime_error& error) {
    text = error.what();
  }
  Fragile::throw_in = 0;
  return text;
}

// -- at one P --

// Starts f, and returns when it waits or has ended.
template <typename F>
void start(F f) {
  auto runs = std::make_shared<bool>(false);
  go({.stack = fixed_stack(std::size_t{1} << 16)}, [runs, f = std::move(f)] {
    *runs = true;
    f();
  });
  while (!*runs) yield();
}

// Starts waiters 1 to n, one after the other, each parked when the next one starts; then calls
// `wake`. Who went on, in order.
inline std::vector<int> order_of_waking(int n, const std::function<void(int)>& wait,
                                        const std::function<void()>& wake) {
  std::vector<int> order;
  goro::run(
      [&] {
        for (int i = 1; i <= n; ++i) {
          start([&, i] {
            wait(i);
            order.push_back(i);
          });
        }
        wake();
        // Whoever is runnable runs within one yield; two, for those that these wake.
        yield();
        yield();
      },
      {.procs = 1});
  return order;
}

}  // namespace goro::testing
