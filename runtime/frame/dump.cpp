#include "frame/dump.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "contracts/getg.h"
#include "contracts/services/allgs.h"

namespace goro {

bool dump_in_signal = false;

TextSink& TextSink::put(const char* text) {
  return put(text, std::strlen(text));
}

TextSink& TextSink::put(const char* text, std::size_t length) {
  while (length > 0) {
    if (used_ == sizeof(buffer_)) flush();
    const std::size_t part = std::min(length, sizeof(buffer_) - used_);
    std::memcpy(buffer_ + used_, text, part);
    used_ += part;
    text += part;
    length -= part;
  }
  return *this;
}

TextSink& TextSink::number(std::uint64_t n) {
  char digits[21];
  char* at = digits + sizeof(digits) - 1;
  *at = '\0';
  do {
    *--at = static_cast<char>('0' + n % 10);
    n /= 10;
  } while (n != 0);
  return put(at);
}

TextSink& TextSink::signed_number(std::int64_t n) {
  if (n < 0) put("-");
  const auto bits = static_cast<std::uint64_t>(n);
  return number(n < 0 ? 0 - bits : bits);
}

TextSink& TextSink::hex(std::uint64_t n) {
  char digits[17];
  char* at = digits + sizeof(digits) - 1;
  *at = '\0';
  do {
    *--at = "0123456789abcdef"[n % 16];
    n /= 16;
  } while (n != 0);
  return put("0x").put(at);
}

void TextSink::flush() {
  if (text_ != nullptr) {
    text_->append(buffer_, used_);
  } else {
    std::size_t done = 0;
    while (done < used_) {
      const ssize_t n = write(fd_, buffer_ + done, used_ - done);
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
  }
  used_ = 0;
}

const char* status_name(std::uint32_t status) {
  switch (static_cast<GStatus>(status & ~kGScan)) {
    case GStatus::idle:
      return "idle";
    case GStatus::runnable:
      return "runnable";
    case GStatus::running:
      return "running";
    case GStatus::syscall:
      return "syscall";
    case GStatus::waiting:
      return "waiting";
    case GStatus::dead:
      return "dead";
    case GStatus::copystack:
      return "copystack";
    case GStatus::preempted:
      return "preempted";
  }
  return "???";
}

void print_goroutine(TextSink* out, const G* gp, const Backtrace* trace) {
  const std::uint32_t status = gp->atomicstatus.load(std::memory_order_acquire);
  const bool waiting = (status & ~kGScan) == static_cast<std::uint32_t>(GStatus::waiting);
  out->put("goroutine ").number(gp->goid).put(" [");
  out->put(waiting && gp->waitreason != WaitReason::none ? wait_reason_string(gp->waitreason)
                                                         : status_name(status));
  if (gp->lockedm != nullptr) out->put(", locked to thread");
  out->put("]:\n");
  if (trace != nullptr) {
    print_backtrace(out, *trace);
  } else {
    out->put("\tgoroutine running on other thread; stack unavailable\n");
  }
  if (gp->parent_goid != 0) {
    print_creator(out, gp->gopc, gp->parent_goid);
  }
}

static void print_p(TextSink* out, const P* pp) {
  const char* const names[] = {"idle", "running", "syscall", "gcstop", "dead"};
  out->put("P").number(static_cast<std::uint64_t>(pp->id)).put(": status=");
  out->put(names[pp->status.load(std::memory_order_relaxed)]);
  out->put(" schedtick=").number(pp->schedtick);
  out->put(" syscalltick=").number(pp->syscalltick).put(" runnext=");
  const G* next = pp->runnext.load(std::memory_order_acquire);
  if (next != nullptr) {
    out->put("G").number(next->goid);
  } else {
    out->put("nil");
  }
  const std::uint32_t head = pp->runqhead.load(std::memory_order_acquire);
  const std::uint32_t tail = pp->runqtail.load(std::memory_order_acquire);
  out->put(" runqsize=").number(tail - head).put(" runq=[");
  constexpr std::uint32_t kShown = 16;
  for (std::uint32_t i = head; i != tail && i - head < kShown; ++i) {
    const G* gp = pp->runq[i % kRunqSize].load(std::memory_order_relaxed);
    out->put(i == head ? "G" : " G").number(gp == nullptr ? 0 : gp->goid);
  }
  out->put(tail - head > kShown ? " …]\n" : "]\n");
}

void print_all(TextSink* out) {
  const G* self = getg();
  const M* mp = self == nullptr ? nullptr : self->m;
  const G* current = mp == nullptr ? nullptr : mp->curg.load(std::memory_order_relaxed);
  std::uint64_t shown = 0;
  std::uint64_t left = 0;
  for_each_g([&](const G* gp) {
    const auto status =
        static_cast<GStatus>(gp->atomicstatus.load(std::memory_order_acquire) & ~kGScan);
    if (status == GStatus::dead || gp == current) return;
    // A million goroutines say nothing that the first thousand do not.
    if (++shown > 1000) {
      ++left;
      return;
    }
    out->put("\n");
    Backtrace trace;
    // In a system call its M runs on g0, and its own frames rest.
    const bool off_stack =
        status == GStatus::waiting || status == GStatus::runnable || status == GStatus::syscall;
    if (off_stack) capture_parked(gp, &trace);
    print_goroutine(out, gp, off_stack ? &trace : nullptr);
  });
  if (left != 0) out->put("\n… and ").number(left).put(" more goroutines\n");
  out->put("\n");
  out->put("GRQ: runqsize=").number(static_cast<std::uint64_t>(sched.runqsize.load()));
  out->put(" idleprocs=").number(static_cast<std::uint64_t>(sched.npidle.load()));
  out->put(" threads=").signed_number(sched.mcount);
  out->put(" spinningthreads=").signed_number(sched.nmspinning.load());
  out->put(" idlethreads=").signed_number(sched.nmidle).put("\n");
  const auto procs = static_cast<std::size_t>(sched.gomaxprocs.load());
  for (std::size_t i = 0; i < procs && i < allp.size(); ++i) print_p(out, allp[i]);
  for (const M* m = allm; m != nullptr; m = m->alllink) {
    out->put("M").number(static_cast<std::uint64_t>(m->id)).put(": p=");
    if (m->p != nullptr) {
      out->put("P").number(static_cast<std::uint64_t>(m->p->id));
    } else {
      out->put("nil");
    }
    const G* gp = m->curg.load(std::memory_order_acquire);
    out->put(" curg=");
    if (gp != nullptr) {
      out->put("G").number(gp->goid);
    } else {
      out->put("nil");
    }
    out->put(m->spinning ? " spinning=true" : " spinning=false");
    out->put(m->blocked ? " blocked=true" : " blocked=false");
    if (const G* locked = m->lockedg; locked != nullptr) {
      out->put(" lockedg=G").number(locked->goid);
    }
    out->put("\n");
  }
}

}  // namespace goro
