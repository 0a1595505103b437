#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace goro::grader {

// One line of the system's list of processes.
struct ProcessEntry {
  pid_t id = 0;
  pid_t parent = 0;
  uid_t user = 0;
  bool zombie = false;
  std::uint64_t threads = 0;
  std::uint64_t resident_bytes = 0;
};

// All processes that can be seen; `user`: only that user's.
std::vector<ProcessEntry> process_table();
std::vector<ProcessEntry> processes_of(uid_t user);

struct Usage {
  std::uint64_t resident_bytes = 0;
  std::uint64_t threads = 0;
};

// What `first` and all that it started, directly or not, use at this moment; with a `user` that
// nobody else is, all of that user's processes too, and of the threads only that user's.
Usage usage_of_tree(pid_t first, std::optional<uid_t> user);

}  // namespace goro::grader
