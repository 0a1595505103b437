#include "contracts/services/random.h"

#if GORO_SIMULATE
#include "simulation/simulation.h"
#endif

namespace goro {

std::uint32_t random_seed(std::int32_t id) {
#if GORO_SIMULATE
  if (sim::active) return static_cast<std::uint32_t>(sim::random_number()) | 1;
#endif
  // Any numbers that differ from P to P.
  const std::uint32_t seed = 2463534242U + static_cast<std::uint32_t>(id) * 2654435761U;
  return seed == 0 ? 1 : seed;
}

}  // namespace goro
