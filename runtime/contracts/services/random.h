// Random numbers that only have to be quick.
#pragma once

#include <cstdint>

#include "contracts/model.h"

namespace goro {

// What the sequence of the P with this id starts from; not 0.
std::uint32_t random_seed(std::int32_t id);

// The next number of pp's own sequence (xorshift; never 0). By the owner of pp. Go: cheaprand.
inline std::uint32_t cheaprand(P* pp) {
  std::uint32_t x = pp->random;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  pp->random = x;
  return x;
}

// A number below n, from the same sequence; n > 0. Go: cheaprandn.
inline std::uint32_t cheaprandn(P* pp, std::uint32_t n) {
  return static_cast<std::uint32_t>((std::uint64_t{cheaprand(pp)} * n) >> 32);
}

}  // namespace goro
