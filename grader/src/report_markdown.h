#pragma once

#include <string>

#include "score.h"

namespace goro::grader {

std::string report_markdown(const Score& score);
// The same for a job's summary on GitHub, which takes at most 1 MiB.
std::string report_summary(const Score& score);

}  // namespace goro::grader
