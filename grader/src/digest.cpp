#include "digest.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "problem.h"
#include "process.h"
#include "unique_fd.h"

namespace goro::grader {

namespace {

// A name or a content with its length before it, so that no two lists of parts are the same text.
void add_part(std::string& text, const std::string& part) {
  text += std::to_string(part.size()) + ":" + part;
}

void add_folder(std::string& text, const fs::path& root, const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(root / folder, error)) {
    entries.push_back(folder / entry.path().filename());
  }
  if (error && fs::exists(root / folder)) {
    throw broken("cannot read the folder " + (root / folder).string() + ": " + error.message());
  }
  std::sort(entries.begin(), entries.end());
  for (const fs::path& entry : entries) {
    const fs::file_status status = fs::symlink_status(root / entry);
    if (fs::is_directory(status)) {
      add_folder(text, root, entry);
    } else if (entry.extension() != ".md") {
      add_part(text, entry.string());
      add_part(text, fs::is_symlink(status)        ? fs::read_symlink(root / entry).string()
                     : fs::is_regular_file(status) ? read_file(root / entry)
                                                   : "");
    }
  }
}

}  // namespace

std::string digest_of(const std::string& text) {
  const UniqueFd memory(::memfd_create("digest", MFD_CLOEXEC));
  std::string_view left = text;
  while (memory.valid() && !left.empty()) {
    const ssize_t written = ::write(memory.get(), left.data(), left.size());
    if (written < 0 && errno != EINTR) {
      break;
    }
    left.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  if (!left.empty() || !memory.valid()) {
    throw broken(std::string("there is no memory for a digest: ") + std::strerror(errno));
  }
  const std::string file =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(memory.get());
  const Ended ended = run_process({{"sha256sum", "--", file}, {}, {}}, {});
  constexpr std::size_t digits = 64;
  if (!ended.ok() || ended.output.size() < digits) {
    throw broken("sha256sum does not work here: " +
                 (ended.how == Ended::How::not_started ? ended.why_not_started : ended.output));
  }
  return ended.output.substr(0, digits);
}

std::string digest_of(const Submission& submission, const Course& course) {
  std::string text;
  for (const Lab& lab : course.labs()) {
    const SlotFiles taken = submission.take(lab);
    add_part(text, lab.folder);
    add_part(text, taken.problem);
    for (const auto& [file, content] : taken.contents) {
      add_part(text, file);
      add_part(text, content);
    }
  }
  return digest_of(text);
}

std::string digest_of_folder(const fs::path& folder) {
  std::string text;
  add_folder(text, folder, "");
  return digest_of(text);
}

std::string digest_of(const Course& course) {
  std::string text;
  for (const char* folder : {"runtime", "solutions", "grader/src", "harness"}) {
    add_folder(text, course.root(), folder);
  }
  for (const char* file : {"CMakeLists.txt", "CMakePresets.json", "labs/CMakeLists.txt"}) {
    add_part(text, read_file_if_present(course.root() / file).value_or(""));
  }
  for (const Lab& lab : course.labs()) {
    const fs::path folder = fs::path("labs") / lab.folder;
    add_part(text, read_file_if_present(course.root() / folder / "lab.json").value_or(""));
    add_folder(text, course.root(), folder / "tests");
    add_folder(text, course.root(), folder / "bench");
  }
  return digest_of(text);
}

}  // namespace goro::grader
