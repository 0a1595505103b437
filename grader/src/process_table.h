#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace goro::grader {

// One line of the system's list of processes.
struct ProcessEntry {
  pid_t id = 0;
  pid_t parent = 0;
  bool zombie = false;
  std::uint64_t threads = 0;
  std::uint64_t resident_bytes = 0;
};

// All processes that can be seen; `user`: only that user's.
std::vector<ProcessEntry> process_table();
std::vector<ProcessEntry> processes_of(uid_t user);

// How much of `first` and all that it started, directly or not, is in memory.
std::uint64_t resident_bytes_of_tree(pid_t first);

}  // namespace goro::grader
