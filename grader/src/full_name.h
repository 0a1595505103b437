#pragma once

#include <string>

#include "lab.h"

namespace goro::grader {

// The full name of the test or benchmark of the lab that the user means by `wanted`: its name, or a
// part that no other has. Throws a Problem that lists what it could be.
std::string full_name(const Lab& lab, const std::string& wanted);

}  // namespace goro::grader
