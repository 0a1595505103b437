// A simulation of threads: one runs at a time, and a seed decides which.
//
// A simulated thread is a stack and a few words of state; all of them share one thread of the
// operating system. At each point (an access to a goro::atomic, a wait, a rest) the simulator may
// give the turn to another. Nothing else makes threads switch, so a program whose threads meet in
// atomics, notes and locks only does the same again for the same decisions.
//
//   strategy.h      who gets the turn: from a seed, or from a list of switches
//   core.cpp        threads, turns, time
//   services.cpp    what the runtime asks the system for: futexes, rests, threads
//   names.cpp       what the words that threads meet in are called
//   report.h        what a schedule leaves behind
//   ../testing/simulate.h   for tests: explore many seeds, find a short schedule, tell it
//
// Time is virtual. It goes on by kStepTime with each step, and when everybody waits, it jumps to
// the first moment that somebody waits for. So a program that naps takes no time here.
//
// A simulation lives in a process of its own, made for it (see testing/simulate.cpp), in which a
// failed schedule simply ends: by end(), by the runtime's fatal errors, or by a signal.
//
// The stack of a goroutine may be small. before() hops to the M's g0 if it is on one; so turns
// change on large stacks only, and the word that x86-64 prologues compare with is 0 whenever they
// do.
#pragma once

#include <cstdint>
#include <string>

#include "simulation/point.h"
#include "simulation/report.h"

namespace goro::sim {

inline constexpr std::int64_t kNever = INT64_MAX;
inline constexpr std::int64_t kStepTime = 100;  // nanoseconds

struct Plan;

// -- the explorer's side --

// Runs body as thread 0, named "main", under `plan`, until it and every thread it started have
// ended. Does not come back when the schedule fails. With `tell`, every step goes into the report.
void run_schedule(Report* report, const Plan& plan, std::uint64_t most_steps, bool tell,
                  void (*body)(void* arg), void* arg);

// The schedule fails: writes the outcome, unless one was written before, and ends the process.
[[noreturn]] void end(Outcome outcome, const std::string& message);

// From here on nothing is a point any more: the process is about to end, and prints. Any stack.
void freeze();

// -- for threads of the simulation --

int start_thread(const char* name, void (*fn)(void* arg), void* arg);
// Waits until it has ended.
void join(int thread);
// What start_thread has returned, or will return, for this thread.
int this_thread();
// All threads that this one could have started.
void join_all();
void name_this_thread(const char* name);

// A point where nothing is accessed.
void mark(const char* name, Where where = Where::here());
// The caller waits for somebody in a loop: others go first.
void relax(Where where = Where::here());
// Sleeps; virtual time.
void rest(std::int64_t nanoseconds, Where where = Where::here());
// Waits until somebody writes to the word. The caller looks again.
void wait_for_change(const volatile void* word, Where where);
// See contracts/services/futex.h. kNever: no limit.
void futex_sleep(const volatile std::uint32_t* word, std::uint32_t expected,
                 std::int64_t nanoseconds, Where where = Where::here());
void futex_wakeup(const volatile std::uint32_t* word, int count, Where where = Where::here());
// Nanoseconds.
std::int64_t now();
// A number that the seed decides.
std::uint64_t random_number();

// Accesses to [address, address + size) are no points in this schedule: for words that a test knows
// to be harmless, where there are so many accesses that switches at others would become rare.
void pass_over(const volatile void* address, std::size_t size);

// Whether every step goes into the report.
bool telling();

// What stories call the words in [address, address + size).
void name(const volatile void* address, std::size_t size, const char* text);

// -- names.cpp --

struct Name {
  std::string text;
  bool holds_g = false;  // the word is a G*
};
Name name_of(const volatile void* address);
// "P1, G7": what the M that this thread is works on; empty if it is none.
std::string who_runs();
void forget_names();
// The id of the G at that address.
std::uint64_t g_id(std::uint64_t address);
// While the runtime runs: every goroutine and every P to stderr.
void dump_runtime();

}  // namespace goro::sim

// A place in a test where threads may switch although no atomic is accessed.
#define GORO_SIMULATION_POINT(name) ::goro::sim::mark(name)
