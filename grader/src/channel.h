#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace goro::grader {

// A number that the test program is told and must repeat, so that a stray write is not believed.
std::string make_nonce();

// What a test or benchmark program reported over its private channel.
struct Report {
  struct Completion {
    bool passed = false;
    std::string message;
  };
  struct NotImplemented {
    int lab = 0;
    int step = 0;
    std::string function;
  };
  struct Crash {
    int signal = 0;
    std::string message;
    std::vector<std::string> frames;
  };

  bool started = false;
  std::vector<std::string> steps;  // what was done so far, in words
  std::optional<Completion> completion;
  std::optional<NotImplemented> not_implemented;
  std::optional<Crash> crash;
  std::optional<std::string> measured;  // Google Benchmark's own report, as JSON
};

// Reads the messages, one JSON object a line. Lines that are malformed, carry another nonce or
// speak of another test are ignored. Of two completions the worse one counts, of two measurements
// the first.
Report read_channel(std::string_view bytes, std::string_view nonce, std::string_view test);

}  // namespace goro::grader
