// All numbers below n in an order that looks random, without an array of them.
//
// If step and n have no common divisor, position + step, + 2·step, … mod n comes back to where it
// began after n steps and not before. So a start and a step choose one of many orders.
#include <numeric>

#include "contracts/work_stealing.h"

namespace goro {

RandomOrder stealorder;

// [walk]
void RandomOrder::Walk::next() {
  ++i_;
  position_ = (position_ + step_) % count_;
}
// [/walk]

void RandomOrder::reset(std::uint32_t count) {
  count_ = count;
  coprimes_.clear();
  for (std::uint32_t i = 1; i <= count; ++i) {
    if (std::gcd(i, count) == 1) coprimes_.push_back(i);
  }
}

// [start]
RandomOrder::Walk RandomOrder::start(std::uint32_t random) const {
  const auto kinds = static_cast<std::uint32_t>(coprimes_.size());
  return Walk{count_, random % count_, coprimes_[random / count_ % kinds]};
}
// [/start]

}  // namespace goro
