// Local run queues filled and read by hand, as lists of ids: for tests that must not rely on the
// functions that do the same in a slot.
#pragma once

#include <cstdint>
#include <vector>

#include "contracts/constants.h"
#include "contracts/model.h"

namespace goro::testing {

using Ids = std::vector<std::uint64_t>;

inline std::uint64_t id_of(const G* gp) {
  return gp == nullptr ? 0 : gp->goid;
}

// Appends gp to the ring of pp.
inline void put_in_ring(P* pp, G* gp) {
  const std::uint32_t tail = pp->runqtail.load();
  pp->runq[tail % kRunqSize].store(gp);
  pp->runqtail.store(tail + 1);
}

// The ids in the ring, oldest first; leaves them there.
inline Ids ring_of(const P* pp) {
  Ids ids;
  const std::uint32_t tail = pp->runqtail.load();
  for (std::uint32_t i = pp->runqhead.load(); i != tail; ++i) {
    ids.push_back(id_of(pp->runq[i % kRunqSize].load()));
  }
  return ids;
}

inline Ids ids_from(std::uint64_t first, std::uint64_t last) {
  Ids ids;
  for (std::uint64_t id = first; id <= last; ++id) ids.push_back(id);
  return ids;
}

}  // namespace goro::testing
