// GORO_DEBUG=schedtrace=MS,scheddetail=1: the scheduler's state on stderr, in Go's words. Go:
// proc.go (schedtrace).
//
// Most of what is printed changes while it is printed, even under sched.lock: a P's owner works on.
// Each number is true for itself, at some moment.
#include "frame/schedtrace.h"

#include <unistd.h>

#include "contracts/model.h"
#include "contracts/services/allgs.h"
#include "contracts/services/observe.h"
#include "frame/dump.h"
#include "frame/settings.h"
#include "frame/trace.h"

namespace goro {

namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

std::int64_t started = 0;
std::int64_t last_line = 0;
bool first_line = true;
atomic<std::int64_t> printed{0};

std::uint32_t runqsize(const P* pp) {
  const std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
  return pp->runqtail.load(std::memory_order_acquire) - head;
}

template <typename T>
void put_id(TextSink& out, const T* who) {
  if (who == nullptr) {
    out.put("nil");
  } else {
    out.signed_number(who->id);
  }
}

// Without ThreadSanitizer: a G's id is set by whoever starts it, without regard for us, and is one
// aligned word.
__attribute__((noinline, no_sanitize("thread"))) std::uint64_t goid_of(const G* gp) {
  return gp->goid;
}

void put_goid(TextSink& out, const G* gp) {
  if (gp == nullptr) {
    out.put("nil");
  } else {
    out.number(goid_of(gp));
  }
}

const char* word(bool value) {
  return value ? "true" : "false";
}

void put_p(TextSink& out, const P* pp) {
  out.put("  P").signed_number(pp->id);
  out.put(": status=").number(pp->status.load(std::memory_order_relaxed));
  out.put(" schedtick=").number(pp->schedtick).put(" syscalltick=").number(pp->syscalltick);
  out.put(" m=");
  put_id(out, pp->m.look());
  out.put(" runqsize=").number(runqsize(pp)).put(" gfreecnt=").signed_number(pp->gfree.size());
  out.put(" timerslen=0\n");
}

void put_m(TextSink& out, const M* mp) {
  out.put("  M").signed_number(mp->id).put(": p=");
  put_id(out, mp->p.look());
  out.put(" curg=");
  put_goid(out, mp->curg.load(std::memory_order_acquire));
  // What only a garbage collector, a tracer or an allocator would change is as it is at rest.
  out.put(" mallocing=0 throwing=0 preemptoff= locks=0 dying=0 spinning=").put(word(mp->spinning));
  out.put(" blocked=").put(word(mp->blocked)).put(" lockedg=");
  put_goid(out, mp->lockedg.look());
  out.put("\n");
}

void put_g(TextSink& out, const G* gp) {
  out.put("  G").number(goid_of(gp));
  out.put(": status=").number(gp->atomicstatus.load(std::memory_order_acquire));
  out.put("(").put(wait_reason_string(gp->waitreason)).put(") m=");
  put_id(out, gp->m.look());
  out.put(" lockedm=");
  put_id(out, gp->lockedm.look());
  out.put("\n");
}

void schedtrace(bool detailed, std::int64_t now) {
  TextSink out(STDERR_FILENO);
  sched.lock.lock();
  const std::int32_t procs = sched.gomaxprocs.load(std::memory_order_acquire);
  out.put("SCHED ").signed_number((now - started) / kMillisecond);
  out.put("ms: gomaxprocs=").signed_number(procs);
  out.put(" idleprocs=").signed_number(sched.npidle.load());
  out.put(" threads=").signed_number(sched.mcount);
  out.put(" spinningthreads=").signed_number(sched.nmspinning.load());
  out.put(" needspinning=").number(sched.needspinning.load() ? 1 : 0);
  out.put(" idlethreads=").signed_number(sched.nmidle);
  out.put(" runqueue=").signed_number(sched.runqsize.load());
  if (detailed) {
    out.put(" gcwaiting=").put(word(sched.gcwaiting.load()));
    out.put(" nmidlelocked=").signed_number(sched.nmidlelocked);
    out.put(" stopwait=").signed_number(sched.stopwait);
    out.put(" sysmonwait=").put(word(sched.sysmonwait.load())).put("\n");
  }
  for (std::int32_t i = 0; i < procs; ++i) {
    const P* pp = allp[static_cast<std::size_t>(i)];
    if (detailed) {
      put_p(out, pp);
    } else {
      out.put(i == 0 ? " [" : " ").number(runqsize(pp));
    }
  }
  if (detailed) {
    for (const M* mp = allm; mp != nullptr; mp = mp->alllink) put_m(out, mp);
    for_each_g([&](const G* gp) { put_g(out, gp); });
  } else {
    out.put("]\n");
  }
  sched.lock.unlock();
}

}  // namespace

void schedtrace_reset() {
  first_line = true;
  printed.store(0, std::memory_order_relaxed);
}

std::int64_t schedtrace_interval() {
  return settings().schedtrace * kMillisecond;
}

void schedtrace_if_due(std::int64_t now) {
  if (trace_is_on()) trace_sample();
  const std::int64_t interval = schedtrace_interval();
  if (interval == 0 || (!first_line && now - last_line < interval)) return;
  if (first_line) started = now;
  first_line = false;
  last_line = now;
  schedtrace(settings().scheddetail, now);
  printed.fetch_add(1, std::memory_order_relaxed);
}

std::int64_t schedtrace_count() {
  return printed.load(std::memory_order_relaxed);
}

}  // namespace goro
