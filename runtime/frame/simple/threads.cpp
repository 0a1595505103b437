// Ms: threads that run the scheduler. Go: proc.go (newm, mstart, startm, stopm, wakep).
#include <pthread.h>
#include <unistd.h>

#include <new>
#include <vector>

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/scheduler.h"
#include "contracts/services/fatal.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/scheduling.h"
#include "frame/end.h"
#include "frame/signals.h"
#include "frame/simple/simple.h"
#if GORO_SIMULATE
#include <string>

#include "simulation/simulation.h"
#endif

extern "C" {
__attribute__((tls_model("initial-exec"))) thread_local goro::G* goro_tls_g = nullptr;
void* __cxa_get_globals();
}

namespace goro {

Sched sched;
std::vector<P*> allp;
M* allm = nullptr;

namespace {

constexpr std::size_t kThreadStack = std::size_t{256} << 10;

atomic<std::uintptr_t>* this_threads_guard_slot() {
#if GORO_SIMULATE
  // Simulated threads share one such word, and it is 0 whenever they take turns: what is asked of
  // another one is read from its goroutine's guard when it goes back to it.
  if (sim::active) return nullptr;
#endif
#if defined(__x86_64__) && GORO_GROWABLE_STACKS
  std::uintptr_t thread_block = 0;
  asm volatile("movq %%fs:0, %0" : "=r"(thread_block));
  return reinterpret_cast<atomic<std::uintptr_t>*>(thread_block + 0x70);
#else
  return nullptr;  // the check reads the G itself, or there is none
#endif
}

[[noreturn]] void first_schedule() {
  schedule();
}

void* thread_main(void* arg) {
  auto* mp = static_cast<M*>(arg);
  m_run(mp, mp->nextp);
  return nullptr;
}

}  // namespace

M* m_new(bool main_thread) {
  auto* mp = new M;
  mp->g0 = &mp->g0_storage;
  mp->g0->m = mp;
  mp->g0->stack_kind = StackKind::system;
  mp->g0->sched.g = mp->g0;
  mp->g0->atomicstatus.store(static_cast<std::uint32_t>(GStatus::running));
  if (main_thread) {
    mp->thread = pthread_self();
    mp->has_thread = true;
  }
  return mp;
}

void m_delete(M* mp) {
  delete mp;
}

void m_run(M* mp, P* pp) {
  G* const outer = goro_tls_g;
  // release: whoever finds the address may write there.
  mp->guard_slot.store(this_threads_guard_slot(), std::memory_order_release);
  mp->exception_globals = static_cast<ExceptionState*>(__cxa_get_globals());
  const ExceptionState outer_exceptions = *mp->exception_globals;
#if !GORO_GROWABLE_STACKS
  sanitizer_adopt_thread(mp);
#endif
  signals_enter_thread(mp);
  mp->nextp = nullptr;
  goro_tls_g = mp->g0;
  acquirep(pp);
  goro_mstart(mp->g0, first_schedule);
  // leave_if_asked came here; nobody asks anything of this thread any more.
#if !GORO_GROWABLE_STACKS
  sanitizer_leave_thread(mp);
#endif
  // Under the lock that preempt_all is called with: from here on nobody writes into this thread's
  // memory, which may be gone before the M is.
  atomic<std::uintptr_t>* slot = mp->guard_slot.load(std::memory_order_relaxed);
  sched.lock.lock();
  mp->guard_slot.store(nullptr, std::memory_order_relaxed);
  mp->curg.store(nullptr, std::memory_order_relaxed);
  sched.lock.unlock();
  if (slot != nullptr) slot->store(0, std::memory_order_relaxed);
  signals_leave_thread(mp);
  mp->gone.store(true, std::memory_order_release);
  *mp->exception_globals = outer_exceptions;
  goro_tls_g = outer;
}

void acquirep(P* pp) {
  M* mp = getm();
  mp->p = pp;
  pp->m = mp;
  pp->status.store(static_cast<std::uint32_t>(PStatus::running), std::memory_order_relaxed);
}

P* releasep() {
  M* mp = getm();
  P* pp = mp->p;
  mp->p = nullptr;
  pp->m = nullptr;
  pp->status.store(static_cast<std::uint32_t>(PStatus::idle), std::memory_order_relaxed);
  return pp;
}

void pidle_put(P* pp) {
  pp->link = sched.pidle;
  sched.pidle = pp;
  // seq_cst: the other half of wakep's rule, see stealing.cpp.
  sched.npidle.fetch_add(1, std::memory_order_seq_cst);
}

P* pidle_get() {
  P* pp = sched.pidle;
  if (pp != nullptr) {
    sched.pidle = pp->link;
    pp->link = nullptr;
    sched.npidle.fetch_sub(1, std::memory_order_seq_cst);
  }
  return pp;
}

M* m_take(P* pp, bool spinning) {
  M* mp = sched.midle;
  if (mp != nullptr) {
    sched.midle = mp->schedlink;
    mp->schedlink = nullptr;
    --sched.nmidle;
  } else {
    mp = m_new(false);
    mp->id = sched.mcount++;
    mp->alllink = allm;
    allm = mp;
  }
  mp->nextp = pp;
  mp->spinning = spinning;
  return mp;
}

void m_start(M* mp) {
  // Not `thread`: that is written when the thread may have run and gone idle already.
  if (mp->has_thread) {
    mp->park.wakeup();
    return;
  }
  mp->has_thread = true;
#if GORO_SIMULATE
  if (sim::active) {
    const std::string name = "M" + std::to_string(mp->id);
    mp->thread = static_cast<std::uint64_t>(sim::start_thread(
        name.c_str(), [](void* arg) { thread_main(arg); }, mp));
    return;
  }
#endif
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, kThreadStack);
  pthread_t thread;
  if (pthread_create(&thread, &attr, thread_main, mp) != 0) {
    fatal("cannot start a thread (pthread_create failed)");
  }
  mp->thread = thread;
  pthread_attr_destroy(&attr);
}

void m_join_all() {
  for (M* mp = allm; mp != nullptr; mp = mp->alllink) {
    if (mp->id == 0) continue;
#if GORO_SIMULATE
    if (sim::active) {
      sim::join(static_cast<int>(mp->thread));
      continue;
    }
#endif
    pthread_join(mp->thread, nullptr);
  }
}

bool m_gone(const M* mp) {
  return mp->gone.load(std::memory_order_acquire);
}

void m_wait_a_little() {
#if GORO_SIMULATE
  if (sim::active) return sim::rest(50'000);
#endif
  usleep(50);
}

void stopm() {
  M* mp = getm();
  if (sched.stopping.load(std::memory_order_relaxed)) {
    // Whoever set it has woken the idle Ms already, and would not wake us.
    sched.lock.unlock();
    goro_gogo(&mp->g0->sched);
  }
  mp->schedlink = sched.midle;
  sched.midle = mp;
  ++sched.nmidle;
  const bool deadlock = nobody_left();
  sched.lock.unlock();
  if (deadlock) report_deadlock(sched.main_exited);
  mp->park.sleep();
  mp->park.clear();
  P* pp = mp->nextp;
  mp->nextp = nullptr;
  if (pp == nullptr) goro_gogo(&mp->g0->sched);  // run() is about to return
  acquirep(pp);
}

void wakep() {
  // Looks only, in the usual case: every P busy, or somebody searching already. The goroutine that
  // the caller made runnable is in runnext, put there by a seq_cst exchange; an M that goes idle
  // counts itself in npidle (seq_cst) before it looks at runnext. One of the two sees the other.
  if (sched.npidle.load(std::memory_order_seq_cst) == 0 ||
      sched.nmspinning.load(std::memory_order_seq_cst) != 0) {
    return;
  }
  std::int32_t none = 0;
  if (!sched.nmspinning.compare_exchange_strong(none, 1)) return;
  sched.lock.lock();
  P* pp = sched.gcwaiting.load(std::memory_order_relaxed) ||
                  sched.stopping.load(std::memory_order_relaxed)
              ? nullptr
              : pidle_get();
  M* mp = pp != nullptr ? m_take(pp, true) : nullptr;
  sched.lock.unlock();
  if (mp != nullptr) {
    m_start(mp);
  } else {
    sched.nmspinning.fetch_sub(1);
  }
}

void resetspinning() {
  getm()->spinning = false;
  sched.nmspinning.fetch_sub(1);
  wakep();
}

void leave_if_asked() {
  for (;;) {
    if (sched.stopping.load(std::memory_order_acquire)) {
      M* mp = getm();
      if (mp->spinning) {
        mp->spinning = false;
        sched.nmspinning.fetch_sub(1);
      }
      releasep();
      goro_gogo(&mp->g0->sched);
    }
    if (!sched.gcwaiting.load(std::memory_order_acquire)) return;
    gcstopm();
  }
}

bool can_preempt(const G* gp) {
  return gp->m != nullptr && gp->m->p != nullptr;
}

}  // namespace goro
