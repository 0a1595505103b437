#pragma once

#include <string>

#include "score.h"

namespace goro::grader {

std::string report_junit(const Score& score);

}  // namespace goro::grader
