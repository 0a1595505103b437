#include "git.h"

#include <algorithm>

#include "problem.h"
#include "text.h"

namespace goro::grader {

namespace {

// So many file names fit into a command line.
constexpr std::size_t at_once = 1000;

}  // namespace

Ended run_git(const fs::path& folder, std::vector<std::string> arguments, const fs::path& index) {
  arguments.insert(arguments.begin(), {"git", "--no-pager"});
  if (!index.empty()) {
    arguments.insert(arguments.begin(), {"env", "GIT_INDEX_FILE=" + index.string()});
  }
  return run_process({std::move(arguments), folder, {}},
                     {.time = std::chrono::minutes(5), .output_bytes = std::size_t{16} << 20});
}

std::string git(const fs::path& folder, const std::vector<std::string>& arguments,
                const std::string& wanted, const fs::path& index) {
  Ended ended = run_git(folder, arguments, index);
  if (!ended.ok()) {
    throw broken("git cannot " + wanted + ": " +
                 (ended.how == Ended::How::not_started
                      ? ended.why_not_started
                      : trim_right(printable(head_and_tail(ended.output, 1, 0)))));
  }
  return std::move(ended.output);
}

std::vector<std::string> content_ids(const fs::path& folder,
                                     const std::vector<std::string>& files) {
  std::vector<std::string> ids;
  for (std::size_t start = 0; start < files.size(); start += at_once) {
    std::vector<std::string> arguments{"hash-object", "--no-filters", "--"};
    const auto from = files.begin() + static_cast<std::ptrdiff_t>(start);
    arguments.insert(arguments.end(), from,
                     from + static_cast<std::ptrdiff_t>(std::min(at_once, files.size() - start)));
    const std::vector<std::string> some = split_lines(git(folder, arguments, "read the files"));
    ids.insert(ids.end(), some.begin(), some.end());
  }
  if (ids.size() != files.size()) {
    throw broken("git hash-object gave " + count(ids.size(), "id") + " for " +
                 count(files.size(), "file"));
  }
  return ids;
}

std::vector<std::string> files_with_attribute(const fs::path& folder, const std::string& attribute,
                                              const std::vector<std::string>& files,
                                              const fs::path& index) {
  std::vector<std::string> found;
  for (std::size_t start = 0; start < files.size(); start += at_once) {
    std::vector<std::string> arguments{"check-attr", "-z"};
    if (!index.empty()) {
      arguments.emplace_back("--cached");
    }
    arguments.insert(arguments.end(), {attribute, "--"});
    const auto from = files.begin() + static_cast<std::ptrdiff_t>(start);
    arguments.insert(arguments.end(), from,
                     from + static_cast<std::ptrdiff_t>(std::min(at_once, files.size() - start)));
    // file, attribute, value, and so on
    const std::vector<std::string> words =
        split(git(folder, arguments, "tell the files' attributes", index), '\0');
    for (std::size_t at = 0; at + 2 < words.size(); at += 3) {
      if (words[at + 2] == "set") {
        found.push_back(words[at]);
      }
    }
  }
  return found;
}

}  // namespace goro::grader
