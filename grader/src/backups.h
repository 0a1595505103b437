#pragma once

#include "course.h"

namespace goro::grader {

// Where a student's version of `file` goes before it is replaced: below build/backups, under a name
// that is not taken.
fs::path backup_path(const Course& course, const fs::path& file);

}  // namespace goro::grader
