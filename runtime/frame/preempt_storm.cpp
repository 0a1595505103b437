// GORO_DEBUG=preemptstorm=1.
#include "frame/interrupt.h"

#if GORO_ASYNC_PREEMPT

#include <pthread.h>
#include <unistd.h>

#include <atomic>

#include "contracts/services/fatal.h"
#include "frame/settings.h"
#include "frame/threads.h"

namespace goro {

namespace {

std::atomic<bool> stop{false};
bool storm_started = false;
pthread_t thread;

void* storm(void* /*arg*/) {
  std::uint32_t random = 2463534242U;
  while (!stop.load(std::memory_order_relaxed)) {
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    usleep(500 + random % 1000);
    if (settings().preemptoff) continue;
    sched.lock.lock();
    for (M* mp = allm; mp != nullptr; mp = mp->alllink) {
      if (mp->tid.load(std::memory_order_relaxed) == 0) continue;
      if (random % 8 == 0) {
        ask_to_give_way(mp);
      } else {
        ask_by_signal_only(mp);
      }
    }
    sched.lock.unlock();
  }
  return nullptr;
}

}  // namespace

void preempt_storm_start() {
  if (!settings().preemptstorm) return;
  stop.store(false, std::memory_order_relaxed);
  if (pthread_create(&thread, nullptr, storm, nullptr) != 0) {
    fatal("preemptstorm: no thread for it");
  }
  storm_started = true;
}

void preempt_storm_stop() {
  if (!storm_started) return;
  stop.store(true, std::memory_order_relaxed);
  pthread_join(thread, nullptr);
  storm_started = false;
}

}  // namespace goro

#endif
