#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "batch_record.h"
#include "terminal.h"

namespace goro::grader {

// How far a batch is: a bar on a terminal, elsewhere a line for each submission. Safe to use from
// several threads.
class BatchProgress {
 public:
  BatchProgress(Terminal& terminal, std::size_t total) : terminal_(terminal), total_(total) {}

  void news(const std::string& name, const std::string& text);
  void ended(const BatchRecord& record);
  [[nodiscard]] std::size_t done() const;

 private:
  void draw();

  Terminal& terminal_;
  const std::size_t total_;
  mutable std::mutex lock_;
  std::size_t done_ = 0;
  std::string latest_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace goro::grader
