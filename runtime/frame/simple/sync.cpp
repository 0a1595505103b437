// WaitGroup: a counter and a list of waiters under one lock.
#include "goro/sync.h"

#include <cstdint>
#include <deque>

#include "goro/detail/park.h"
#include "goro/panic.h"

namespace goro::detail {

class WaitGroupCore {
 public:
  void add(int delta) {
    bool negative = false;
    auto work = [&] {
      lock_.lock();
      counter_ += delta;
      negative = counter_ < 0;
      if (counter_ != 0 || waiters_.empty()) {
        lock_.unlock();
        return;
      }
      std::deque<G*> woken;  // it allocates, so not before it is needed
      woken.swap(waiters_);
      lock_.unlock();
      for (G* gp : woken) make_ready(gp);
    };
    on_system_stack([](void* arg) { (*static_cast<decltype(work)*>(arg))(); }, &work);
    if (negative) throw Panic("sync: negative WaitGroup counter");
  }

  void wait() {
    current_goroutine();
    struct Waiter {
      WaitGroupCore* core;
      G* gp;
    } waiter{this, current_goroutine()};
    park(
        [](void* arg) {
          const Waiter copy = *static_cast<const Waiter*>(arg);
          copy.core->lock_.lock();
          const bool wait = copy.core->counter_ != 0;
          if (wait) copy.core->waiters_.push_back(copy.gp);
          copy.core->lock_.unlock();
          return wait;
        },
        &waiter, Waiting::waitgroup);
  }

 private:
  SystemLock lock_;
  std::int64_t counter_ = 0;
  std::deque<G*> waiters_;
};

std::shared_ptr<WaitGroupCore> make_wait_group() {
  return std::make_shared<WaitGroupCore>();
}

void wait_group_add(WaitGroupCore* core, int delta) {
  core->add(delta);
}

void wait_group_wait(WaitGroupCore* core) {
  core->wait();
}

}  // namespace goro::detail
