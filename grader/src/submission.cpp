#include "submission.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "archive_reader.h"
#include "problem.h"
#include "revision.h"
#include "text.h"
#include "unique_fd.h"

namespace goro::grader {

namespace {

constexpr const char* is_missing = " is missing";
constexpr const char* is_a_folder = " is a folder; it must be an ordinary file";
constexpr const char* is_special = " is a special file; it must be an ordinary file";

std::string is_a_link(const std::string& instead_of) {
  return " is a symbolic link; it must be an ordinary " + instead_of;
}

std::string folder_is_missing(const Lab& lab) {
  return "the folder " + lab.folder + " is missing from the submission";
}

// The first problem of a lab is the one that is told.
void keep(SlotFiles& taken, const std::string& file, std::string content,
          const std::string& problem) {
  if (problem.empty()) {
    taken.contents[file] = std::move(content);
  } else if (taken.problem.empty()) {
    taken.problem = problem;
  }
}

// Reads `name` in the open folder, or says in `problem` why it is not taken. The checks are made on
// the open descriptor, so nothing can be exchanged between check and use.
std::string take_file(int folder, const std::string& name, const std::string& shown,
                      std::string& problem) {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const UniqueFd file(
      ::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) {
    if (errno == ENOENT) {
      problem = shown + is_missing;
    } else if (errno == ELOOP) {
      problem = shown + is_a_link("file");
    } else {
      problem = "cannot read " + shown + ": " + std::strerror(errno);
    }
    return {};
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    problem = "cannot read " + shown + ": " + std::strerror(errno);
    return {};
  }
  if (S_ISDIR(status.st_mode)) {
    problem = shown + is_a_folder;
    return {};
  }
  if (!S_ISREG(status.st_mode)) {
    problem = shown + is_special;
    return {};
  }
  std::string content;
  std::array<char, 1 << 16> buffer{};
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      problem = "cannot read " + shown + ": " + std::strerror(errno);
      return {};
    }
    if (got == 0) {
      return content;
    }
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > largest_slot_file) {
      problem = shown + " is larger than 1 MB";
      return {};
    }
  }
}

std::string no_labs(const std::string& shown, const Course& course) {
  return "the submission " + shown + " holds no lab's folder, such as " +
         course.labs().back().folder;
}

}  // namespace

Submission Submission::open(const std::string& source, const Course& course) {
  if (source == "labs" || source == "solutions") {
    return {course.root() / source, course};
  }
  std::error_code error;
  const fs::file_status status = fs::status(source, error);
  if (fs::is_directory(status)) {
    return {fs::path(source), course};
  }
  if (fs::exists(status)) {
    return {source, read_archive(source, course), course};
  }
  if (const std::optional<Revision> revision = parse_revision(source, course.root())) {
    return {source, read_revision(*revision, course), course};
  }
  throw wrong_use("the submission " + source +
                  " does not exist; it may be a folder, an archive, git:REV or PATH@REV");
}

Submission::Submission(std::string shown, StoredFiles stored, const Course& course)
    : folder_(std::move(shown)), stored_(std::move(stored)) {
  if (stored_->empty()) {
    throw wrong_use(no_labs(folder_.string(), course));
  }
}

Submission::Submission(const fs::path& folder, const Course& course) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw wrong_use("the submission " + folder.string() + " is no folder");
  }
  folder_ = fs::canonical(folder);
  if (::access(folder_.c_str(), R_OK | X_OK) != 0) {
    throw wrong_use("cannot read the submission " + folder.string() + ": " + std::strerror(errno));
  }
  const auto holds_labs = [&](const fs::path& candidate) {
    for (const Lab& lab : course.labs()) {
      if (lab.slot && fs::exists(fs::symlink_status(candidate / lab.folder, error))) {
        return true;
      }
    }
    return false;
  };
  if (!holds_labs(folder_) && fs::is_directory(fs::symlink_status(folder_ / "labs", error)) &&
      holds_labs(folder_ / "labs")) {
    folder_ /= "labs";
  } else if (!holds_labs(folder_)) {
    throw wrong_use(no_labs(folder.string(), course));
  }
}

SlotFiles Submission::take(const Lab& lab) const {
  if (!lab.slot) {
    return {};
  }
  SlotFiles taken = stored_ ? take_stored(lab) : take_from_folder(lab);
  for (auto& [file, content] : taken.contents) {
    if (const auto changed = changed_.find(lab.folder + "/" + file); changed != changed_.end()) {
      content = changed->second;
    }
  }
  return taken;
}

SlotFiles Submission::take_from_folder(const Lab& lab) const {
  SlotFiles taken;
  const fs::path place = folder_ / lab.folder;
  const UniqueFd folder(::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.valid()) {
    const int reason = errno;
    std::error_code error;
    taken.problem = reason == ENOENT ? folder_is_missing(lab)
                    : fs::is_symlink(place, error)
                        ? "the folder " + lab.folder + is_a_link("folder")
                        : "cannot read the folder " + lab.folder + ": " + std::strerror(reason);
    return taken;
  }
  for (const std::string& file : lab.slot->files) {
    std::string problem;
    std::string content = take_file(folder.get(), file, lab.folder + "/" + file, problem);
    keep(taken, file, std::move(content), problem);
  }
  return taken;
}

SlotFiles Submission::take_stored(const Lab& lab) const {
  SlotFiles taken;
  const auto folder = stored_->find(lab.folder);
  if (folder != stored_->end() && folder->second.kind != StoredFile::Kind::folder) {
    taken.problem =
        "the folder " + lab.folder +
        (folder->second.kind == StoredFile::Kind::link ? is_a_link("folder") : " is no folder");
    return taken;
  }
  const auto first = stored_->lower_bound(lab.folder + "/");
  if (folder == stored_->end() &&
      (first == stored_->end() || !first->first.starts_with(lab.folder + "/"))) {
    taken.problem = folder_is_missing(lab);
    return taken;
  }
  for (const std::string& file : lab.slot->files) {
    const std::string shown = lab.folder + "/" + file;
    const auto found = stored_->find(shown);
    if (found == stored_->end()) {
      keep(taken, file, {}, shown + is_missing);
      continue;
    }
    const StoredFile& stored = found->second;
    keep(taken, file, stored.content,
         stored.kind == StoredFile::Kind::link      ? shown + is_a_link("file")
         : stored.kind == StoredFile::Kind::folder  ? shown + is_a_folder
         : stored.kind == StoredFile::Kind::special ? shown + is_special
         : !stored.problem.empty()                  ? shown + " " + stored.problem
                                                    : "");
  }
  return taken;
}

Submission Submission::for_its_author() const {
  Submission copy = *this;
  copy.for_its_author_ = true;
  return copy;
}

std::string Submission::shown() const {
  return for_its_author_ ? "labs" : shown_path(folder_, fs::current_path());
}

bool Submission::in_readers_labs(const Course& course) const {
  return for_its_author_ || folder_ == course.root() / "labs";
}

Submission Submission::with(const Lab& lab, const std::string& file, std::string content) const {
  Submission copy = *this;
  copy.changed_[lab.folder + "/" + file] = std::move(content);
  return copy;
}

}  // namespace goro::grader
