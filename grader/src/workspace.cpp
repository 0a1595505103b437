#include "workspace.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "build_step.h"
#include "channel.h"
#include "problem.h"
#include "process.h"
#include "text.h"

namespace goro::grader {

namespace {

constexpr std::chrono::minutes build_time{30};
constexpr std::size_t error_lines = 30;

// The value of `name` in a CMakeCache.txt.
std::string cached(const std::string& cache, const std::string& name) {
  for (const std::string& line : split_lines(cache)) {
    if (line.starts_with(name + ":")) {
      const std::size_t equals = line.find('=');
      return equals == std::string::npos ? "" : line.substr(equals + 1);
    }
  }
  return {};
}

// The grader itself; beside it when this is another program that is made of its parts.
std::string build_step_program() {
  return (fs::read_symlink("/proc/self/exe").parent_path() / "goro-grader").string();
}

bool mentions_error(const std::string& line) {
  for (const std::string_view sign :
       {": error:", ": fatal error:", "error: ", "Error: ", ": Error:", "undefined reference",
        "multiple definition", "undefined symbol", "duplicate symbol", "internal compiler error"}) {
    if (line.find(sign) != std::string::npos) {
      return true;
    }
  }
  return false;
}

// Lines of ninja's and of the compiler driver's that say nothing to a student.
bool noise(const std::string& line) {
  return line.starts_with("FAILED: ") || line.starts_with("ninja: ") || line.starts_with("[") ||
         line.starts_with("collect2: ") ||
         line.find("linker command failed") != std::string::npos ||
         line.find("compilation terminated") != std::string::npos;
}

// Replaces `from` where it is a whole path and not the end of a longer one.
std::string replace_path(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;) {
    const bool whole =
        at == 0 || std::string_view(" \t\n('\"").find(text[at - 1]) != std::string_view::npos;
    if (whole) {
      text.replace(at, from.size(), to);
    }
    at = text.find(from, at + (whole ? to : from).size());
  }
  return text;
}

// By what ninja could not make, never by what a compiler says about it, since that may be the
// submission's own words. The frame and the solutions are linked without complaint in the course's
// own tests, so where only the program itself could not be made, it is the slots'.
bool failed_in_submission(const std::string& output, const std::string& target) {
  constexpr std::string_view mark = "FAILED: ";
  for (const std::string& line : split_lines(output)) {
    if (!line.starts_with(mark)) {
      continue;
    }
    const std::string made = trim_right(line.substr(mark.size()));
    if (made.find(submitted_object) != std::string::npos || made == "labs/" + target) {
      return true;
    }
  }
  return false;
}

}  // namespace

Architecture host_architecture() {
  utsname machine{};
  (void)::uname(&machine);
  return std::string_view(static_cast<const char*>(machine.machine)) == "aarch64"
             ? Architecture::aarch64
             : Architecture::x86_64;
}

std::string first_errors(const std::string& output, std::size_t lines) {
  std::vector<std::string> kept;
  bool relevant = false;
  bool command_follows = false;
  for (const std::string& line : split_lines(output)) {
    if (std::exchange(command_follows, line.starts_with("FAILED: ")) || noise(line)) {
      relevant = false;
      continue;
    }
    // What leads up to an error ("In file included from", "In function") is not indented and comes
    // before it, so it is kept from the first such line on.
    if (mentions_error(line) || line.starts_with("In file included from") ||
        line.find(": In ") != std::string::npos) {
      relevant = true;
    } else if (line.find(": warning:") != std::string::npos) {
      relevant = false;
    }
    if (relevant) {
      kept.push_back(line);
    }
  }
  if (kept.empty()) {
    return trim_right(head_and_tail(output, 0, lines));
  }
  if (kept.size() > lines) {
    const std::size_t more = kept.size() - lines;
    kept.resize(lines);
    kept.push_back("… " + count(more, "more line"));
  }
  return join(kept, "\n");
}

Workspace::Workspace(const Course& course, std::string preset, Terminal& terminal, Sandbox sandbox)
    : course_(course),
      preset_(std::move(preset)),
      terminal_(terminal),
      sandbox_(sandbox),
      folder_(course.build() / preset_) {
  std::error_code error;
  fs::create_directories(folder_, error);
  fs::create_directories(scratch(), error);
  // What a grader that was killed left in them.
  fs::create_directories(folder_ / "steps", error);
  if (error) {
    throw broken("cannot make the folder " + folder_.string() + ": " + error.message());
  }
  lock();
}

void Workspace::lock() {
  const fs::path file = folder_ / "grader.lock";
  lock_.reset(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock_.valid()) {
    throw broken("cannot open " + file.string() + ": " + std::strerror(errno));
  }
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) {
    return;
  }
  if (errno == EWOULDBLOCK) {
    terminal_.phase("another ./course is at work in " + shown_folder() +
                    "; waiting until it is done");
  }
  while (::flock(lock_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) {
      throw broken("cannot lock " + file.string() + ": " + std::strerror(errno));
    }
  }
}

Architecture Workspace::architecture() const {
  return preset_.starts_with("arm64") ? Architecture::aarch64 : host_architecture();
}

BuildKind Workspace::kind() const {
  return preset_.ends_with("-tsan")   ? BuildKind::tsan
         : preset_.ends_with("-asan") ? BuildKind::asan
         : preset_.ends_with("-sim")  ? BuildKind::sim
                                      : BuildKind::release;
}

bool Workspace::emulated() const {
  return architecture() != host_architecture();
}

fs::path Workspace::scratch() const {
  return folder_ / "scratch";
}

std::optional<Confinement> Workspace::confinement(const fs::path& program) const {
  if (sandbox_ == Sandbox::none) {
    return std::nullopt;
  }
  Confinement confinement;
  confinement.sandbox = sandbox_;
  confinement.hidden = course_.root();
  confinement.readable = {program};
  confinement.scratch = scratch();
  confinement.user = unused_user();
  return confinement;
}

std::vector<std::string> Workspace::launcher() const {
  if (!emulated()) {
    return {};
  }
  // A test may fork right after it has joined a thread. The emulator's thread is not quite gone
  // then, and GLib's own allocator, unlike malloc, may stay locked for ever in the child.
  return {"env", "G_SLICE=always-malloc", "qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"};
}

std::map<std::string, std::string> Workspace::stage(const Submission& submission) {
  shown_submission_ = submission.shown();
  std::map<std::string, std::string> problems;
  for (const Lab& lab : course_.labs()) {
    if (!lab.slot) {
      continue;
    }
    const SlotFiles taken = submission.take(lab);
    if (!taken.problem.empty()) {
      problems[lab.folder] = taken.problem;
    }
    for (const std::string& file : lab.slot->files) {
      const auto content = taken.contents.find(file);
      (void)write_file_if_different(staging() / lab.folder / file,
                                    content != taken.contents.end()
                                        ? content->second
                                        : "#error \"this file is missing from the submission\"\n");
    }
  }
  return problems;
}

bool Workspace::configured(const fs::path& private_tests) const {
  const std::optional<std::string> cache = read_file_if_present(folder_ / "CMakeCache.txt");
  return cache && fs::exists(folder_ / "build.ninja") &&
         cached(*cache, "GORO_SUBMISSION") == staging().string() &&
         cached(*cache, "GORO_BUILD_STEP") == build_step_program() &&
         (private_tests.empty() ||
          cached(*cache, "GORO_PRIVATE_TESTS") == private_tests.string()) &&
         cached(*cache, "CMAKE_HOME_DIRECTORY") == course_.root().string();
}

void Workspace::configure(const fs::path& private_tests) {
  if (configured(private_tests)) {
    return;
  }
  terminal_.phase("configuring " + shown_folder());
  Command command{
      {"cmake", "--preset", preset_, "-B", folder_.string(),
       "-DGORO_SUBMISSION=" + staging().string(), "-DGORO_BUILD_STEP=" + build_step_program(),
       "-DGORO_PRIVATE_TESTS=" + private_tests.string()},
      course_.root(),
      {}};
  const std::optional<std::string> cache = read_file_if_present(folder_ / "CMakeCache.txt");
  if (cache && cached(*cache, "CMAKE_HOME_DIRECTORY") != course_.root().string()) {
    command.arguments.emplace_back("--fresh");  // the checkout was moved
  }
  const Ended ended = run_process(command, {.time = build_time});
  const fs::path log = folder_ / "configure.log";
  write_file_atomically(log, ended.output);
  if (!ended.ok()) {
    throw broken("cannot configure " + shown_folder() + " (" +
                 (ended.how == Ended::How::not_started ? ended.why_not_started : "cmake failed") +
                 "); try ./course doctor; the whole output is in " +
                 shown_path(log, fs::current_path()) + "\n" +
                 trim_right(indent(head_and_tail(ended.output, 0, 15), "  ")));
  }
}

std::string Workspace::run_build(const std::vector<std::string>& targets, bool& ok) {
  Command command{{"cmake", "--build", folder_.string(), "--parallel", std::to_string(processors()),
                   "--target"},
                  course_.root(),
                  own_environment()};
  command.environment->push_back(std::string(sandbox_variable) + "=" +
                                 std::string(name_of(sandbox_)));
  command.environment->push_back(std::string(build_variable) + "=" + build_run_);
  command.arguments.insert(command.arguments.end(), targets.begin(), targets.end());
  command.arguments.insert(command.arguments.end(), {"--", "-k", "0"});
  const Ended ended =
      run_process(command, {.time = build_time, .output_bytes = std::size_t{1} << 20},
                  {.on_line = [&](std::string_view line) {
                    if (line.starts_with("[")) {
                      terminal_.progress("building in " + shown_folder() + ": " +
                                         with_users_paths(std::string(line)));
                    }
                  }});
  if (ended.how == Ended::How::not_started) {
    throw broken(ended.why_not_started + "; try ./course doctor");
  }
  ok = ended.ok();
  if (ended.how == Ended::How::timed_out) {
    return "error: building took longer than " + count(build_time.count(), "minute") + "\n";
  }
  return ended.output;
}

std::map<std::string, BuildFailure> Workspace::build(const std::vector<std::string>& targets) {
  std::map<std::string, BuildFailure> failures;
  if (targets.empty()) {
    return failures;
  }
  terminal_.phase("building " +
                  (targets.size() == 1 ? targets.front() : count(targets.size(), "program")) +
                  " in " + shown_folder());
  bool ok = false;
  build_run_ = make_nonce();
  std::string output = run_build(targets, ok);
  write_file_atomically(folder_ / "build.log", output);
  if (ok) {
    return failures;
  }
  constexpr std::uintmax_t too_little = std::uintmax_t{32} << 20;
  std::error_code error;
  if (const fs::space_info space = fs::space(folder_, error);
      !error && space.available < too_little) {
    throw broken("the disk is full: nothing can be built in " + folder_.string());
  }
  for (const std::string& target : targets) {
    if (targets.size() > 1) {
      output = run_build({target}, ok);
    }
    if (ok) {
      continue;
    }
    BuildFailure failure;
    failure.errors = printable(with_users_paths(first_errors(output, error_lines)));
    failure.in_submission = failed_in_submission(output, target);
    failures[target] = failure;
  }
  return failures;
}

std::string Workspace::compiler() const {
  const std::optional<std::string> cache = read_file_if_present(folder_ / "CMakeCache.txt");
  const std::string program = cache ? cached(*cache, "CMAKE_CXX_COMPILER") : "";
  if (program.empty()) {
    return "unknown";
  }
  const Ended ended =
      run_process({{program, "--version"}, folder_, {}}, {.time = std::chrono::seconds(20)});
  const std::vector<std::string> lines = split_lines(ended.output);
  return ended.ok() && !lines.empty() ? lines.front() : fs::path(program).filename().string();
}

std::string Workspace::with_users_paths(std::string text) const {
  const std::string staged = staging().string() + "/";
  text = replace_all(std::move(text), staged, shown_submission_ + "/");
  // Compilers that are told to map the course's root away print the rest of the path only.
  text = replace_all(std::move(text), shown_folder() + "/submission/", shown_submission_ + "/");
  text = replace_all(std::move(text), course_.root().string() + "/", "");
  for (const Lab& lab : course_.labs()) {
    if (!lab.slot) {
      continue;
    }
    // Some tools make the names absolute with the folder in which the compiler ran.
    for (const std::string owner : {"labs/", "solutions/"}) {
      text = replace_all(std::move(text), shown_folder() + "/" + owner + lab.folder + "/",
                         owner + lab.folder + "/");
    }
    for (const std::string& file : lab.slot->files) {
      text = replace_path(std::move(text), "labs/" + lab.folder + "/" + file,
                          shown_submission_ + "/" + lab.folder + "/" + file);
    }
  }
  return text;
}

std::string Workspace::first_in_submission(const std::vector<std::string>& lines) const {
  for (const std::string& line : lines) {
    for (const Lab& lab : course_.labs()) {
      if (lab.slot &&
          line.find(" at " + shown_submission_ + "/" + lab.folder + "/") != std::string::npos) {
        return line;
      }
    }
  }
  return {};
}

}  // namespace goro::grader
