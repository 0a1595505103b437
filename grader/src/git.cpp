#include "git.h"

#include <algorithm>
#include <functional>

#include "problem.h"
#include "text.h"

namespace goro::grader {

namespace {

// As many file names at a time as fit into a command line.
void in_portions(const std::vector<std::string>& files,
                 const std::function<void(const std::vector<std::string>&)>& work) {
  constexpr std::size_t at_once = 1000;
  for (std::size_t start = 0; start < files.size(); start += at_once) {
    const auto from = files.begin() + static_cast<std::ptrdiff_t>(start);
    work({from, from + static_cast<std::ptrdiff_t>(std::min(at_once, files.size() - start))});
  }
}

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

std::vector<std::string> read_commit(const fs::path& folder, const std::string& commit,
                                     const fs::path& index) {
  (void)git(folder, {"read-tree", commit}, "read the commit " + commit, index);
  std::vector<std::string> files =
      split(git(folder, {"ls-files", "-z"}, "list the commit's files", index), '\0');
  std::erase(files, "");
  return files;
}

void write_committed(const fs::path& folder, const std::vector<std::string>& files,
                     const fs::path& index, const fs::path& to) {
  in_portions(files, [&](const std::vector<std::string>& some) {
    std::vector<std::string> arguments{"checkout-index", "--prefix=" + to.string() + "/", "--"};
    arguments.insert(arguments.end(), some.begin(), some.end());
    (void)git(folder, arguments, "write the files", index);
  });
}

std::vector<std::string> content_ids(const fs::path& folder,
                                     const std::vector<std::string>& files) {
  std::vector<std::string> ids;
  in_portions(files, [&](const std::vector<std::string>& some) {
    std::vector<std::string> arguments{"hash-object", "--no-filters", "--"};
    arguments.insert(arguments.end(), some.begin(), some.end());
    const std::vector<std::string> more = split_lines(git(folder, arguments, "read the files"));
    ids.insert(ids.end(), more.begin(), more.end());
  });
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
  in_portions(files, [&](const std::vector<std::string>& some) {
    std::vector<std::string> arguments{"check-attr", "-z"};
    if (!index.empty()) {
      arguments.emplace_back("--cached");
    }
    arguments.insert(arguments.end(), {attribute, "--"});
    arguments.insert(arguments.end(), some.begin(), some.end());
    // file, attribute, value, and so on
    const std::vector<std::string> words =
        split(git(folder, arguments, "tell the files' attributes", index), '\0');
    for (std::size_t at = 0; at + 2 < words.size(); at += 3) {
      if (words[at + 2] == "set") {
        found.push_back(words[at]);
      }
    }
  });
  return found;
}

}  // namespace goro::grader
