// What a schedule leaves behind, in memory that the process which explores shares with the one
// that looks at the result: a crash in the middle loses nothing.
#pragma once

#include <cstdint>

#include "simulation/point.h"

namespace goro::sim {

// "When `thread` is at its `step`-th point, `to` runs instead of whoever would by default." Counted
// per thread, so that a list of these keeps its meaning when one of them is taken out.
struct Switch {
  std::uint32_t step;
  std::uint16_t thread;
  std::uint16_t to;
};

// By default a thread runs until it waits, rests or ends; then the next one that can run does, in
// order of creation.
struct Schedule {
  static constexpr std::uint32_t kMost = 1U << 16;
  std::uint32_t count = 0;
  Switch switches[kMost];
};

enum class Outcome : std::uint32_t {
  unfinished,  // the process ended in the middle of a schedule
  passed,
  failed,        // the test says so
  stuck,         // every thread waits
  endless,       // too many steps
  hung,          // no point for a long time
  crashed,       // a signal
  not_finished,  // a function that is not written yet
};

// One access, for the story.
struct Event {
  Op op;
  bool done;        // false: the thread lost its turn, or waits, and this is what comes next
  bool has_result;  //
  bool value_is_g;  // value and result are addresses of Gs: they are ids already
  std::uint16_t thread;
  std::uint64_t value;
  std::uint64_t result;
  Where where;
  char name[40];  // of the word
  char who[28];   // the M's P and goroutine, when the thread is an M
};

struct Report {
  static constexpr std::uint32_t kMostThreads = 1024;
  static constexpr std::uint32_t kMostEvents = 4096;
  static constexpr std::uint32_t kMessage = 1U << 15;

  std::uint64_t seed = 0;      // the one that runs, or ran last
  std::uint64_t explored = 0;  // schedules that passed
  bool finished = false;       // all that were asked for
  std::uint64_t steps = 0;     // in the last schedule
  std::uint64_t longest = 0;   // steps of the longest schedule
  Outcome outcome = Outcome::unfinished;
  int signal = 0;
  static constexpr int kMostFrames = 64;
  int frames = 0;  // where it crashed, innermost first
  std::uintptr_t pc[kMostFrames] = {};
  int lab = 0;
  int step = 0;
  char function[128] = {};
  char message[kMessage] = {};
  std::uint64_t fingerprint = 0;  // of every point that was passed, in order
  Schedule taken;
  std::uint32_t threads = 0;
  char names[kMostThreads][24] = {};
  std::uint32_t steps_of[kMostThreads] = {};
  // The first and the last points: what lies between is only counted.
  std::uint64_t events = 0;
  Event first[kMostEvents];
  Event last[kMostEvents];
};

}  // namespace goro::sim
