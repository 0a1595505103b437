// When there is one P, and when channels are not its holder's alone.
#include "frame/one_p.h"

#include "contracts/one_p.h"

#if GORO_ONE_P

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "contracts/channel_lock.h"
#include "contracts/services/clock.h"
#include "contracts/services/fatal.h"
#include "frame/waiting.h"

namespace goro {

OneP one_p;
atomic<bool> nobody_scans_who_waits{false};

namespace {

using Alone = OneP::Alone;
using Channels = OneP::Channels;

// May this process ask for barriers in all its threads?
atomic<bool> may_ask{false};

bool ask(int command) {
  return syscall(SYS_membarrier, command, 0, 0) == 0;
}

__attribute__((noinline)) void let_everybody_exchange() {
  one_p.channels.store(Channels::never);
  // Whoever was entering has left then, and we see whether the lock is held.
  wait_until_not_entering(one_p.entering);
  one_p.everybody_exchanges.store(true, std::memory_order_release);
}

}  // namespace

bool may_ask_for_barriers() {
  return may_ask.load();
}

// After the barrier we see whether the P's holder is entering. If it is not, it has yet to ask, and
// gets our answer.
void wait_until_not_entering(const atomic<bool>& entering) {
  if (!may_ask.load()) return;
  if (!ask(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) fatal("membarrier was promised, and fails");
  while (entering.load(std::memory_order_acquire)) osyield();
}

void only_one_is_busy() {
  if (!may_ask.load()) return;
  Channels was = Channels::no;
  one_p.channels.compare_exchange_strong(was, Channels::yes);
  // The busy P's holder may find this at any time: it has its locks and queues to itself already.
  one_p.alone.store(Alone::for_now);
}

void another_gets_busy() {
  if (one_p.alone.load() != Alone::for_now) return;
  one_p.alone.store(Alone::no);
  Channels was = Channels::yes;
  one_p.channels.compare_exchange_strong(was, Channels::no);
  wait_until_not_entering(one_p.entering);
}

void set_one_p(bool on) {
  one_p.alone.store(on ? Alone::always : Alone::no);
  if (!on) sched.lock.is_anybodys();
  Channels was = on ? Channels::no : Channels::yes;
  if (on && !may_ask.load()) return;
  one_p.channels.compare_exchange_strong(was, on ? Channels::yes : Channels::no);
}

void run_has_begun(int procs) {
  nobody_scans_who_waits.store(true);
  // Every time: a child of fork() may have to ask again, and to ask twice costs nothing. A kernel
  // or a sandbox that has no such thing: then channels are locked as with several Ps.
  may_ask.store(ask(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED));
  set_one_p(procs == 1);
  if (procs == 1) sched.lock.may_be_the_holders();
}

void run_is_over() {
  set_one_p(false);
  nobody_scans_who_waits.store(false);
}

void ChannelLock::lock_elsewhere() {
  if (is_outside() && !one_p.everybody_exchanges.load(std::memory_order_acquire)) {
    let_everybody_exchange();
  }
  lock_by_exchange();
}

}  // namespace goro

#else

namespace goro {

void set_one_p(bool /*on*/) {}
void run_has_begun(int /*procs*/) {}
void run_is_over() {}

}  // namespace goro

#endif
