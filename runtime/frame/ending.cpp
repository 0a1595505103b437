// How a run ends.
//
// Goroutine 1 has returned, on any M. Every other goroutine is abandoned where it stands, and every
// thread leaves. main_done's M sees to that, because it is the one that certainly is awake:
//   - gcwaiting is set and stays: whoever comes to schedule() gives up its P and goes to sleep
//     (gcstopm), and mpark leaves instead of sleeping when it sees `stopping`;
//   - whoever runs a goroutine is asked to give way, again and again;
//   - whoever sleeps until a time or for the network (poll_until) is woken;
//   - sysmon looks at `stopping` each round, and is woken from its pauses;
//   - whoever sleeps is woken last, when nobody else is awake who might be waking it too;
//   - whoever is in a system call is left behind, an orphan. Its call cannot be ended, and may
//   still
//     use what the goroutine handed to it by reference. So its M, its G and its stack outlive the
//     run (frame/kept_pages.h); when the call returns, the thread gives them back and ends. It
//     touches nothing of the scheduler's, which may belong to another run by then. If the caller's
//     own thread, M0, is in a system call, run() waits for it.
#include "frame/ending.h"

#include <pthread.h>

#include <limits>

#include "contracts/chained_stack.h"
#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/services/allgs.h"
#include "contracts/services/clock.h"
#include "contracts/services/exceptions.h"
#include "contracts/services/page_heap.h"
#include "contracts/services/poller.h"
#include "contracts/services/sanitizer.h"
#include "contracts/services/stackcheck.h"
#include "contracts/services/threads.h"
#include "contracts/stack.h"
#include "frame/fixed_stack.h"
#include "frame/interrupt.h"
#include "frame/kept_pages.h"
#include "frame/netpoll.h"
#include "frame/sema_root.h"
#include "frame/stack_space.h"
#include "frame/threads.h"
#include "frame/timer.h"
#include "frame/trace.h"
#include "frame/waiting.h"
#include "goro/go.h"

namespace goro {

namespace {

// Microseconds between two looks at who has left. A sleep, not a yield: on a busy machine whoever
// yields waits for everybody.
constexpr std::uint32_t kLookAgain = 20;

M* orphans = nullptr;  // of the run that ends; through alllink

bool is_gone(const M* mp) {
  return mp->gone.load(std::memory_order_acquire);
}

// In a system call: takes the P away, so that the M comes to leave_if_orphaned. Under sched.lock.
// *orphaned: it will not be waited for.
bool leave_behind(M* mp, bool* orphaned) {
  G* gp = mp->curg.load(std::memory_order_acquire);
  if (gp == nullptr) return false;
  auto in_syscall = static_cast<std::uint32_t>(GStatus::syscall);
  if (!gp->atomicstatus.compare_exchange_strong(
          in_syscall, in_syscall | kGScan, std::memory_order_acquire, std::memory_order_relaxed)) {
    return false;
  }
  const bool mine = gp->m == mp;
  if (mine) {
    if (P* pp = mp->p; pp != nullptr) {
      pp->m = nullptr;
      mp->p = nullptr;
      pp->status.store(static_cast<std::uint32_t>(PStatus::gcstop), std::memory_order_relaxed);
    }
    if (mp->id != 0) {
      mp->guard_slot.store(nullptr, std::memory_order_relaxed);
      mp->orphan = true;
      *orphaned = true;
    }
  }
  gp->atomicstatus.store(in_syscall, std::memory_order_release);
  return mine;
}

// One look at everybody. True when nobody but this M will do anything any more, except leave.
bool all_settled() {
  const M* self = getm();
  bool settled = nobody_outside_readies();
  sched.lock.lock();
  sysmon_wake();
  netpoll_break();
  for (M** at = &allm; *at != nullptr;) {
    M* mp = *at;
    bool orphaned = false;
    if (mp != self && !is_gone(mp) &&
        (!mp->parked.load(std::memory_order_seq_cst) || mp->park.is_set()) &&
        !leave_behind(mp, &orphaned)) {
      ask_to_give_way(mp);
      settled = false;
    }
    if (orphaned) {
      *at = mp->alllink;
      mp->alllink = orphans;
      orphans = mp;
    } else {
      at = &mp->alllink;
    }
  }
  for (const M* mp = sched.freem; mp != nullptr; mp = mp->alllink) {
    if (!is_gone(mp)) settled = false;
  }
  sched.lock.unlock();
  return settled;
}

void forget_goroutine(G* gp) {
  exceptions_forget_moves(gp);
#if !GORO_GROWABLE_STACKS
  sanitizer_forget(gp);
#endif
  if (gp->closure.object != nullptr && gp->closure.object != gp->closure_room) {
    detail::closure_free(gp->closure.object);
  }
}

void keep_memory_of(const G* gp) {
  keep_pages(reinterpret_cast<std::uintptr_t>(gp), sizeof(G));
  if (stackcheck_enabled()) return;
  if (gp->stack_kind == StackKind::growable) {
    keep_pages(gp->stack.lo, gp->stack.size());
  } else if (gp->stack_kind == StackKind::chained) {
    for_each_segment(gp, [](Stack stack) { keep_pages(stack.lo, stack.size()); });
  }
}

}  // namespace

void leave_if_orphaned() {
  if (getm()->orphan) m_leave();
}

bool is_orphan(const G* gp) {
  const M* mp = gp->m;
  return mp != nullptr && mp->orphan;
}

[[noreturn]] void main_done(G* gp) {
  trace_stop(trace::Kind::ends, gp);
  casgstatus(gp, GStatus::running, GStatus::waiting);
  dropg();
  sched.lock.lock();
  sched.stopwait = std::numeric_limits<std::int32_t>::max();  // nobody waits for the last one
  sched.stopping.store(true, std::memory_order_seq_cst);
  sched.gcwaiting.store(true, std::memory_order_seq_cst);
  sched.endnote.wakeup();
  sched.lock.unlock();
  while (!all_settled()) usleep(kLookAgain);
  // Whoever is parked now stays so until we wake it: nobody else is awake to do it.
  for (M* mp = allm; mp != nullptr; mp = mp->alllink) {
    if (!is_gone(mp) && mp->parked.load(std::memory_order_seq_cst) && !mp->park.is_set()) {
      mp->park.wakeup();
    }
  }
  m_leave();
}

void forget_the_run() {
  for (bool all_gone = false; !all_gone;) {
    all_gone = true;
    // M0 may have left long before the others: they still start threads for each other.
    sched.lock.lock();
    for (const M* mp = allm; mp != nullptr; mp = mp->alllink) all_gone = all_gone && is_gone(mp);
    sched.lock.unlock();
    if (!all_gone) usleep(kLookAgain);
  }
  trace_run_ends();
  for (const M* mp = orphans; mp != nullptr; mp = mp->alllink) {
    keep_memory_of(mp->curg.load(std::memory_order_relaxed));
  }
  for (P* pp : allp) timers_abandon(pp);
  netpoll_reset();
  for_each_g([](G* gp) {
    const auto status = static_cast<GStatus>(gp->atomicstatus.load(std::memory_order_relaxed));
    if (is_orphan(gp)) return;
    if (status == GStatus::dead) {
      exceptions_forget_moves(gp);
      return;
    }
    forget_goroutine(gp);
    if (gp->stack_kind == StackKind::fixed) {
      fixed_stack_free(gp->stack);
    } else if (gp->stack.lo != 0 && gp->stack_kind == StackKind::chained) {
      release_all_space(gp);
      for_each_segment(gp, [](Stack stack) { stackfree(nullptr, stack); });
    } else if (gp->stack.lo != 0) {
      stackfree(nullptr, gp->stack);
    }
  });
  m_join_and_delete(allm);
  m_join_and_delete(sched.freem);
  allm = nullptr;
  for (P* pp : allp) delete pp;
  allp.clear();
  sudogs_reset();
  semtable_reset();
  allgs_reset();
  fixed_stack_reset();
  stackpool_reset();
  page_heap_reset();
  saved_states_reset();
  sched.~Sched();
  new (&sched) Sched;
  // Last: from here on an orphan may give its memory back.
  while (orphans != nullptr) {
    M* mp = orphans;
    orphans = mp->alllink;
    mp->park.wakeup();
  }
}

void orphan_end(M* mp) {
  mp->park.sleep();
  G* gp = mp->curg.load(std::memory_order_relaxed);
  forget_goroutine(gp);
  const auto release = [](Stack stack) {
    if (stackcheck_enabled()) {
      stackcheck_free(stack);
    } else {
      release_pages(stack.lo, stack.size());
    }
  };
  if (gp->stack_kind == StackKind::fixed) {
    fixed_stack_free(gp->stack);
  } else if (gp->stack_kind == StackKind::chained) {
    release_all_space(gp);
    for_each_segment(gp, release);
  } else {
    release(gp->stack);
  }
  release_pages(reinterpret_cast<std::uintptr_t>(gp), sizeof(G));
  pthread_detach(pthread_self());
  delete mp;
}

}  // namespace goro
