// Ms as threads. Go: proc.go (newm, mstart, mexit, mPark, preemptone), os_linux.go (newosproc).
//
// A thread enters its M, takes the P that it was made for, and runs schedule() on what is left of
// its stack. It comes back from there (m_leave) for one of three reasons: run() is about to return,
// the goroutine that was locked to this thread has ended, or the thread was in a system call when
// run() returned (frame/ending.cpp).
//
// During a run an M is never freed: whoever holds a stale pointer to one holds a pointer to an M.
// An M whose thread has ended waits on sched.freem to get another one.
#include "frame/threads.h"

#include <cxxabi.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <utility>
#include <vector>

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "contracts/preemption.h"
#include "contracts/processors.h"
#include "contracts/scheduler.h"
#include "contracts/services/acquirem.h"
#include "contracts/services/fatal.h"
#include "contracts/services/goroutine.h"
#include "contracts/services/interrupt.h"
#include "contracts/services/scheduling.h"
#include "contracts/services/threads.h"
#include "contracts/syscall.h"
#include "frame/dump.h"
#include "frame/ending.h"
#include "frame/interrupt.h"
#include "frame/settings.h"
#include "frame/signals.h"
#include "frame/trace.h"
#if GORO_SIMULATE
#include <string>

#include "simulation/simulation.h"
#endif

extern "C" {
__attribute__((tls_model("initial-exec"))) thread_local goro::G* goro_tls_g = nullptr;
}

namespace goro {

Sched sched;
constinit NeverDestroyed<std::vector<P*>> never_destroyed_allp;
M* allm = nullptr;

namespace {

// Sysmon's longest pause while a trace is recorded: it looks at the queues, and sees to it that
// times that were not taken are not far from the truth.
constexpr std::uint32_t kTracePause = 1000;

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

std::uint64_t this_thread() {
#if GORO_SIMULATE
  if (sim::active) return static_cast<std::uint64_t>(sim::this_thread());
#endif
  return pthread_self();
}

void* thread_main(void* arg) {
  auto* mp = static_cast<M*>(arg);
  // Not by whoever starts it: a short life is over, and joined, before pthread_create has returned
  // there. join_thread comes after `gone`, whose release publishes this.
  mp->thread = this_thread();
  m_enter_thread(mp);
  if (mp->is_sysmon) {
    program_text_init();  // on this thread, where nobody waits for it
    sysmon();
  } else {
    P* pp = mp->nextp;
    mp->nextp = nullptr;
    acquirep(pp);
    m_schedule(mp);
  }
  m_leave_thread(mp);
  if (mp->orphan) orphan_end(mp);
  return nullptr;
}

void start_thread(M* mp) {
#if GORO_SIMULATE
  if (sim::active) {
    const std::string name = mp->is_sysmon ? "sysmon" : "M" + std::to_string(mp->id);
    sim::start_thread(
        name.c_str(), [](void* arg) { thread_main(arg); }, mp);
    return;
  }
#endif
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, kThreadStack);
  pthread_t thread{};
  const int error = pthread_create(&thread, &attr, thread_main, mp);
  pthread_attr_destroy(&attr);
  if (error != 0) {
    {
      TextSink out(STDERR_FILENO);
      out.put("runtime: failed to create new OS thread (have ");
      out.number(static_cast<std::uint64_t>(sched.mcount)).put(" already; errno=");
      out.number(static_cast<std::uint64_t>(error)).put(")\n");
      if (error == EAGAIN) {
        out.put("runtime: may need to increase max user processes (ulimit -u)\n");
      }
    }
    fatal("newosproc");
  }
}

void join_thread(const M* mp) {
#if GORO_SIMULATE
  if (sim::active) return sim::join(static_cast<int>(mp->thread));
#endif
  pthread_join(mp->thread, nullptr);
}

// Under sched.lock. An M whose thread has ended, or null.
M* take_free_m() {
  for (M** at = &sched.freem; *at != nullptr; at = &(*at)->alllink) {
    M* mp = *at;
    if (!mp->gone.load(std::memory_order_acquire)) continue;
    *at = mp->alllink;
    return mp;
  }
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
  if (main_thread) mp->thread = pthread_self();
  return mp;
}

namespace {

// Apart: its text needs more room than a goroutine's stack has, on which m_reserve_id may run.
[[noreturn]] __attribute__((noinline)) void too_many_threads() {
  {
    TextSink out(STDERR_FILENO);
    out.put("runtime: program exceeds ").number(static_cast<std::uint64_t>(sched.maxmcount));
    out.put("-thread limit\n");
  }
  fatal("thread exhaustion");
}

}  // namespace

std::int64_t m_reserve_id() {
  if (sched.mcount >= sched.maxmcount) {
    systemstack([] { too_many_threads(); });
  }
  ++sched.mcount;
  return sched.mnext++;
}

void newm(P* pp, bool spinning, std::int64_t id) {
  // wake() calls ready() on a goroutine's stack when no P is idle; one may have become so
  // meanwhile. A thread is not made with two kilobytes.
  if (const G* gp = getg(); gp != nullptr && gp->stack_kind != StackKind::system) {
    systemstack([=] { newm(pp, spinning, id); });
    return;
  }
  sched.lock.lock();
  M* mp = take_free_m();
  sched.lock.unlock();
  if (mp != nullptr) {
    join_thread(mp);  // it has nothing left to do
    mp->thread_ends = false;
    mp->lockedg = nullptr;
    mp->parked.store(false, std::memory_order_relaxed);
    mp->gone.store(false, std::memory_order_relaxed);
  } else {
    mp = m_new(false);
  }
  mp->id = id;
  mp->nextp = pp;
  mp->spinning = spinning;
  sched.lock.lock();
  mp->alllink = allm;
  allm = mp;
  sched.lock.unlock();
  start_thread(mp);
}

// How much longer than it asks for sysmon may sleep, in nanoseconds. Its shortest pause is 20 µs,
// and so long a P stays with a thread that is blocked: where there are system calls, the pause is
// exact. Where there are none, nothing waits for sysmon that is shorter than a slice of 10 ms, and
// where the kernel wakes it on the processor of a busy M, a round costs that one as much as the
// pause is long.
constexpr unsigned long kExact = 1;
constexpr unsigned long kLeisurely = 200'000;

static bool there_are_system_calls() {
  static std::uint32_t ended_before = 0;  // sysmon's
  std::uint32_t ended = 0;
  bool within = false;
  const std::int32_t procs = sched.gomaxprocs.load(std::memory_order_acquire);
  for (std::int32_t i = 0; i < procs; ++i) {
    const P* pp = allp[static_cast<std::size_t>(i)];
    ended += pp->syscalltick.look();
    const M* mp = pp->m.look();
    const G* gp = mp == nullptr ? nullptr : mp->curg.load(std::memory_order_acquire);
    within = within || (gp != nullptr && gp->atomicstatus.load(std::memory_order_relaxed) ==
                                             static_cast<std::uint32_t>(GStatus::syscall));
  }
  return std::exchange(ended_before, ended) != ended || within;
}

static void choose_timer_slack() {
  thread_local unsigned long chosen = 0;
  const unsigned long slack = there_are_system_calls() ? kExact : kLeisurely;
  if (slack != chosen) prctl(PR_SET_TIMERSLACK, slack);
  chosen = slack;
}

void sysmon_start() {
  M* mp = m_new(false);
  mp->is_sysmon = true;
  sched.lock.lock();
  mp->id = m_reserve_id();
  mp->alllink = allm;
  allm = mp;
  sched.lock.unlock();
  start_thread(mp);
}

void sysmon_wake() {
  if (!sched.sysmonwait.load(std::memory_order_relaxed)) return;
  sched.sysmonwait.store(false, std::memory_order_relaxed);
  sched.sysmonnote.wakeup();
}

void m_enter_thread(M* mp) {
  // release: whoever finds the address may write there.
  if (!mp->is_sysmon) mp->guard_slot.store(this_threads_guard_slot(), std::memory_order_release);
  mp->exception_globals = reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
  mp->outer_exceptions = *mp->exception_globals;
  mp->outer_g = goro_tls_g;
  clockid_t clock = 0;
  mp->cpu_clock = pthread_getcpuclockid(pthread_self(), &clock) == 0 ? clock : 0;
#if !GORO_GROWABLE_STACKS
  sanitizer_adopt_thread(mp);
#endif
  signals_enter_thread(mp);
  goro_tls_g = mp->g0;
  if (!mp->is_sysmon) interrupt_enter_thread(mp);
  trace_thread_begins(mp);
}

void m_schedule(M* mp) {
  goro_mstart(mp->g0, first_schedule);
#if !GORO_GROWABLE_STACKS
  sanitizer_leave_thread(mp);
#endif
}

void m_leave_thread(M* mp) {
  atomic<std::uintptr_t>* slot = mp->guard_slot.load(std::memory_order_relaxed);
  if (!mp->orphan) {
    trace_thread_ends(mp);
    // Under the lock with which others are asked to give way: from here on nobody writes into this
    // thread's memory, which may be gone before the M is. An orphan was cut off under the lock, and
    // the lock is not its run's any more.
    sched.lock.lock();
    mp->guard_slot.store(nullptr, std::memory_order_relaxed);
    mp->curg.store(nullptr, std::memory_order_relaxed);
    mp->tid.store(0, std::memory_order_relaxed);
    sched.lock.unlock();
    interrupt_leave_thread(mp);
  } else {
    slot = this_threads_guard_slot();
  }
  if (slot != nullptr) slot->store(0, std::memory_order_relaxed);
  mp->cpu_clock = 0;
  signals_leave_thread(mp);
  *mp->exception_globals = mp->outer_exceptions;
  goro_tls_g = mp->outer_g;
  if (!mp->orphan) mp->gone.store(true, std::memory_order_release);
}

[[noreturn]] void m_leave() {
  M* mp = getm();
  if (P* pp = mp->p; pp != nullptr) {
    pp->m = nullptr;
    mp->p = nullptr;
  }
  goro_gogo(&mp->g0->sched);
}

[[noreturn]] void mexit() {
  M* mp = getm();
  handoffp(releasep());
  sched.lock.lock();
  // After handoffp, which may have started an M for our P's work.
  --sched.mcount;
  if (mp->id != 0) {
    for (M** at = &allm; *at != nullptr; at = &(*at)->alllink) {
      if (*at != mp) continue;
      *at = mp->alllink;
      break;
    }
    mp->alllink = sched.freem;
    sched.freem = mp;
  }
  checkdead();
  sched.lock.unlock();
  if (mp->id == 0) mpark();  // run()'s thread cannot end: run() returns on it
  m_leave();
}

void m_join_and_delete(M* list) {
  while (list != nullptr) {
    M* mp = list;
    list = mp->alllink;
    if (mp->thread != pthread_self()) join_thread(mp);
    delete mp;
  }
}

void mpark() {
  M* mp = getm();
  // seq_cst, both: whoever ends the run sets stopping first and looks at parked then; one of us
  // sees the other.
  mp->parked.store(true, std::memory_order_seq_cst);
  if (sched.stopping.load(std::memory_order_seq_cst)) m_leave();
  trace_thread(trace::Kind::m_sleeps);
  mp->park.sleep();
  mp->park.clear();
  trace_thread(trace::Kind::m_wakes);
  mp->parked.store(false, std::memory_order_relaxed);
  if (sched.stopping.load(std::memory_order_relaxed)) m_leave();
}

namespace {

// Who asks counts itself first and looks at `over` then; who ends the asking does it the other way
// round. seq_cst: one of the two sees the other. Plain atomics: no schedule of a simulation is to
// depend on them.
std::atomic<int> asking{0};
std::atomic<bool> asking_is_over{false};

// The next prologue of gp, which mp runs, calls the runtime. acquire: the slot is its thread's.
// [poison]
void poison(const M* mp, G* gp) {
  gp->stackguard0.store(kStackPreempt, std::memory_order_relaxed);
  if (auto* slot = mp->guard_slot.load(std::memory_order_acquire); slot != nullptr) {
    slot->store(kStackPreempt, std::memory_order_relaxed);
  }
}
// [/poison]

void signal_thread([[maybe_unused]] M* mp) {
#if GORO_ASYNC_PREEMPT
  preempt_m(mp);
#endif
}

// [write_request]
void write_request(M* mp) {
  G* gp = mp->curg.load(std::memory_order_acquire);
  if (gp == nullptr) return;
  // The request can be overwritten by a switch that is under way, or be meant for a goroutine that
  // has just stopped.
  gp->preempt.store(true, std::memory_order_relaxed);
  poison(mp, gp);
  signal_thread(mp);
}
// [/write_request]

}  // namespace

bool asking_is_over_now() {
  return asking_is_over.load(std::memory_order_relaxed);
}

void ask_by_signal_only(M* mp) {
  asking.fetch_add(1, std::memory_order_seq_cst);
  G* gp = mp->curg.load(std::memory_order_acquire);
  if (gp != nullptr && !asking_is_over.load(std::memory_order_seq_cst)) {
    gp->preempt.store(true, std::memory_order_relaxed);
    signal_thread(mp);
  }
  asking.fetch_sub(1, std::memory_order_release);
}

void ask_to_give_way(M* mp) {
  asking.fetch_add(1, std::memory_order_seq_cst);
  if (!asking_is_over.load(std::memory_order_seq_cst)) write_request(mp);
  asking.fetch_sub(1, std::memory_order_release);
}

void nobody_gives_way_any_more() {
  asking_is_over.store(true, std::memory_order_seq_cst);
  // Asking takes a few instructions. Bounded, because the thread that asks may be the one that was
  // stopped by a signal to come here.
  for (int i = 0; i < 1000 && asking.load(std::memory_order_acquire) != 0; ++i) sched_yield();
  G* gp = getg();
  if (gp == nullptr) return;
  if (gp->stackguard0.load(std::memory_order_relaxed) == kStackPreempt) {
    gp->stackguard0.store(gp->stack.lo + kStackGuard, std::memory_order_relaxed);
  }
  // A signal's handler, say, may run with another limit than its goroutine's.
  auto* slot = this_threads_guard_slot();
  if (slot != nullptr && slot->load(std::memory_order_relaxed) == kStackPreempt) {
    slot->store(gp->stackguard0.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
}

void repeat_preemption(M* mp, G* gp) {
  if (asking_is_over.load(std::memory_order_relaxed)) return;
  poison(mp, gp);
}

void preempt_one(P* pp) {
  if (settings().preemptoff) return;
  sched.lock.lock();
  if (M* mp = pp->m.look(); mp != nullptr) ask_to_give_way(mp);
  sched.lock.unlock();
}

void preempt_all() {
  if (sched.stopping.load(std::memory_order_acquire)) m_leave();
  const M* self = getm();
  sched.lock.lock();
  for (M* mp = allm; mp != nullptr; mp = mp->alllink) {
    if (mp != self) ask_to_give_way(mp);
  }
  sched.lock.unlock();
}

void sysmon_pause(std::uint32_t microseconds) {
  if (trace_is_on()) microseconds = std::min(microseconds, kTracePause);
#if GORO_SIMULATE
  if (!sim::active) choose_timer_slack();
#else
  choose_timer_slack();
#endif
  sched.endnote.sleep_for(std::int64_t{microseconds} * 1000);
}

std::int64_t m_cpu_time(const M* mp) {
  const clockid_t clock = mp->cpu_clock;
  timespec used{};
  if (clock == 0 || clock_gettime(clock, &used) != 0) return 0;
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

void leave() {
  const M* mp = getm();
#if !defined(NDEBUG) || GORO_SIMULATE
  if (mp->locks != 0) fatal("schedule: holding locks");
#endif
  if (mp->lockedg != nullptr) {
    if (mp->thread_ends) mexit();
    stoplockedm();
    execute(mp->lockedg, false);
  }
  while (sched.gcwaiting.load(std::memory_order_acquire)) gcstopm();
}

bool can_preempt(const G* gp) {
  return gp->m != nullptr && gp->m->p != nullptr && gp->m->locks == 0;
}

}  // namespace goro
