#pragma once

#include <map>
#include <string>

#include "course.h"
#include "files.h"
#include "lab.h"

namespace goro::grader {

// What a submission hands in for one lab's slot.
struct SlotFiles {
  std::map<std::string, std::string> contents;  // by file name
  std::string problem;                          // one line; not empty: the lab cannot be built
};

// A folder of NN-name/ folders with slot files. Only the files that lab.json names are taken, and
// only as regular files in a real folder: whatever a link points at is not the student's work.
class Submission {
 public:
  // `folder` holds NN-name/ folders itself or, as a clone of the course does, below labs/.
  Submission(const fs::path& folder, const Course& course);

  [[nodiscard]] SlotFiles take(const Lab& lab) const;

  // The same submission with one file's content changed; the folder stays as it is.
  [[nodiscard]] Submission with(const Lab& lab, const std::string& file, std::string content) const;

  [[nodiscard]] const fs::path& folder() const { return folder_; }
  [[nodiscard]] fs::path lab_folder(const Lab& lab) const { return folder_ / lab.folder; }

 private:
  fs::path folder_;
  std::map<std::string, std::string> changed_;  // by NN-name/file
};

}  // namespace goro::grader
