#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files.h"
#include "sandbox.h"

namespace goro::grader {

struct Command {
  std::vector<std::string> arguments;  // the program first, found through PATH
  fs::path folder;                     // where it runs
  // "NAME=value"; the whole environment, or nothing to inherit the grader's own.
  std::optional<std::vector<std::string>> environment;

  [[nodiscard]] std::string shown() const;  // as one would type it
};

struct Limits {
  std::optional<std::chrono::seconds> time = std::nullopt;
  // At the time limit SIGQUIT asks for a dump; the group is killed this much later.
  std::chrono::milliseconds dump_time{5000};
  // Of each process; nothing: every processor for as long as `time` lasts.
  std::optional<std::chrono::seconds> processor_time = std::nullopt;
  std::optional<std::uint64_t> memory_bytes = std::nullopt;
  std::optional<std::uint64_t> file_bytes = std::nullopt;
  // Of all the processes together, as far as they are in memory; looked at from time to time.
  std::optional<std::uint64_t> resident_bytes = std::nullopt;
  // Whoever prints more is ended.
  std::optional<std::uint64_t> most_output = std::nullopt;
  // Of the output, this many bytes from the start and as many from the end are kept.
  std::size_t output_bytes = std::size_t{1} << 17;
};

struct Extras {
  // Makes a socket pair: `greeting` is ready to be read from the child's end, whose number is in
  // the environment variable GORO_TEST_CHANNEL; what the child writes is in Ended::channel.
  std::optional<std::string> greeting = std::nullopt;
  // ThreadSanitizer cannot start with as much address randomisation as newer kernels use.
  bool fixed_addresses = false;
  // A submission's code is at work: what it can see and use.
  std::optional<Confinement> confinement = std::nullopt;
  // Called with each complete line of output as it comes.
  std::function<void(std::string_view)> on_line = {};
};

// What a Problem begins with if none of the run's code has run because of that.
inline constexpr std::string_view no_sandbox = "a sandbox could not be made: ";

struct Ended {
  enum class How { exited, signalled, timed_out, over_limit, not_started };
  How how = How::not_started;
  int status = 0;  // exit status or signal number
  std::string output;
  std::string channel;
  std::string why_not_started;
  std::string limit;  // over_limit: "used more than 6 GB of memory"
  double seconds = 0;

  [[nodiscard]] bool ok() const { return how == How::exited && status == 0; }
};

// Runs a program in a process group of its own with stdin from /dev/null and stdout and stderr in
// one pipe. When it returns, no process of that group is left; of a confined one, none at all.
Ended run_process(const Command& command, const Limits& limits, const Extras& extras = {});

// Runs a program that has the terminal, its signals and stdin to itself, as if it had been typed.
// Meanwhile interruptions are its business, not this program's. The result is its status as a shell
// would have it.
int run_in_front(const std::vector<std::string>& arguments);

// Becomes a program that has the terminal and its signals to itself: nothing stays blocked that is
// blocked here. Returns, with errno, only if that fails.
void become(std::vector<std::string> arguments);

// From now on SIGINT, SIGTERM and SIGHUP kill every group that run_process started, then call
// `farewell`, then end this program with status 128 + the signal's number, as a shell reports it.
// Call it before any thread is started.
void kill_children_when_interrupted(std::function<void()> farewell);

// This program's environment, for one that differs a little.
std::vector<std::string> own_environment();

bool program_exists(const std::string& name);

// How many processors this process may use.
unsigned processors();

}  // namespace goro::grader
