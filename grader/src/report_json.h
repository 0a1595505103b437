#pragma once

#include <string>

#include "score.h"

namespace goro::grader {

std::string report_json(const Score& score);
// Throws a Problem if the text is nothing that report_json wrote.
Score score_from_json(const std::string& text);

// One lab of a report, for the results that a later `status` or `hint` reads.
std::string lab_to_json(const LabScore& lab);
// Throws a Problem if the text is nothing that lab_to_json wrote.
LabScore lab_from_json(const std::string& text);

}  // namespace goro::grader
