// Runs schedules in processes of their own, and shortens one that fails. See simulate.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "simulation/report.h"

namespace goro::sim {

// How a process that ran schedules ended, as far as failures are told apart by it.
struct Ended {
  Outcome outcome = Outcome::unfinished;
  int status = 0;      // of the process; 128 + signal
  std::string output;  // what it wrote to stderr

  [[nodiscard]] bool failed() const { return outcome != Outcome::passed; }
  // The same mistake, as far as one can see?
  [[nodiscard]] bool same_as(const Ended& other) const;
};

// The shared memory, and one process at a time that writes there.
class Explorer {
 public:
  Explorer(std::function<void()> body, std::uint64_t most_steps);
  ~Explorer();
  Explorer(const Explorer&) = delete;
  Explorer& operator=(const Explorer&) = delete;

  [[nodiscard]] const Report& report() const { return *report_; }

  // Seed 0, which also measures how long a schedule is, then the others in order, until one fails.
  Ended explore(std::uint64_t first, std::uint64_t last);

  // One schedule. With `tell`, all its steps are in the report afterwards.
  Ended replay(std::uint64_t seed, const std::vector<Switch>& switches, bool tell);

  // Every schedule with at most so many switches, until one fails or all of them together had so
  // many steps. Then searched() is the one that failed.
  Ended search(std::uint64_t seed, int most_switches, std::uint64_t most_steps);
  [[nodiscard]] std::vector<Switch> searched() const;

  // The switches that the last schedule took.
  [[nodiscard]] std::vector<Switch> taken() const;

 private:
  template <typename F>
  Ended in_child(F&& work);
  bool try_with_more(std::uint64_t seed, int more, std::uint64_t most_steps, std::uint64_t* steps);
  std::uint64_t limit_for(std::uint64_t expected) const;

  std::function<void()> body_;
  std::uint64_t most_steps_;
  Report* report_;
  Schedule* switches_;  // of a replay
  std::uint64_t limit_ = 0;
};

// A list of switches that fails as `failed` did, and of which none can be left out.
std::vector<Switch> shorten(Explorer* explorer, std::uint64_t seed, const Ended& failed,
                            std::vector<Switch> switches);

// The report's steps, for a reader.
std::string tell_story(const Report& report);

}  // namespace goro::sim
