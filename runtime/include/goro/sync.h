// Waiting for goroutines. The simple form that stands until the lab on synchronisation.
#pragma once

#include <memory>
#include <utility>

#include "goro/go.h"

namespace goro {

namespace detail {
class WaitGroupCore;
std::shared_ptr<WaitGroupCore> make_wait_group();
void wait_group_add(WaitGroupCore* core, int delta);
void wait_group_wait(WaitGroupCore* core);
}  // namespace detail

// A handle: copies refer to the same group. Go: sync.WaitGroup.
class WaitGroup {
 public:
  WaitGroup() : core_(detail::make_wait_group()) {}

  // Throws Panic("sync: negative WaitGroup counter").
  void add(int delta) const { detail::wait_group_add(core_.get(), delta); }
  void done() const { add(-1); }
  // Returns when the counter is 0.
  void wait() const { detail::wait_group_wait(core_.get()); }

  // add(1), and a goroutine that runs f and then counts down, whichever way f ends.
  template <typename F>
  void go(SpawnOptions options, F&& f) const {
    add(1);
    goro::go(options, Task<std::decay_t<F>>{*this, std::forward<F>(f)});
  }
  template <typename F>
  void go(F&& f) const {
    go(SpawnOptions{}, std::forward<F>(f));
  }

 private:
  template <typename Fn>
  struct Task;

  std::shared_ptr<detail::WaitGroupCore> core_;
};

template <typename Fn>
struct WaitGroup::Task {
  WaitGroup group;
  Fn fn;

  void operator()() {
    struct Done {
      const WaitGroup& group;
      ~Done() { group.done(); }
    } done{group};
    fn();
  }
};

}  // namespace goro
