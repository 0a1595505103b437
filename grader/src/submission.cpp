#include "submission.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "problem.h"
#include "text.h"
#include "unique_fd.h"

namespace goro::grader {

namespace {

constexpr std::size_t largest_file = 1 << 20;

// Reads `name` in the open folder, or says in `problem` why it is not taken. The checks are made on
// the open descriptor, so nothing can be exchanged between check and use.
std::string take_file(int folder, const std::string& name, const std::string& shown,
                      std::string& problem) {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const UniqueFd file(
      ::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) {
    if (errno == ENOENT) {
      problem = shown + " is missing";
    } else if (errno == ELOOP) {
      problem = shown + " is a symbolic link; it must be an ordinary file";
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
    problem = shown + " is a folder; it must be an ordinary file";
    return {};
  }
  if (!S_ISREG(status.st_mode)) {
    problem = shown + " is a special file; it must be an ordinary file";
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
    if (content.size() > largest_file) {
      problem = shown + " is larger than 1 MB";
      return {};
    }
  }
}

}  // namespace

Submission::Submission(const fs::path& folder, const Course& course) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw wrong_use("the submission " + folder.string() + " is no folder");
  }
  folder_ = fs::canonical(folder);
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
    throw wrong_use("the submission " + folder.string() + " holds no lab's folder, such as " +
                    course.labs().back().folder);
  }
}

SlotFiles Submission::take(const Lab& lab) const {
  SlotFiles taken;
  if (!lab.slot) {
    return taken;
  }
  const UniqueFd folder(
      ::open(lab_folder(lab).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.valid()) {
    std::error_code error;
    taken.problem =
        errno == ENOENT ? "the folder " + lab.folder + " is missing from the submission"
        : fs::is_symlink(lab_folder(lab), error)
            ? "the folder " + lab.folder + " is a symbolic link; it must be an ordinary folder"
            : "cannot read the folder " + lab.folder + ": " + std::strerror(errno);
    return taken;
  }
  for (const std::string& file : lab.slot->files) {
    const std::string shown = lab.folder + "/" + file;
    std::string problem;
    std::string content = take_file(folder.get(), file, shown, problem);
    if (const auto changed = changed_.find(shown); problem.empty() && changed != changed_.end()) {
      content = changed->second;
    }
    if (taken.problem.empty()) {
      taken.problem = problem;
    }
    if (problem.empty()) {
      taken.contents[file] = std::move(content);
    }
  }
  return taken;
}

Submission Submission::with(const Lab& lab, const std::string& file, std::string content) const {
  Submission copy = *this;
  copy.changed_[lab.folder + "/" + file] = std::move(content);
  return copy;
}

}  // namespace goro::grader
