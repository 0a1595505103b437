#pragma once

#include <string>

#include "course.h"
#include "submission.h"

namespace goro::grader {

// The SHA-256 of a text, in hexadecimal.
std::string digest_of(const std::string& text);

// Two submissions with the same digest are graded the same.
std::string digest_of(const Submission& submission, const Course& course);

// Of everything in a folder whose content may change a grade. Nothing links to what a digest of a
// link would follow, so links count by what they say.
std::string digest_of_folder(const fs::path& folder);

// Of what the course grades with: tests, solutions, runtime and grader. The starters and the
// handouts are no part of it.
std::string digest_of(const Course& course);

}  // namespace goro::grader
