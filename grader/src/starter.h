#pragma once

#include <string>
#include <vector>

#include "course.h"
#include "files.h"

namespace goro::grader {

// One version of a file in the repository's history.
struct FileVersion {
  std::string commit;
  std::string content;
};

// Which version, of the newest first, is the starter? The newest one in which nothing has been
// implemented yet, that is, the one with the most "not implemented" marks. So a student's own
// commits are passed over, and a starter that the course corrected later is preferred to its first
// version. Nothing if there is no version.
const FileVersion* find_starter(const std::vector<FileVersion>& newest_first);

// The committed versions of a file, newest first. A Problem if git cannot tell.
std::vector<FileVersion> committed_versions(const fs::path& root, const std::string& file);

// What a slot file was handed out as; `file` is its path below the root. A students' edition keeps
// its starters, and the course itself has them in its history.
std::string starter_of(const Course& course, const fs::path& file);

}  // namespace goro::grader
