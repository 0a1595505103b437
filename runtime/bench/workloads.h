// What is measured of goro in a process of its own.
#pragma once

#include <vector>

#include "bench/peer.h"

namespace goro::bars {

// The figures of one workload, in the order in which the other peers print them. Empty: no such
// workload.
std::vector<double> run_workload(const Workload& workload);

}  // namespace goro::bars
