#include "starter.h"

#include "edition.h"
#include "git.h"
#include "problem.h"
#include "text.h"

namespace goro::grader {

namespace {

// Both spellings, the macro's for assembly and the one for C++, have this in common.
std::size_t marks(const std::string& content) {
  constexpr std::string_view mark = "not_implemented";
  const std::string text = lower(content);
  std::size_t found = 0;
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + mark.size())) {
    ++found;
  }
  return found;
}

}  // namespace

const FileVersion* find_starter(const std::vector<FileVersion>& newest_first) {
  const FileVersion* starter = nullptr;
  std::size_t most = 0;
  for (const FileVersion& version : newest_first) {
    const std::size_t here = marks(version.content);
    // Without any mark in any version the oldest one is the starter.
    if (starter == nullptr || here > most || (most == 0 && here == 0)) {
      starter = &version;
      most = here;
    }
  }
  return starter;
}

std::vector<FileVersion> committed_versions(const fs::path& root, const std::string& file) {
  const std::string log =
      git(root, {"log", "--format=%H", "--", file}, "tell the history of " + file);
  std::vector<FileVersion> versions;
  for (const std::string& commit : split_lines(log)) {
    const Ended content = run_git(root, {"show", commit + ":" + file});
    if (content.ok()) {  // else the commit removed it
      versions.push_back({commit, content.output});
    }
  }
  return versions;
}

std::string starter_of(const Course& course, const fs::path& file) {
  if (fs::exists(course.root() / edition_file)) {
    return read_file(course.root() / edition_starters / file.lexically_relative("labs"));
  }
  const std::vector<FileVersion> versions = committed_versions(course.root(), file);
  const FileVersion* starter = find_starter(versions);
  if (starter == nullptr) {
    throw broken(
        file.string() +
        " was never committed, so its starter is not known; get it from the course's repository");
  }
  return starter->content;
}

}  // namespace goro::grader
