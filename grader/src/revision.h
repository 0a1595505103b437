#pragma once

#include <optional>
#include <string>

#include "course.h"
#include "files.h"
#include "stored_files.h"

namespace goro::grader {

// A commit, or a folder of one (REV:FOLDER), in a git repository.
struct Revision {
  fs::path repository;
  std::string name;  // as git understands it: a branch, a tag, a hash, HEAD~2, main:folder
};

// "git:REV" is a revision of the course's own repository, "PATH@REV" of the one in PATH. Nothing if
// `text` is neither, that is, if no part of it before an @ is a folder.
std::optional<Revision> parse_revision(const std::string& text, const fs::path& course_root);

// Reads the slot files, in NN-name/ or in labs/NN-name/, as they were committed; nothing is checked
// out, and nothing that the repository configures is run.
StoredFiles read_revision(const Revision& revision, const Course& course);

}  // namespace goro::grader
