// What the tests of this lab share, beside what tests of channels share: a thread that is dressed
// up as a running goroutine, and cases that are made by hand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "contracts/select.h"
#include "goro/select.h"
#include "testing/channels.h"
#include "testing/whole_slices.h"
#if GORO_SIMULATE
#include "testing/simulate.h"
#endif

namespace goro::testing {

// While it lives, the M that this thread is dressed up as runs a goroutine, on this thread's stack.
// It must not wait. The M's g0 has a stack of its own meanwhile, for what goes there for a moment.
class AsGoroutine {
 public:
  AsGoroutine() : g0_(getg()) {
#if GORO_SIMULATE
    const sim::Undisturbed quiet;
#endif
    M* mp = g0_->m;
    gp_.m = mp;
    gp_.goid = 99;
    gp_.sched.g = &gp_;
    gp_.stack_kind = StackKind::fixed;
    gp_.atomicstatus.store(static_cast<std::uint32_t>(GStatus::running));
    mp->curg.store(&gp_);
    const auto top = reinterpret_cast<std::uintptr_t>(system_stack_.get()) + kSystemStack;
    g0_->sched.sp = top & ~std::uintptr_t{15};
    goro_tls_g = &gp_;
  }
  AsGoroutine(const AsGoroutine&) = delete;
  AsGoroutine& operator=(const AsGoroutine&) = delete;
  ~AsGoroutine() {
#if GORO_SIMULATE
    const sim::Undisturbed quiet;
#endif
    g0_->m->curg.store(nullptr);
    g0_->sched.sp = 0;
    goro_tls_g = g0_;
  }

 private:
  static constexpr std::size_t kSystemStack = std::size_t{1} << 18;

  G* g0_;
  G gp_;
  std::unique_ptr<std::byte[]> system_stack_{new std::byte[kSystemStack]};
};

// An M with P 0 that runs a goroutine.
struct FakeGoroutine {
  explicit FakeGoroutine(int procs = 1) : fake(procs) {}
  FakeM fake;
  AsGoroutine running;
};

// The cases of a select, and the orders that selectgo made of them.
class Cases {
 public:
  template <typename T>
  Cases& receive(const Chan<T>& c, void* place) {
    return add({c.get(), place, false});
  }
  template <typename T>
  Cases& send(const Chan<T>& c, T* value) {
    return add({c.get(), value, true});
  }
  Cases& nil_receive(void* place) { return add({nullptr, place, false}); }
  Cases& nil_send(void* value) { return add({nullptr, value, true}); }
  Cases& add(const Scase& scase) {
    cases_.push_back(scase);
    if (scase.c != nullptr) ++channels_;
    return *this;
  }

  SelectResult select(bool block) {
    order_.assign(2 * cases_.size(), kUnwritten);
    return selectgo(cases_.data(), order_.data(), static_cast<int>(cases_.size()), block);
  }
  SelectResult try_select() { return select(false); }

  // Of the last select: the cases with a channel.
  [[nodiscard]] std::vector<int> poll_order() const { return part(0); }
  [[nodiscard]] std::vector<int> lock_order() const { return part(cases_.size()); }
  [[nodiscard]] std::uintptr_t address(int i) const {
    return reinterpret_cast<std::uintptr_t>(cases_[static_cast<std::size_t>(i)].c);
  }

 private:
  static constexpr std::uint16_t kUnwritten = 0xEEEE;

  [[nodiscard]] std::vector<int> part(std::size_t from) const {
    const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(from);
    return {begin, begin + channels_};
  }

  std::vector<Scase> cases_;
  std::vector<std::uint16_t> order_;
  int channels_ = 0;
};

// A list of numbers, for a reader.
inline std::string shown(const std::vector<int>& numbers) {
  std::string text;
  for (const int n : numbers) text += (text.empty() ? "" : " ") + std::to_string(n);
  return text;
}

// -- a goroutine that selects, at one P --

struct Selecting {
  Cases cases;
  bool ended = false;
  SelectResult result{-2, false};
  std::string panic = "no panic";

  // By the goroutine.
  void run() {
    try {
      result = cases.select(true);
    } catch (const Panic& p) {
      panic = p.what();
    }
    ended = true;
  }
};

// Whoever is runnable runs. More than one yield: now and then the global queue, where we are, comes
// first.
inline void let_others_run() {
  for (int i = 0; i < 4; ++i) yield();
}

// On one P, whose goroutines are never asked to give way.
template <typename F>
void at_one_p(F f) {
  const WholeSlices whole_slices;
  goro::run(f, {.procs = 1});
}

inline int waiters_in(const Waitq& q) {
  int n = 0;
  for (const Sudog* s = q.first.load(); s != nullptr; s = s->next) ++n;
  return n;
}

// Ends this process, and not only a child of it, if there is no selectgo yet.
inline void needs_selectgo() {
  const FakeGoroutine goroutine;
  const Chan<int> a;
  const Chan<int> b;
  int places[2] = {};
  Cases().receive(a, &places[0]).receive(b, &places[1]).try_select();
}

}  // namespace goro::testing
