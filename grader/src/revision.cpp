#include "revision.h"

#include <cstdlib>
#include <vector>

#include "problem.h"
#include "process.h"
#include "text.h"

namespace goro::grader {

namespace {

// The repository may be a stranger's: no hook, no monitor, no fetch of what a partial clone lacks,
// and no object in another's place.
Ended git(const Revision& revision, std::vector<std::string> arguments) {
  std::vector<std::string> all{"env",
                               "GIT_ALLOW_PROTOCOL=none",
                               "GIT_NO_REPLACE_OBJECTS=1",
                               "GIT_OPTIONAL_LOCKS=0",
                               "GIT_TERMINAL_PROMPT=0",
                               "git",
                               "--no-pager",
                               "--literal-pathspecs",
                               "-c",
                               "core.fsmonitor=false",
                               "-c",
                               "core.hooksPath=/dev/null",
                               "-C",
                               revision.repository.string()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_process({std::move(all), {}, {}},
                     {.time = std::chrono::seconds(60), .output_bytes = 2 * largest_slot_file});
}

[[noreturn]] void refuse(const Revision& revision, const Ended& ended) {
  const std::string why =
      ended.how == Ended::How::not_started ? ended.why_not_started : printable(ended.output);
  throw wrong_use("git cannot read the revision " + revision.name + " of " +
                  revision.repository.string() + ": " +
                  replace_all(trim_right(head_and_tail(why, 1, 0)), "\n", " "));
}

// What `git ls-tree -z` says of one entry: "100644 blob 3f2a…\tpath".
struct TreeEntry {
  std::string mode;
  std::string object;
  std::string path;
};

TreeEntry parse_entry(const std::string& line) {
  const std::size_t tab = line.find('\t');
  const std::vector<std::string> words = split(line.substr(0, tab), ' ');
  return tab == std::string::npos || words.size() != 3
             ? TreeEntry{}
             : TreeEntry{words[0], words[2], line.substr(tab + 1)};
}

StoredFile read_entry(const Revision& revision, const TreeEntry& entry) {
  StoredFile found;
  if (entry.mode == "120000") {
    found.kind = StoredFile::Kind::link;
  } else if (entry.mode == "040000") {
    found.kind = StoredFile::Kind::folder;
  } else if (!entry.mode.starts_with("100")) {
    found.kind = StoredFile::Kind::special;  // another repository
  } else {
    const Ended told = git(revision, {"cat-file", "-s", entry.object});
    if (!told.ok()) {
      refuse(revision, told);
    }
    const std::size_t size = std::strtoul(told.output.c_str(), nullptr, 10);
    if (size > largest_slot_file) {
      found.problem = "is larger than 1 MB";
      return found;
    }
    const Ended content = git(revision, {"cat-file", "blob", entry.object});
    if (!content.ok() || content.output.size() != size) {
      refuse(revision, content);
    }
    found.content = content.output;
  }
  return found;
}

// What is in one of the commit's folders, "" or "labs/".
StoredFiles read_below(const Revision& revision, const std::string& object,
                       const std::string& folder, const Course& course) {
  std::vector<std::string> labs{"ls-tree", "-z", "--full-tree", object, "--"};
  std::vector<std::string> files = labs;
  for (const Lab& lab : course.labs()) {
    if (lab.slot) {
      labs.push_back(folder + lab.folder);
      for (const std::string& file : lab.slot->files) {
        files.push_back(folder + lab.folder + "/" + file);
      }
    }
  }
  StoredFiles found;
  for (const std::vector<std::string>& arguments : {labs, files}) {
    const Ended listed = git(revision, arguments);
    if (!listed.ok()) {
      refuse(revision, listed);
    }
    for (const std::string& line : split(listed.output, '\0')) {
      const TreeEntry entry = parse_entry(line);
      if (entry.path.size() > folder.size()) {
        found[entry.path.substr(folder.size())] = read_entry(revision, entry);
      }
    }
  }
  return found;
}

}  // namespace

std::optional<Revision> parse_revision(const std::string& text, const fs::path& course_root) {
  constexpr std::string_view own = "git:";
  if (text.starts_with(own)) {
    return Revision{course_root, text.substr(own.size())};
  }
  for (std::size_t at = text.find('@', 1); at != std::string::npos; at = text.find('@', at + 1)) {
    std::error_code error;
    if (fs::is_directory(text.substr(0, at), error)) {
      return Revision{text.substr(0, at), text.substr(at + 1)};
    }
  }
  return std::nullopt;
}

StoredFiles read_revision(const Revision& revision, const Course& course) {
  const Ended resolved =
      git(revision, {"rev-parse", "--quiet", "--verify", "--end-of-options", revision.name});
  const std::string object = trim_right(resolved.output);
  if (!resolved.ok() || object.empty()) {
    throw wrong_use(
        "there is no revision \"" + printable(revision.name) + "\" in " +
        revision.repository.string() +
        (object.empty() ? "" : ": " + trim_right(head_and_tail(printable(object), 1, 0))));
  }
  StoredFiles found = read_below(revision, object, "", course);
  return found.empty() ? read_below(revision, object, "labs/", course) : found;
}

}  // namespace goro::grader
