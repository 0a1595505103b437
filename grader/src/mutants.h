#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab.h"

namespace goro::grader {

// One small bug to be planted in a solution.
struct Mutant {
  std::string name;
  std::string what;  // in words
  std::string file;  // of the lab's slot
  std::string find;  // stands in the solution exactly once
  std::string replace;
  std::vector<std::string> caught_by;  // each of these tests must notice it
  std::string names;                   // a word that the failing test's report must contain
  std::optional<Architecture> architecture;
};

// grader/mutants/NN-name.json, as strict as lab.json. Tests that the lab does not have, files that
// are not its slot's and names that stand twice are Problems.
std::vector<Mutant> parse_mutants(const std::string& json, const std::string& shown,
                                  const Lab& lab);

// The solution's text with the bug in it. A Problem if the mutant is stale: its text does not stand
// in the solution exactly once.
std::string plant(const Mutant& mutant, const std::string& solution, const std::string& shown);

}  // namespace goro::grader
