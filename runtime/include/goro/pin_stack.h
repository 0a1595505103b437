// Keeping a stack where it is.
#pragma once

#include "goro/detail/pin.h"

namespace goro {

// While one of these lives, the stack of the goroutine that made it does not move. It belongs to
// that goroutine, in one of its frames.
class [[nodiscard]] PinnedStack {
 public:
  PinnedStack() : counts_(detail::pin()) {}
  PinnedStack(const PinnedStack&) = delete;
  PinnedStack& operator=(const PinnedStack&) = delete;
  ~PinnedStack() {
    if (counts_) detail::unpin();
  }

 private:
  bool counts_;
};

// A scope in which any C++ may be done with the addresses of locals, on a growable stack:
//
//   const auto pinned = goro::pin_stack();  // before the first of those locals
//   std::map<std::string, int> ages;
//
// Meanwhile the stack grows as a chained() one does. Scopes may be nested. On a stack that does not
// move, nothing happens. On ARM64 a growable stack cannot be pinned: the program ends with status 2
// and a text that says so; chained() is what works there, too.
[[nodiscard]] inline PinnedStack pin_stack() {
  return {};
}

}  // namespace goro
