#pragma once

#include <map>
#include <optional>
#include <string>

#include "course.h"
#include "files.h"
#include "lab.h"
#include "stored_files.h"

namespace goro::grader {

// What a submission hands in for one lab's slot.
struct SlotFiles {
  std::map<std::string, std::string> contents;  // by file name
  std::string problem;                          // one line; not empty: the lab cannot be built
};

// NN-name/ folders with slot files, in a folder, an archive or a commit. Only the files that
// lab.json names are taken, and only as regular files in a real folder: whatever a link points at
// is not the student's work.
class Submission {
 public:
  // What a user names: "labs" or "solutions", which are the course's own, a folder, an archive, or
  // a git revision (revision.h). What exists under a name that could be a revision is meant first.
  static Submission open(const std::string& source, const Course& course);

  // `folder` holds NN-name/ folders itself or, as a clone of the course does, below labs/.
  Submission(const fs::path& folder, const Course& course);

  [[nodiscard]] SlotFiles take(const Lab& lab) const;

  // The same submission with one file's content changed; the folder stays as it is.
  [[nodiscard]] Submission with(const Lab& lab, const std::string& file, std::string content) const;

  // The same submission, for messages that its author reads: to her its files are those in labs/.
  [[nodiscard]] Submission for_its_author() const;
  // How messages name the place of its NN-name/ folders.
  [[nodiscard]] std::string shown() const;
  // Whether whoever reads the messages has these files in the course's labs/.
  [[nodiscard]] bool in_readers_labs(const Course& course) const;

  // Where its NN-name/ folders are; an archive or a revision is no folder.
  [[nodiscard]] const fs::path& folder() const { return folder_; }
  [[nodiscard]] bool in_folder() const { return !stored_; }

 private:
  Submission(std::string shown, StoredFiles stored, const Course& course);

  [[nodiscard]] SlotFiles take_from_folder(const Lab& lab) const;
  [[nodiscard]] SlotFiles take_stored(const Lab& lab) const;

  fs::path folder_;
  bool for_its_author_ = false;
  std::optional<StoredFiles> stored_;
  std::map<std::string, std::string> changed_;  // by NN-name/file
};

}  // namespace goro::grader
