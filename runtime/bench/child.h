// Running a program and reading the figures it prints.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace goro::bars {

// Something that stands in the way of measuring; the text says what.
class CannotMeasure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Runs arguments[0], in `folder` if there is one, and returns its standard output; throws
// CannotMeasure unless it ends with status 0 in time.
std::string output_of(const std::vector<std::string>& arguments, const std::string& folder = {});

// The numbers in it, separated by white space.
std::vector<double> figures_of(const std::vector<std::string>& arguments);

// Builds go/bars.go with `go` (a program's name or path) and removes the result again at the end.
class GoProgram {
 public:
  explicit GoProgram(const std::string& go);
  ~GoProgram();
  GoProgram(const GoProgram&) = delete;
  GoProgram& operator=(const GoProgram&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& version() const { return version_; }

 private:
  std::string folder_;
  std::string path_;
  std::string version_;
};

// Its first line.
std::string one_line(const std::string& text);

// Is there such a program, here or in PATH?
bool program_exists(const std::string& program);

}  // namespace goro::bars
