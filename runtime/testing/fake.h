// A thread dressed up as an M, for testing one slot without a scheduler.
//
// While a FakeM lives, this thread is an M on its g0, with P `p()`: contract functions that want
// "on g0, with a P" can be called one by one. Goroutines from g() are real Gs without a stack;
// `status` is set as if they had got there by legal moves. Nobody counts as a deadlock
// (sched.foreign): the test's own threads may wake whoever sleeps. Everything is given back when
// the FakeM dies.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "contracts/model.h"

namespace goro::testing {

class FakeM {
 public:
  // `procs` Ps exist (allp, sched.gomaxprocs); this M holds P 0. The GRQ is empty.
  explicit FakeM(int procs = 1);
  ~FakeM();
  FakeM(const FakeM&) = delete;
  FakeM& operator=(const FakeM&) = delete;

  [[nodiscard]] M* m() { return &m_; }
  [[nodiscard]] P* p(int i = 0) { return allp[static_cast<std::size_t>(i)]; }

  // A new G; ids count up from 1.
  G* g(GStatus status = GStatus::runnable);

  // The ids in the GRQ, head first; empties it.
  std::vector<std::uint64_t> drain_global();

 private:
  M m_;
  G* outer_ = nullptr;
  ExceptionState exceptions_;
  std::deque<G> gs_;
};

// Another thread that acts as an M in the same scheduler while the first FakeM lives (a thief,
// say).
class FakeThread {
 public:
  explicit FakeThread(P* pp);
  ~FakeThread();
  FakeThread(const FakeThread&) = delete;
  FakeThread& operator=(const FakeThread&) = delete;

 private:
  M m_;
  G* outer_ = nullptr;
  ExceptionState exceptions_;
};

}  // namespace goro::testing
