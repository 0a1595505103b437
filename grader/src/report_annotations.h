#pragma once

#include <string>

#include "score.h"

namespace goro::grader {

// Workflow commands that make GitHub show errors at the lines of a pull request: what keeps a lab
// from being built first, then the most telling failures of each lab. GitHub shows ten of a step.
std::string report_annotations(const Score& score);

}  // namespace goro::grader
