// What is measured in a process of its own, with nothing but the runtime's public interface.
#pragma once

#include <string>
#include <vector>

namespace goro::bars {

struct Workload {
  std::string name;
  int procs = 1;
  long count = 0;
};

// The figures of one workload, in the order in which go/bars.go prints them. Empty: no such
// workload.
std::vector<double> run_workload(const Workload& workload);

}  // namespace goro::bars
