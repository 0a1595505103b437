#include "testing/fake.h"

#include <new>

#include "contracts/getg.h"
#include "contracts/stack.h"
#include "contracts/work_stealing.h"
#if GORO_SIMULATE
#include <string>

#include "testing/simulate.h"
#endif

namespace goro::testing {

namespace {

#if GORO_SIMULATE
using Undisturbed = sim::Undisturbed;
#else
struct Undisturbed {};
#endif

void dress(M* mp, P* pp, ExceptionState* exceptions) {
  [[maybe_unused]] const Undisturbed quiet;
  mp->g0 = &mp->g0_storage;
  mp->g0->m = mp;
  mp->g0->stack_kind = StackKind::system;
  mp->g0->sched.g = mp->g0;
  mp->exception_globals = exceptions;
  mp->p = pp;
  if (pp != nullptr) {
    pp->m = mp;
    pp->status.store(static_cast<std::uint32_t>(PStatus::running));
  }
  goro_tls_g = mp->g0;
}

}  // namespace

FakeM::FakeM(int procs) : outer_(goro_tls_g) {
  [[maybe_unused]] const Undisturbed quiet;
  for (int i = 0; i < procs; ++i) {
    auto* pp = new P;
    pp->id = i;
    pp->random = static_cast<std::uint32_t>(i) + 1;
    allp.push_back(pp);
  }
  sched.gomaxprocs.store(procs);
  stealorder.reset(static_cast<std::uint32_t>(procs));
  sched.foreign = 1;  // the test's threads: whoever sleeps here is no deadlock
  dress(&m_, allp[0], &exceptions_);
}

FakeM::~FakeM() {
  for (P* pp : allp) delete pp;
  allp.clear();
  sched.~Sched();
  new (&sched) Sched;
  goro_tls_g = outer_;
}

G* FakeM::g(GStatus status) {
  [[maybe_unused]] const Undisturbed quiet;
  G& gp = gs_.emplace_back();
  gp.goid = gs_.size();
  gp.sched.g = &gp;
  gp.atomicstatus.store(static_cast<std::uint32_t>(status));
#if GORO_SIMULATE
  if (sim::telling()) {
    const std::string text = "G" + std::to_string(gp.goid) + ".atomicstatus";
    sim::name(&gp.atomicstatus, sizeof(gp.atomicstatus), text.c_str());
  }
#endif
  return &gp;
}

std::vector<std::uint64_t> FakeM::drain_global() {
  [[maybe_unused]] const Undisturbed quiet;
  std::vector<std::uint64_t> ids;
  while (G* gp = sched.runq.pop()) ids.push_back(gp->goid);
  sched.runqsize.store(0);
  return ids;
}

FakeThread::FakeThread(P* pp) : outer_(goro_tls_g) {
  dress(&m_, pp, &exceptions_);
}

FakeThread::~FakeThread() {
  // A thief may look at our P's M.
  if (P* pp = m_.p; pp != nullptr && pp->m == &m_) pp->m = nullptr;
  goro_tls_g = outer_;
}

}  // namespace goro::testing
