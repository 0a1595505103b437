// What the tests of this lab share: queues that are filled and read without the functions under
// test, and Ps that are idle.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "contracts/constants.h"
#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/processors.h"
#include "contracts/work_stealing.h"
#include "testing/fake.h"
#include "testing/rings.h"
#include "testing/story.h"

namespace goro::testing {

inline std::uint32_t length(const P* pp) {
  return pp->runqtail.load() - pp->runqhead.load();
}

// An empty ring whose indices stand at `at`.
inline void start_ring_at(P* pp, std::uint32_t at) {
  pp->runqhead.store(at);
  pp->runqtail.store(at);
}

// `n` new goroutines on the tail of pp's ring.
inline void fill_ring(FakeM& fake, P* pp, std::uint32_t n) {
  for (std::uint32_t i = 0; i < n; ++i) put_in_ring(pp, fake.g());
}

// `n` new goroutines in the GRQ.
inline void fill_global(FakeM& fake, int n) {
  for (int i = 0; i < n; ++i) sched.runq.push_back(fake.g());
  sched.runqsize.store(sched.runqsize.load() + n);
}

// Some other M that is busy with the P, as far as anyone can see.
inline void make_running(P* pp) {
  pp->status.store(static_cast<std::uint32_t>(PStatus::running));
}

inline void make_idle(P* pp) {
  pp->status.store(static_cast<std::uint32_t>(PStatus::idle));
  sched.lock.lock();
  pidleput(pp);
  sched.lock.unlock();
}

}  // namespace goro::testing
