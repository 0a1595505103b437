// Selects over a list that is known only at run time.
#include "goro/select.h"

#include <memory>

#include "contracts/select.h"
#include "contracts/services/waiting.h"

namespace goro {

namespace detail {

SelectResult select_one(const Scase& scase, bool block) {
  if (scase.is_send) {
    if (chansend(scase.c, scase.elem, block)) return {0, false};
    return {-1, false};
  }
  const ReceiveResult result = chanrecv(scase.c, scase.elem, block);
  return {result.selected ? 0 : -1, result.received};
}

}  // namespace detail

namespace {

constexpr std::size_t kFew = 8;

// Room for n of T: in the frame if they are few.
template <typename T, std::size_t kInFrame>
class Room {
 public:
  explicit Room(std::size_t n) {
    if (n > kInFrame) heap_ = std::make_unique<T[]>(n);
  }
  T* get() { return heap_ != nullptr ? heap_.get() : frame_; }

 private:
  T frame_[kInFrame];
  std::unique_ptr<T[]> heap_;
};

}  // namespace

std::size_t select(std::span<SelectCase> cases) {
  const std::size_t n = cases.size();
  if (n > kMaxCases) throw_panic("select: too many cases (max 65536)");
  Room<Scase, kFew> scases(n);
  std::size_t channels = 0;
  std::size_t only = 0;
  std::size_t fallback = n;
  for (std::size_t i = 0; i < n; ++i) {
    scases.get()[i] = cases[i].scase();
    if (!cases[i].is_default()) {
      ++channels;
      only = i;
    } else {
      if (fallback != n) throw_panic("select: multiple default cases");
      fallback = i;
    }
  }
  SelectResult result;
  if (channels == 0) {
    if (fallback == n) detail::block();
  } else if (channels == 1) {
    result = detail::select_one(scases.get()[only], fallback == n);
    if (result.index == 0) result.index = static_cast<int>(only);
  } else {
    Room<std::uint16_t, 2 * kFew> order(2 * n);
    result = selectgo(scases.get(), order.get(), static_cast<int>(n), fallback == n);
  }
  const std::size_t chosen = result.index < 0 ? fallback : static_cast<std::size_t>(result.index);
  cases[chosen].run(result.received);
  return chosen;
}

}  // namespace goro
