// Who gets the turn.
//
// Two ways of finding rare schedules, taken in turns by seed:
//   odd seeds: priorities, as in "A randomized scheduler with probabilistic guarantees of finding
//     bugs" (Burckhardt and others). Each thread gets a random priority, the highest runs, and at a
//     few random steps whoever runs falls to the lowest. A bug that needs d switches at certain
//     places is found with a probability of at least 1 / (threads * steps^(d-1)), however many
//     other places there are.
//   even seeds: a coin at each point, of a probability that the seed chooses. Good where bugs need
//     many switches, of which any will do.
// Seed 0 switches only where it must. A list of switches (Schedule) replays what was recorded.
#pragma once

#include <cstdint>
#include <vector>

#include "simulation/report.h"

namespace goro::sim {

// splitmix64: any seed is a good one, and the same numbers everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return next() % n; }

 private:
  std::uint64_t state_;
};

// What to run. Everything a schedule does follows from this.
struct Plan {
  std::uint64_t seed = 0;
  std::uint64_t expected_steps = 1;    // about how long the schedule will be
  const Schedule* switches = nullptr;  // if not null, these and no others
};

// Why somebody has to decide.
enum class Turn : std::uint8_t {
  may,     // the running thread could go on
  should,  // it could, but waits for others
  must,    // it cannot
};

class Strategy {
 public:
  explicit Strategy(const Plan& plan);

  // A thread exists, and can run. Ids count up from 0.
  void started(std::uint16_t thread);
  // A thread can run again: it may be more important than whoever does.
  void woken() { reconsider_ = true; }

  // Has the running thread to ask choose() at this step, where it may go on?
  bool wants_to_choose(std::uint16_t thread, std::uint32_t step, std::uint64_t total) {
    switch (kind_) {
      case Kind::none:
        return false;
      case Kind::replay:
        return wanted(thread, step) != nullptr;
      case Kind::coin:
        return random_.next() < coin_;
      case Kind::priorities:
        return reconsider_ || total >= next_change_;
    }
    return false;
  }

  // Who is next, among `able` (ids in order, at least one; the running thread is in it unless it
  // must stop).
  std::uint16_t choose(std::uint16_t thread, std::uint32_t step, std::uint64_t total, Turn turn,
                       const std::vector<std::uint16_t>& able);

  // The choice when nothing else is said.
  static std::uint16_t by_default(std::uint16_t thread, Turn turn,
                                  const std::vector<std::uint16_t>& able);

 private:
  enum class Kind : std::uint8_t { none, replay, coin, priorities };

  [[nodiscard]] const Switch* wanted(std::uint16_t thread, std::uint32_t step) const;
  void pass_change();

  Kind kind_;
  Random random_;
  const Schedule* switches_;
  std::vector<std::vector<Switch>> by_thread_;  // of switches_, by step
  std::uint64_t coin_ = 0;                      // out of 2^64
  std::vector<std::uint64_t> changes_;          // steps, last first
  std::uint64_t next_change_ = UINT64_MAX;
  std::vector<std::int64_t> priorities_;
  std::int64_t lowest_ = 0;
  bool reconsider_ = false;
};

}  // namespace goro::sim
