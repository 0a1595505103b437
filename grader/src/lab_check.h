#pragma once

#include <string>
#include <vector>

#include "course.h"

namespace goro::grader {

// Complaints, a line each, about what a lab's author may have forgotten; `files` are the
// repository's, relative to its root:
//   - a file in labs/NN-name or solutions/NN-name that neither lab.json nor CMake nor the handout
//     knows, or one that is missing there;
//   - a test or benchmark that lab.json names and no source holds, or the other way round;
//   - a test or benchmark without its three hints;
//   - a sample of `check` in the handout that is not what a student sees who has done nothing yet;
//   - a test that cannot tell what is not implemented from what is wrong;
//   - a solution in which something is not implemented, a lab without mutants.
std::vector<std::string> check_lab(const Course& course, const Lab& lab,
                                   const std::vector<std::string>& files);

}  // namespace goro::grader
