// Tests that explore schedules. Only in builds with GORO_SIMULATE.
//
//   TEST(Queue, EveryScheduleKeepsEveryGoroutine) {
//     sim::explore({.seeds = 2000}, [] {
//       FakeM m(2);
//       sim::Threads thieves;
//       thieves.start("thief", [&] { … });
//       … what the owner does, on this thread, which is called "main" …
//       thieves.join();
//       EXPECT_EQ(…);
//     });
//   }
//
// The body runs once for each seed, in another process, with its threads taking turns as the seed
// decides. It may use GoogleTest's expectations, on large stacks as ever: the first that fails ends
// the schedule. So do a deadlock, a fatal error, a crash, and a schedule that does not end. Then a
// schedule with as few switches as possible that fails in the same way is looked for and told,
// step by step. A body must start from the same state each time, and must not look at clocks,
// addresses or real threads.
//
// GORO_SEED=S explores that seed only. GORO_SEEDS=N explores so many.
#pragma once

#if GORO_SIMULATE

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulation/simulation.h"

namespace goro::sim {

struct Exploration {
  std::uint64_t seeds = 1000;
  std::uint64_t most_steps = 0;  // of one schedule; 0: many times what an undisturbed one takes
};

struct Failure {
  std::uint64_t seed = 0;
  std::uint64_t explored = 0;  // schedules that passed before
  std::uint32_t switches = 0;  // in the schedule that is told
  std::string what;            // what went wrong
  std::string story;           // how
  std::string text() const;    // all of it
};

// What explore reports. Nothing: no schedule of those explored fails.
std::optional<Failure> find_failure(const Exploration& options, const std::function<void()>& body);

// The test fails if a schedule does.
void explore(const Exploration& options, const std::function<void()>& body);

// One number for all that happens under a seed: equal for equal schedules. 0 if it fails.
std::uint64_t fingerprint(std::uint64_t seed, const std::function<void()>& body);

// Ends the schedule as failed.
[[noreturn]] void fail(const std::string& what);

// While it lives, nothing is a point: for what a test does alone, before its threads are started or
// after they have ended, and what would only make schedules longer.
class Undisturbed {
 public:
  Undisturbed() : outer_(active) { active = false; }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;
  ~Undisturbed() { active = outer_; }

 private:
  bool outer_;
};

// Simulated threads of one test.
class Threads {
 public:
  Threads() = default;
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { join(); }

  void start(const char* name, std::function<void()> f) {
    const auto& kept = bodies_.emplace_back(std::make_unique<std::function<void()>>(std::move(f)));
    ids_.push_back(start_thread(
        name, [](void* arg) { (*static_cast<std::function<void()>*>(arg))(); }, kept.get()));
  }

  // Waits for all of them.
  void join() {
    for (const int id : ids_) sim::join(id);
    ids_.clear();
  }

 private:
  std::vector<std::unique_ptr<std::function<void()>>> bodies_;
  std::vector<int> ids_;
};

}  // namespace goro::sim

#endif
