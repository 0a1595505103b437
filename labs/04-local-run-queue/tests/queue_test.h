// What this lab's tests share: looking into a queue, and a thief.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "contracts/constants.h"
#include "contracts/model.h"
#include "contracts/run_queue.h"
#include "contracts/scheduler.h"
#include "testing/fake.h"
#include "testing/story.h"

namespace goro::testing {

using Ids = std::vector<std::uint64_t>;

// first, first + 1 … last.
inline Ids range(std::uint64_t first, std::uint64_t last) {
  Ids ids;
  for (std::uint64_t id = first; id <= last; ++id) ids.push_back(id);
  return ids;
}

inline Ids operator+(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// "G1..G128, G257": short enough to compare by eye.
inline std::string show(const Ids& ids) {
  if (ids.empty()) return "nothing";
  std::string text;
  for (std::size_t i = 0; i < ids.size();) {
    std::size_t end = i + 1;
    while (end < ids.size() && ids[end] == ids[end - 1] + 1) ++end;
    if (!text.empty()) text += ", ";
    text += "G" + std::to_string(ids[i]);
    if (end - i > 1) text += (end - i > 2 ? "..G" : ", G") + std::to_string(ids[end - 1]);
    i = end;
  }
  return text;
}

inline std::string name(const G* gp) {
  return gp == nullptr ? "null" : "G" + std::to_string(gp->goid);
}

inline std::uint32_t head_of(const P* pp) {
  return pp->runqhead.load();
}
inline std::uint32_t tail_of(const P* pp) {
  return pp->runqtail.load();
}
inline std::uint32_t length(const P* pp) {
  return tail_of(pp) - head_of(pp);
}

// The ring from head to tail. A slot that holds no goroutine shows as G0.
inline Ids ring(const P* pp) {
  Ids ids;
  if (length(pp) > kRunqSize) {
    ADD_FAILURE() << "the ring's tail is " << length(pp) << " slots ahead of its head; it has only "
                  << kRunqSize;
    return ids;
  }
  for (std::uint32_t i = head_of(pp); i != tail_of(pp); ++i) {
    const G* gp = pp->runq[i % kRunqSize].load();
    ids.push_back(gp == nullptr ? 0 : gp->goid);
  }
  return ids;
}

// An empty queue whose indices stand at `at`.
inline void clear(P* pp, std::uint32_t at = 0) {
  pp->runqhead.store(at);
  pp->runqtail.store(at);
  pp->runnext.store(nullptr);
}

// n runnable goroutines, G1 … Gn on a fresh FakeM.
inline std::vector<G*> goroutines(FakeM* m, std::size_t n) {
  std::vector<G*> gs;
  for (std::size_t i = 0; i < n; ++i) gs.push_back(m->g());
  return gs;
}

inline void put_all(P* pp, const std::vector<G*>& gs, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) runq_put(pp, gs[i], false);
}

// Takes everything with runq_get, and gives up when more comes than was ever put in.
inline Ids get_all(P* pp, std::size_t at_most = 10'000) {
  Ids ids;
  bool inherit = false;
  while (G* gp = runq_get(pp, &inherit)) {
    ids.push_back(gp->goid);
    if (ids.size() > at_most) {
      ADD_FAILURE() << "runq_get keeps returning goroutines: the queue never gets empty";
      break;
    }
  }
  return ids;
}

// -- thieves: what another P's M does to this queue --

// The n-th part of the ring (1: all, 2: half, rounded up), at most `most`; where they go, and how
// many.
inline std::uint32_t steal(P* victim, std::uint32_t part, std::uint32_t most, G** into) {
  for (;;) {
    std::uint32_t head = victim->runqhead.load(std::memory_order_acquire);
    const std::uint32_t tail = victim->runqtail.load(std::memory_order_acquire);
    std::uint32_t n = tail - head;
    if (n > kRunqSize) continue;  // head and tail are not of one moment
    n = (n + part - 1) / part;
    if (n > most) n = most;
    if (n == 0) return 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      into[i] = victim->runq[(head + i) % kRunqSize].load(std::memory_order_relaxed);
    }
    if (victim->runqhead.compare_exchange_strong(head, head + n, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
      return n;
    }
  }
}

inline G* steal_oldest(P* victim) {
  G* gp = nullptr;
  // A try that lost the race for the head has left what it read in gp.
  return steal(victim, 1, 1, &gp) == 1 ? gp : nullptr;
}

inline G* steal_runnext(P* victim) {
  G* next = victim->runnext.load(std::memory_order_relaxed);
  if (next == nullptr || !victim->runnext.compare_exchange_strong(next, nullptr)) return nullptr;
  return next;
}

// -- random values --

// xorshift: the same numbers everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_((seed * 0x9e3779b97f4a7c15U) | 1) {}
  std::uint32_t below(std::uint32_t n) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::uint32_t>(state_ >> 32) % n;
  }

 private:
  std::uint64_t state_;
};

}  // namespace goro::testing
