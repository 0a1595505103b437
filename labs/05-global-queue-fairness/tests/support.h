// What the tests of this lab share: queues as lists of ids, and the rules of the game as a small
// simulation.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "contracts/constants.h"
#include "contracts/getg.h"
#include "contracts/model.h"
#include "testing/fake.h"
#include "testing/rings.h"
#include "testing/story.h"
#include "testing/whole_slices.h"

namespace goro::testing {

// Every order that this lab's tests expect is one of goroutines that nobody interrupts.
inline const WholeSlices whole_slices;

// `n` new goroutines in the GRQ, put there without the functions under test.
inline std::vector<G*> fill_global(FakeM& fake, int n) {
  std::vector<G*> gs;
  for (int i = 0; i < n; ++i) {
    gs.push_back(fake.g());
    sched.runq.push_back(gs.back());
  }
  sched.runqsize.store(sched.runqsize.load() + n);
  return gs;
}

// Makes "this M found nothing and sleeps" end the test at once, with the runtime's own words for
// it: this M is the only one, so nobody could wake it.
inline void sleeping_is_a_deadlock() {
  sched.mcount = 1;
  sched.foreign = 0;
}

// One P, played with numbers instead of goroutines.
class Rules {
 public:
  explicit Rules(std::uint32_t schedtick) : tick_(schedtick) {}

  struct Turn {
    int who;
    const char* why;
  };

  // A go statement, or a wake-up.
  void spawn(int who) {
    if (!runnext_) {
      runnext_ = who;
      return;
    }
    const int kicked_out = *runnext_;
    runnext_ = who;
    if (ring_.size() < kRunqSize) {
      ring_.push_back(kicked_out);
      return;
    }
    for (std::uint32_t i = 0; i < kRunqSize / 2; ++i) {
      global_.push_back(ring_.front());
      ring_.pop_front();
    }
    global_.push_back(kicked_out);
  }

  void yield(int who) { global_.push_back(who); }

  // [rules]
  Turn next() {
    if (tick_ % kGlobalQueueTick == 0 && !global_.empty()) {
      ++tick_;
      return {take(&global_), "the tick is a multiple of 61: the head of the GRQ"};
    }
    if (runnext_) {
      const int who = *runnext_;
      runnext_.reset();
      return {who, "it is in runnext, and goes on in the slice of whoever put it there"};
    }
    ++tick_;
    if (!ring_.empty()) return {take(&ring_), "it is the oldest in the ring"};
    // min(128, n, n / 1 + 1)
    const std::size_t n = std::min<std::size_t>(kRunqSize / 2, global_.size());
    const int who = take(&global_);
    for (std::size_t i = 1; i < n; ++i) ring_.push_back(take(&global_));
    return {who, "the ring is empty: the first of a batch from the GRQ"};
  }
  // [/rules]

 private:
  static int take(std::deque<int>* queue) {
    const int who = queue->front();
    queue->pop_front();
    return who;
  }

  std::uint32_t tick_;
  std::optional<int> runnext_;
  std::deque<int> ring_;
  std::deque<int> global_;
};

// "" if `seen` is what the rules say, else a sentence about the first difference.
inline std::string first_difference(const std::vector<Rules::Turn>& rules,
                                    const std::vector<int>& seen, std::uint32_t schedtick) {
  std::ostringstream text;
  for (std::size_t i = 0; i < rules.size() || i < seen.size(); ++i) {
    if (i < rules.size() && i < seen.size() && rules[i].who == seen[i]) continue;
    text << "with schedtick " << schedtick << " at the start, turn " << i << " of " << rules.size();
    if (i >= rules.size()) {
      text << " should not exist, but goroutine " << seen[i] << " ran again";
    } else {
      text << " belongs to goroutine " << rules[i].who << " (" << rules[i].why << "), but ";
      if (i < seen.size()) {
        text << "goroutine " << seen[i] << " ran";
      } else {
        text << "nobody ran";
      }
    }
    if (i > 0 && i <= seen.size()) text << "; goroutine " << seen[i - 1] << " ran before it";
    break;
  }
  return text.str();
}

// Runs attempt() until it returns "", at most a few times, and expects that it did. One processor
// and exact rules give one exact result; but a machine that stops this process for 10 ms in the
// middle can make a runtime with preemption stop a goroutine there, and then the order differs for
// once. A wrong rule is wrong every time.
template <typename Attempt>
void expect_exactly(Attempt attempt) {
  constexpr int kAttempts = 5;
  std::string wrong;
  for (int i = 0; i < kAttempts; ++i) {
    wrong = attempt();
    if (wrong.empty()) return;
  }
  ADD_FAILURE() << wrong;
}

}  // namespace goro::testing
