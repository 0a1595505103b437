// Misuse, and what a program raises itself. Go: panic.
#pragma once

#include <stdexcept>
#include <string>

namespace goro {

// Thrown for misuse, with Go's text. One that leaves a goroutine prints `panic: TEXT` and a
// backtrace, and ends the program with status 2.
class Panic : public std::runtime_error {
 public:
  explicit Panic(const std::string& text) : std::runtime_error(text) {}
};

}  // namespace goro
