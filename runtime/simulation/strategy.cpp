#include "simulation/strategy.h"

#include <algorithm>

namespace goro::sim {

namespace {

constexpr std::uint64_t kMostChanges = 4;
constexpr std::int64_t kPriorities = std::int64_t{1} << 40;

}  // namespace

Strategy::Strategy(const Plan& plan)
    : kind_(plan.switches != nullptr ? Kind::replay
            : plan.seed == 0         ? Kind::none
            : plan.seed % 2 == 0     ? Kind::coin
                                     : Kind::priorities),
      random_(plan.seed),
      switches_(plan.switches) {
  if (kind_ == Kind::replay) {
    for (std::uint32_t i = 0; i < switches_->count; ++i) {
      const Switch& at = switches_->switches[i];
      if (by_thread_.size() <= at.thread) by_thread_.resize(at.thread + std::size_t{1});
      by_thread_[at.thread].push_back(at);
    }
    for (auto& list : by_thread_) {
      std::sort(list.begin(), list.end(),
                [](const Switch& a, const Switch& b) { return a.step < b.step; });
    }
  } else if (kind_ == Kind::coin) {
    coin_ = UINT64_MAX >> (1 + random_.below(6));  // 1/2 … 1/64
  } else if (kind_ == Kind::priorities) {
    const std::uint64_t steps = std::max<std::uint64_t>(plan.expected_steps, 1);
    for (std::uint64_t n = 1 + random_.below(kMostChanges); n-- > 0;) {
      changes_.push_back(random_.below(steps));
    }
    std::sort(changes_.rbegin(), changes_.rend());
    pass_change();
  }
}

void Strategy::pass_change() {
  next_change_ = UINT64_MAX;
  if (changes_.empty()) return;
  next_change_ = changes_.back();
  changes_.pop_back();
}

void Strategy::started(std::uint16_t thread) {
  if (kind_ != Kind::priorities) return;
  if (priorities_.size() <= thread) priorities_.resize(thread + std::size_t{1});
  priorities_[thread] = static_cast<std::int64_t>(random_.below(kPriorities));
  reconsider_ = true;
}

const Switch* Strategy::wanted(std::uint16_t thread, std::uint32_t step) const {
  if (thread >= by_thread_.size()) return nullptr;
  const auto& list = by_thread_[thread];
  const auto at = std::lower_bound(list.begin(), list.end(), step,
                                   [](const Switch& a, std::uint32_t b) { return a.step < b; });
  return at != list.end() && at->step == step ? &*at : nullptr;
}

std::uint16_t Strategy::by_default(std::uint16_t thread, Turn turn,
                                   const std::vector<std::uint16_t>& able) {
  if (turn == Turn::may) return thread;
  const auto at = std::upper_bound(able.begin(), able.end(), thread);
  return at != able.end() ? *at : able.front();
}

std::uint16_t Strategy::choose(std::uint16_t thread, std::uint32_t step, std::uint64_t total,
                               Turn turn, const std::vector<std::uint16_t>& able) {
  switch (kind_) {
    case Kind::none:
      break;
    case Kind::replay:
      if (const Switch* at = wanted(thread, step);
          at != nullptr && std::binary_search(able.begin(), able.end(), at->to)) {
        return at->to;
      }
      break;
    case Kind::coin:
      for (;;) {
        const std::uint16_t to = able[random_.below(able.size())];
        if (to != thread || able.size() == 1) return to;
      }
    case Kind::priorities:
      reconsider_ = false;
      if (turn == Turn::should) {
        priorities_[thread] = --lowest_;
      } else if (turn == Turn::may && total >= next_change_) {
        priorities_[thread] = --lowest_;
        pass_change();
      }
      return *std::max_element(able.begin(), able.end(), [&](std::uint16_t a, std::uint16_t b) {
        return priorities_[a] < priorities_[b];
      });
  }
  return by_default(thread, turn, able);
}

}  // namespace goro::sim
