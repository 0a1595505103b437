#include "goro/detail/park.h"

#include <new>

#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/lock.h"
#include "frame/trace.h"
#include "goro/panic.h"

namespace goro::detail {

namespace {

struct Commit {
  bool (*commit)(void* arg);
  void* arg;
};

WaitReason reason_of(Waiting why) {
  switch (why) {
    case Waiting::chan_receive:
      return WaitReason::chan_receive;
    case Waiting::chan_receive_nil:
      return WaitReason::chan_receive_nil;
    case Waiting::chan_send:
      return WaitReason::chan_send;
    case Waiting::chan_send_nil:
      return WaitReason::chan_send_nil;
    case Waiting::waitgroup:
      return WaitReason::sync_waitgroup_wait;
    case Waiting::semaphore:
      return WaitReason::semacquire;
  }
  return WaitReason::none;
}

}  // namespace

G* current_goroutine() {
  G* gp = getg();
  if (gp == nullptr || gp->stack_kind == StackKind::system) {
    throw Panic("a goroutine's operation outside of goro::run");
  }
  return gp;
}

void park(bool (*commit)(void* arg), void* arg, Waiting why) {
  Commit call{commit, arg};
  // `call` is on this stack, which stays where it is until commit lets go of the goroutine; it is
  // read before that.
  gopark(
      [](G*, void* lock) {
        const Commit copy = *static_cast<const Commit*>(lock);
        return copy.commit == nullptr || copy.commit(copy.arg);
      },
      &call, reason_of(why));
}

void make_ready(G* gp) {
  trace_goroutine(trace::Kind::readied, gp);
  ready(gp);
}

static_assert(sizeof(RuntimeMutex) == sizeof(bool) && alignof(RuntimeMutex) == alignof(bool));

void SystemLock::lock() {
  std::launder(reinterpret_cast<RuntimeMutex*>(&held_))->lock();
}

void SystemLock::unlock() {
  std::launder(reinterpret_cast<RuntimeMutex*>(&held_))->unlock();
}

}  // namespace goro::detail
