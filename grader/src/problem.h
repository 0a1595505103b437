#pragma once

#include <stdexcept>
#include <string>

namespace goro::grader {

// What the program's exit status means; `./course --help` says the same.
enum class ExitStatus {
  all_points = 0,      // everything that was graded has all its points
  points_missing = 1,  // graded, and something is missing
  wrong_use = 2,       // the command line asks for something that does not exist
  broken = 3,          // a tool is missing, or the course itself is broken
};

// An error whose text is one line for the user: what is wrong and what to do about it.
class Problem : public std::runtime_error {
 public:
  Problem(ExitStatus status, const std::string& text) : std::runtime_error(text), status_(status) {}

  [[nodiscard]] ExitStatus status() const { return status_; }

 private:
  ExitStatus status_;
};

inline Problem wrong_use(const std::string& text) {
  return {ExitStatus::wrong_use, text};
}
inline Problem broken(const std::string& text) {
  return {ExitStatus::broken, text};
}

}  // namespace goro::grader
