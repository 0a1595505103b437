#pragma once

#include <string>

#include "score.h"

namespace goro::grader {

// Gradescope's results.json. Its page "Autograder Specifications" is what
// grader/schemas/gradescope-results.schema.json states as a schema.
std::string report_gradescope(const Score& score);

}  // namespace goro::grader
