#pragma once

#include <string>

#include "score.h"

namespace goro::grader {

std::string report_markdown(const Score& score);

}  // namespace goro::grader
