#include <algorithm>
#include <array>
#include <set>

#include "commands.h"
#include "edition.h"
#include "git.h"
#include "grading.h"
#include "markdown.h"
#include "private_tests.h"
#include "submission.h"
#include "temporary_folder.h"
#include "text.h"
#include "workspace.h"

namespace goro::grader {

namespace {

constexpr std::size_t named_at_most = 5;

std::string some_of(const std::vector<std::string>& files) {
  const auto end =
      files.begin() + static_cast<std::ptrdiff_t>(std::min(named_at_most, files.size()));
  const std::string named = join({files.begin(), end}, ", ");
  return files.size() <= named_at_most
             ? named
             : named + " and " + std::to_string(files.size() - named_at_most) + " more";
}

// What differs from the last commit: changed files and new ones, below `folders` if given.
std::vector<std::string> uncommitted(const fs::path& root,
                                     const std::vector<std::string>& folders = {}) {
  std::vector<std::string> arguments{"status", "--porcelain=v1",        "--no-renames",
                                     "-z",     "--untracked-files=all", "--"};
  arguments.insert(arguments.end(), folders.begin(), folders.end());
  std::vector<std::string> files;
  for (const std::string& entry : split(git(root, arguments, "tell what is committed"), '\0')) {
    if (entry.size() > 3) {
      files.push_back(entry.substr(3));
    }
  }
  return files;
}

class Handout {
 public:
  Handout(const Course& course, const HandoutOptions& options, Terminal& terminal)
      : course_(course), options_(options), terminal_(terminal), out_(options.folder) {
    if (!out_.has_filename()) {
      out_ = out_.parent_path();  // "folder/"
    }
  }

  void run() {
    require_course(course_, "handout");
    look_at_target();
    look_at_commit();
    std::error_code error;
    fs::create_directories(course_.build(), error);  // if it cannot, the next line says so
    const TemporaryFolder index(course_.build() / "handout");
    index_ = index.path() / "index";
    TemporaryFolder folder(out_);
    to_ = folder.path();
    write_committed_files();
    const Course students(to_);
    write_starters(students);
    if (options_.sealed) {
      seal(students);
    }
    mend_pages();
    write_manifest();
    folder.become(out_);
    summarize();
  }

 private:
  void look_at_target() const {
    const fs::path parent = fs::absolute(out_).parent_path();
    if (fs::exists(fs::symlink_status(out_))) {
      throw wrong_use(out_.string() + " exists already; handout makes a new folder");
    }
    if (!fs::is_directory(parent)) {
      throw wrong_use("there is no folder " + parent.string() + " to make " +
                      out_.filename().string() + " in");
    }
    const std::string inside = shown_path(fs::canonical(parent) / "x", course_.root());
    if (!fs::path(inside).is_absolute() && !inside.starts_with("build/")) {
      throw wrong_use(out_.string() +
                      " lies inside the course; choose a folder outside, or one in build/");
    }
  }

  void look_at_commit() {
    const std::string top =
        trim_right(git(course_.root(), {"rev-parse", "--show-toplevel"}, "find the repository"));
    if (fs::path(top) != course_.root()) {
      throw broken(course_.root().string() + " is not the top folder of its git repository");
    }
    const std::vector<std::string> words =
        split(trim_right(git(course_.root(),
                             {"show", "-s", "--format=%H %cd", "--date=format-local:%FT%TZ"},
                             "tell the last commit")),
              ' ');
    edition_.commit = words.front();
    edition_.date = words.back();
    if (options_.sealed) {
      const std::vector<std::string> open =
          uncommitted(course_.root(), {"solutions", "runtime", "CMakeLists.txt",
                                       "CMakePresets.json", ":(glob)labs/*/lab.json"});
      if (!open.empty()) {
        throw wrong_use("what is sealed must be committed, and this is not: " + some_of(open));
      }
    }
    const std::vector<std::string> open = uncommitted(course_.root());
    if (!open.empty()) {
      terminal_.print(terminal_.style().warning("Left out, since it is not committed: ") +
                      some_of(open));
    }
  }

  void write_committed_files() {
    terminal_.phase("writing the files of the commit " + edition_.commit.substr(0, 10));
    std::vector<std::string> files = read_commit(course_.root(), "HEAD", index_);
    const std::vector<std::string> hidden =
        files_with_attribute(course_.root(), instructors_only, files, index_);
    if (hidden.empty()) {
      throw broken("no file has the attribute " + instructors_only +
                   " in .gitattributes, so the solutions would be handed out");
    }
    const std::set<std::string> left_out(hidden.begin(), hidden.end());
    std::erase_if(files, [&](const std::string& file) { return left_out.contains(file); });
    leave_out_private_tests(files);
    write_committed(course_.root(), files, index_, to_);
    files_ = files;
  }

  // Whatever .gitattributes says of them.
  void leave_out_private_tests(std::vector<std::string>& files) {
    std::vector<std::string> folders;
    for (const std::string& file : files) {
      if (fs::path(file).filename() == PrivateTests::list_file) {
        folders.push_back(file.substr(0, file.size() - PrivateTests::list_file.size()));
      }
    }
    for (const std::string& folder : folders) {
      if (folder.starts_with("labs/")) {
        throw wrong_use(folder + std::string(PrivateTests::list_file) +
                        " is committed, but private tests do not belong in labs/; move them out");
      }
      terminal_.print(terminal_.style().warning("Left out, since it holds private tests: ") +
                      folder);
      std::erase_if(files, [&](const std::string& file) {
        return folder.empty() ? file == PrivateTests::list_file : file.starts_with(folder);
      });
    }
  }

  // A slot file that is the solution would give it away.
  void write_starters(const Course& students) {
    for (const Lab& lab : students.labs()) {
      if (!lab.problem.empty()) {
        throw broken(lab.problem);
      }
      if (!lab.slot) {
        continue;
      }
      for (const std::string& file : lab.slot->files) {
        const std::string shown = "labs/" + lab.folder + "/" + file;
        const std::string solution = "solutions/" + lab.folder + "/" + file;
        const std::string content = read_file(to_ / shown);
        const Ended reference = run_git(course_.root(), {"show", "HEAD:" + solution});
        if (reference.ok() && reference.output == content) {
          throw broken(shown + " is " + solution +
                       ", word for word, in the last commit; put the starter back first");
        }
        add((edition_starters / lab.folder / file).string(), content);
      }
    }
  }

  // The objects of every kind of build that a student's check, or a grading, asks for.
  void seal(const Course& students) {
    if (host_architecture() != Architecture::x86_64) {
      throw broken("an edition is sealed on x86-64, where objects for ARM64 can be made too");
    }
    std::set<BuildKind> kinds{BuildKind::release};
    for (const Lab& lab : students.labs()) {
      for (const Test& test : lab.tests) {
        kinds.insert(test.build);
      }
    }
    for (const std::string base : {"gcc-release", "arm64"}) {
      for (const BuildKind kind : kinds) {
        Workspace place(course_, preset_for(base, kind), terminal_);
        (void)place.stage(Submission(course_.root() / "labs", course_));
        place.configure();
        const std::map<std::string, BuildFailure> failures = place.build({"goro_seal"});
        if (!failures.empty()) {
          throw broken("the solutions do not compile in build/" + place.preset() + "\n" +
                       trim_right(indent(failures.begin()->second.errors, "  ")));
        }
        add((edition_sealed / (std::string(name_of(place.architecture())) + "-" +
                               std::string(name_of(kind)) + ".tar.zst"))
                .string(),
            read_file(place.folder() / "sealed.tar.zst"));
        if (edition_.compiler.empty()) {
          edition_.compiler = place.compiler();
        }
      }
    }
  }

  void add(const std::string& file, const std::string& content) {
    write_file_atomically(to_ / file, content);
    files_.push_back(file);
  }

  void mend_pages() const {
    std::vector<std::string> complaints;
    const auto for_students = [this](const fs::path& path) { return fs::exists(to_ / path); };
    for (const std::string& file : files_) {
      if (file.ends_with(".md")) {
        (void)write_file_if_different(to_ / file,
                                      page_for_students(read_file(to_ / file), file, for_students));
      }
    }
    for (const std::string& file : files_) {
      if (file.ends_with(".md")) {
        const std::vector<std::string> some = check_page(to_, file);
        complaints.insert(complaints.end(), some.begin(), some.end());
      }
    }
    if (!complaints.empty()) {
      throw broken("pages of the edition point at what is not in it\n" +
                   indent(join(complaints, "\n"), "  "));
    }
  }

  void write_manifest() {
    std::sort(files_.begin(), files_.end());
    const std::vector<std::string> ids = content_ids(to_, files_);
    for (std::size_t i = 0; i < files_.size(); ++i) {
      edition_.files[files_[i]] = ids[i];
    }
    write_file_atomically(to_ / edition_file, edition_to_json(edition_));
  }

  void summarize() const {
    std::uintmax_t bytes = 0;
    for (const std::string& file : files_) {
      bytes += fs::file_size(out_ / file);
    }
    terminal_.print(
        out_.string() + ": " + shown_edition(edition_) + ", " + count(files_.size() + 1, "file") +
        ", " + number(static_cast<double>(bytes) / 1e6) + " MB\n" +
        (options_.sealed
             ? "Sealed: ./course check N needs no solutions there. Compiled with " +
                   edition_.compiler + ";\nstudents' systems must be as new as this one or newer."
             : "Not sealed: only ./course check N --own works there, with all slots "
               "the student's own."));
  }

  const Course& course_;
  const HandoutOptions& options_;
  Terminal& terminal_;
  fs::path out_;
  fs::path to_;  // becomes out_
  fs::path index_;
  Edition edition_;
  std::vector<std::string> files_;
};

}  // namespace

ExitStatus handout(const Course& course, const HandoutOptions& options, Terminal& terminal) {
  Handout(course, options, terminal).run();
  return ExitStatus::all_points;
}

}  // namespace goro::grader
