#pragma once

#include <string>

#include "score.h"

namespace goro::grader {

// SARIF 2.1.0: what kept labs from being built, with places.
std::string report_sarif(const Score& score);

}  // namespace goro::grader
