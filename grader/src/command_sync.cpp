#include <algorithm>
#include <array>
#include <set>

#include "backups.h"
#include "commands.h"
#include "edition.h"
#include "git.h"
#include "sync.h"
#include "temporary_folder.h"
#include "text.h"

namespace goro::grader {

namespace {

// A half-done operation of git's would be mixed up with what sync changes.
void refuse_in_the_middle(const fs::path& root) {
  const Ended found = run_git(root, {"rev-parse", "--absolute-git-dir"});
  if (!found.ok()) {
    return;  // no repository, nothing to mix up
  }
  const fs::path folder = trim_right(found.output);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> signs{{
      {"MERGE_HEAD", "merge"},
      {"rebase-merge", "rebase"},
      {"rebase-apply", "rebase"},
      {"CHERRY_PICK_HEAD", "cherry-pick"},
      {"REVERT_HEAD", "revert"},
      {"BISECT_LOG", "bisect"},
  }};
  for (const auto& [file, what] : signs) {
    if (fs::exists(folder / file)) {
      throw wrong_use("git is in the middle of a " + std::string(what) +
                      " here; finish it or give it up (git status says how), then sync");
    }
  }
  if (!trim_right(git(root, {"ls-files", "--unmerged"}, "tell conflicts")).empty()) {
    throw wrong_use("files here have conflicts (git status names them); resolve them, then sync");
  }
}

// The newer edition, as a folder.
class Source {
 public:
  Source(const Course& course, const SyncOptions& options, Terminal& terminal)
      : course_(course), options_(options), folder_(course.build() / "sync") {
    const fs::path given = options.source;
    std::error_code error;
    if (options.revision.empty() && fs::exists(given / edition_file, error)) {
      root_ = fs::canonical(given);
      if (root_ == course.root()) {
        throw wrong_use(given.string() + " is this very folder; name the newer edition");
      }
    } else {
      terminal.phase("fetching " + options.source);
      from_git(given);
    }
    read();
  }

  [[nodiscard]] const fs::path& root() const { return root_; }
  [[nodiscard]] const Edition& edition() const { return edition_; }

 private:
  void from_git(const fs::path& given) {
    std::string url = options_.source;
    const Ended remote = run_git(course_.root(), {"remote", "get-url", "--", url});
    std::error_code error;
    if (remote.ok()) {
      url = trim_right(remote.output);
    } else if (fs::is_directory(given, error)) {
      url = fs::canonical(given);
    } else if (url.find(':') == std::string::npos) {
      const Ended found = run_git(course_.root(), {"rev-parse", "--quiet", "--verify",
                                                   "--end-of-options", url + "^{commit}"});
      if (!found.ok() || !options_.revision.empty()) {
        throw wrong_use("there is no folder, no git remote and no revision \"" + url + "\" here");
      }
      take_commit(course_.root(), trim_right(found.output));
      return;
    }
    // A repository of its own: the student's is not touched, not even by what is fetched.
    const fs::path repository = folder_.path() / "repository";
    fs::create_directory(repository);
    (void)git(repository, {"init", "--quiet"}, "make a repository");
    const Ended fetched =
        run_process({{"env", "GIT_TERMINAL_PROMPT=0", "GIT_SSH_COMMAND=ssh -oBatchMode=yes", "git",
                      "fetch", "--quiet", "--depth=1", "--", url,
                      options_.revision.empty() ? "HEAD" : options_.revision},
                     repository,
                     {}},
                    {.time = std::chrono::minutes(10)});
    if (!fetched.ok()) {
      throw wrong_use("git cannot fetch " + options_.source +
                      (options_.revision.empty() ? "" : " " + options_.revision) + ": " +
                      trim_right(printable(head_and_tail(fetched.output, 1, 0))));
    }
    take_commit(repository, "FETCH_HEAD");
  }

  void take_commit(const fs::path& repository, const std::string& commit) {
    const fs::path index = folder_.path() / "index";
    root_ = folder_.path() / "edition";
    write_committed(repository, read_commit(repository, commit, index), index, root_);
  }

  void read() {
    const std::optional<Edition> found = edition_in(root_);
    if (!found) {
      throw wrong_use(options_.source + " is no students' edition: it has no " +
                      edition_file.string());
    }
    edition_ = *found;
    std::vector<std::string> paths;
    for (const auto& [path, id] : edition_.files) {
      if (!fs::is_regular_file(fs::symlink_status(root_ / path))) {
        throw wrong_use(options_.source + " is not complete: " + path + " is missing");
      }
      paths.push_back(path);
    }
    const std::vector<std::string> ids = content_ids(root_, paths);
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (ids[i] != edition_.files[paths[i]]) {
        throw wrong_use(options_.source + " is not as it was handed out: " + paths[i] +
                        " was changed");
      }
    }
  }

  const Course& course_;
  const SyncOptions& options_;
  TemporaryFolder folder_;
  fs::path root_;
  Edition edition_;
};

std::set<std::string> slot_files(const Course& course) {
  std::set<std::string> files;
  for (const Lab& lab : course.labs()) {
    for (const std::string& file : lab.slot ? lab.slot->files : std::vector<std::string>{}) {
      files.insert("labs/" + lab.folder + "/" + file);
    }
  }
  return files;
}

class Sync {
 public:
  Sync(const Course& course, const Edition& present, const Source& source, Terminal& terminal)
      : course_(course), present_(present), source_(source), terminal_(terminal) {}

  void run() {
    const Edition& next = source_.edition();
    if (next.date < present_.date) {
      throw wrong_use(shown_edition(next) + " is older than this one, which is " +
                      shown_edition(present_));
    }
    std::set<std::string> slots = slot_files(course_);
    slots.merge(slot_files(Course(source_.root())));
    const std::vector<SyncStep> steps =
        plan_sync(present_, next, present_files(),
                  [&](const std::string& path) { return slots.contains(path); });
    for (const SyncStep& step : steps) {
      apply(step);
    }
    // Last: until then a second run finds what is left to do.
    (void)write_file_if_different(course_.root() / edition_file,
                                  read_file(source_.root() / edition_file));
    summarize(next);
  }

 private:
  [[nodiscard]] PresentFiles present_files() const {
    std::map<std::string, std::string> all = present_.files;
    all.insert(source_.edition().files.begin(), source_.edition().files.end());
    PresentFiles files;
    std::vector<std::string> ordinary;
    for (const auto& [path, id] : all) {
      look_at_folders(path);
      const fs::file_status status = fs::symlink_status(course_.root() / path);
      if (fs::is_regular_file(status)) {
        ordinary.push_back(path);
      } else if (fs::is_directory(status)) {
        throw wrong_use(path + " is a folder here, and a file of the course; move it away");
      } else if (fs::exists(status)) {
        files[path] = "no ordinary file";
      }
    }
    const std::vector<std::string> ids = content_ids(course_.root(), ordinary);
    for (std::size_t i = 0; i < ordinary.size(); ++i) {
      files[ordinary[i]] = ids[i];
    }
    return files;
  }

  // Nothing is written where a link leads.
  void look_at_folders(const fs::path& path) const {
    for (fs::path folder = path.parent_path(); !folder.empty(); folder = folder.parent_path()) {
      const fs::file_status status = fs::symlink_status(course_.root() / folder);
      if (fs::exists(status) && !fs::is_directory(status)) {
        throw wrong_use(folder.string() + " is no ordinary folder here; put it back, then sync");
      }
    }
  }

  void apply(const SyncStep& step) {
    const fs::path here = course_.root() / step.path;
    switch (step.action) {
      case SyncAction::take:
        take(step.path);
        ++taken_;
        return;
      case SyncAction::remove:
        remove(here);
        ++removed_;
        return;
      case SyncAction::keep:
        kept_.push_back(step.path);
        return;
      case SyncAction::put_aside:
        put_aside(step.path);
        return;
      case SyncAction::leave:
        left_.push_back(step.path);
        return;
    }
  }

  void take(const std::string& path) const {
    const fs::path from = source_.root() / path;
    const fs::path to = course_.root() / path;
    write_file_atomically(to, read_file(from));
    constexpr fs::perms run =
        fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
    if ((fs::status(from).permissions() & run) != fs::perms::none) {
      fs::permissions(to, run, fs::perm_options::add);
    }
  }

  void remove(const fs::path& path) const {
    fs::remove(path);
    std::error_code error;  // a folder that is not empty stays
    for (fs::path folder = path.parent_path();
         folder != course_.root() && fs::remove(folder, error); folder = folder.parent_path()) {
    }
  }

  void put_aside(const std::string& path) {
    const fs::path here = course_.root() / path;
    const fs::path backup = backup_path(course_, path);
    fs::create_directories(backup.parent_path());
    fs::rename(here, backup);
    if (source_.edition().files.contains(path)) {
      take(path);
    }
    aside_.push_back(path + ": yours is in " + shown_path(backup, fs::current_path()));
  }

  void summarize(const Edition& next) {
    const Style& style = terminal_.style();
    if (taken_ + removed_ + kept_.size() + aside_.size() == 0 && next.commit == present_.commit) {
      terminal_.print("Nothing to do: this is " + shown_edition(next) + " already.");
    } else {
      terminal_.print("This is " + shown_edition(next) + "; " + count(taken_, "file") +
                      " brought up to date, " + std::to_string(removed_) + " removed.");
    }
    for (const std::string& path : kept_) {
      const fs::path starter = edition_starters / fs::path(path).lexically_relative("labs");
      terminal_.print(style.warning("  kept  ") + path + ": yours stays" +
                      (source_.edition().files.contains(path)
                           ? "; its new starter is " + starter.string()
                           : ", but the new edition has no such file"));
    }
    for (const std::string& line : aside_) {
      terminal_.print(style.warning("  moved ") + line);
    }
    for (const std::string& path : left_) {
      terminal_.print(style.quiet("  left as you changed it: " + path));
    }
    if (!kept_.empty()) {
      terminal_.print(
          "Compare a new starter with yours; ./course reset takes it and keeps yours in "
          "build/backups.");
    }
  }

  const Course& course_;
  const Edition& present_;
  const Source& source_;
  Terminal& terminal_;
  std::size_t taken_ = 0;
  std::size_t removed_ = 0;
  std::vector<std::string> kept_;
  std::vector<std::string> aside_;
  std::vector<std::string> left_;
};

}  // namespace

ExitStatus sync(const Course& course, const SyncOptions& options, Terminal& terminal) {
  const std::optional<Edition> present = edition_in(course.root());
  if (!present) {
    throw wrong_use(
        "sync is for a students' edition; this is the course itself, and git pull brings it up to "
        "date");
  }
  refuse_in_the_middle(course.root());
  std::error_code error;
  fs::create_directories(course.build(), error);  // if it cannot, the next line says so
  const Source source(course, options, terminal);
  Sync(course, *present, source, terminal).run();
  return ExitStatus::all_points;
}

}  // namespace goro::grader
