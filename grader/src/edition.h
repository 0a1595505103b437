#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "course.h"

namespace goro::grader {

// What a students' edition says of itself in edition/edition.json: the course without what
// instructors keep to themselves (files with the attribute instructors-only in .gitattributes, and
// parts of pages between marks), and with the folder edition/: each slot file's starter, and the
// sealed reference, if any.
struct Edition {
  std::string commit;    // of the course
  std::string date;      // of that commit, in UTC
  std::string compiler;  // that the reference was sealed with; empty: not sealed
  std::map<std::string, std::string> files;  // by path, git's id of the content
};

inline const fs::path edition_file = "edition/edition.json";
inline const fs::path edition_starters = "edition/starters";
inline const fs::path edition_sealed = "edition/sealed";
inline const std::string instructors_only = "instructors-only";

// Nothing if `root` is the course itself. A Problem if the file is damaged.
std::optional<Edition> edition_in(const fs::path& root);

std::string edition_to_json(const Edition& edition);

// "the edition of 2026-11-23 (1f3c2ab04d)"
std::string shown_edition(const Edition& edition);

// A Problem in a students' edition, which lacks what `command` needs.
void require_course(const Course& course, const std::string& command);

// A Problem where no slot can be the reference's, unless none has to be.
void require_reference(const Course& course, const std::vector<const Lab*>& labs, bool own,
                       bool benchmarks);

}  // namespace goro::grader
