#pragma once

#include <string>
#include <vector>

#include "lab.h"

namespace goro::grader {

// The full name of the test or benchmark of the lab that the user means by `wanted`: its name, or a
// part that no other has. Throws a Problem that lists what it could be.
std::string full_name(const Lab& lab, const std::string& wanted);

// The same; or, if `wanted` is what stands before the point in the names of several tests (their
// suite), all of those.
std::vector<std::string> full_names(const Lab& lab, const std::string& wanted);

}  // namespace goro::grader
