#include "build_step.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <set>

#include "lab.h"
#include "problem.h"
#include "process.h"
#include "slot_object.h"
#include "test_run.h"
#include "text.h"
#include "unique_fd.h"

namespace goro::grader {

namespace {

constexpr std::uintmax_t largest_product = std::uintmax_t{256} << 20;

std::string variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value != nullptr ? value : "";
}

void say(const std::string& text) {
  (void)std::fwrite(text.data(), 1, text.size(), stdout);
  (void)std::fflush(stdout);
}

class BuildStep {
 public:
  BuildStep(bool linking, fs::path course, fs::path build, std::vector<std::string> command)
      : linking_(linking),
        course_(std::move(course)),
        build_(std::move(build)),
        command_(std::move(command)),
        sandbox_(sandbox_from(variable(sandbox_variable)).value_or(Sandbox::none)) {
    for (std::size_t i = 0; i + 1 < command_.size(); ++i) {
      if (command_[i] == "-o") {
        product_ = fs::absolute(command_[i + 1]);
      }
    }
    if (product_.empty()) {
      throw wrong_use("build-step: the command has no -o");
    }
  }

  int run() const {
    const std::string build = variable(build_variable);
    if (const auto before = read_file_if_present(memo());
        before && !build.empty() && before->starts_with(build + "\n")) {
      say(before->substr(build.size() + 1));
      return 1;
    }
    std::string output;
    const bool good =
        (sandbox_ == Sandbox::none ? run_open(output) : run_confined(output)) && look_at(output);
    say(output);
    std::error_code ignored;
    if (good) {
      fs::remove(memo(), ignored);
    } else if (!build.empty()) {
      write_file_atomically(memo(), build + "\n" + output);
    }
    return good ? 0 : 1;
  }

 private:
  [[nodiscard]] fs::path memo() const {
    return build_ / "steps" /
           ("failed-" + std::to_string(std::hash<std::string>()(product_.string())));
  }

  [[nodiscard]] bool run_open(std::string& output) const {
    const Ended ended = run_process({command_, {}, {}}, {.output_bytes = std::size_t{1} << 20});
    output = ended.how == Ended::How::not_started ? ended.why_not_started + "\n" : ended.output;
    return ended.ok();
  }

  // The command with its products in `folder`, as far as it names them.
  [[nodiscard]] std::vector<std::string> command_into(const fs::path& folder) const {
    std::vector<std::string> words = command_;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] == "-o") {
        words[i + 1] = (folder / "product").string();
      } else if (words[i] == "-MF") {
        words[i + 1] = (folder / "dependencies").string();
      }
    }
    return words;
  }

  // The files of the build folder that the command names: an object of the submission's can tell a
  // linker to link others as well, such as the reference or private tests.
  [[nodiscard]] std::vector<fs::path> files_to_link() const {
    std::vector<fs::path> files;
    std::error_code error;
    for (const std::string& word : command_) {
      const fs::path file = fs::absolute(word).lexically_normal();
      if (!word.starts_with('-') && file != product_ && fs::is_regular_file(file, error) &&
          !fs::path(shown_path(file, build_)).is_absolute()) {
        files.push_back(file);
      }
    }
    return files;
  }

  [[nodiscard]] bool run_confined(std::string& output) const {
    Confinement confinement;
    confinement.sandbox = sandbox_;
    confinement.hidden = course_;
    if (linking_) {
      confinement.readable = files_to_link();
    } else {
      // What slots include, and the precompiled part of it.
      confinement.readable = {course_ / "runtime", build_ / "runtime/CMakeFiles/goro_frame.dir",
                              build_ / "submission"};
      std::erase_if(confinement.readable, [](const fs::path& path) { return !fs::exists(path); });
    }
    confinement.user = unused_user();
    confinement.processes = 64;
    const RunFolder products(Sandbox::limits, build_ / "steps", confinement.user);
    const RunFolder scratch(sandbox_, build_ / "scratch", confinement.user);
    confinement.writable = {products.path()};
    confinement.scratch = scratch.path();

    Limits limits;
    // Of the clock, for a compiler that waits; one that works is ended by the processor's time.
    limits.time = std::chrono::minutes(5);
    limits.dump_time = {};
    limits.processor_time = std::chrono::seconds(60);
    limits.memory_bytes = std::uint64_t{8} << 30;
    limits.resident_bytes = std::uint64_t{3} << 30;
    limits.file_bytes = largest_product;
    limits.most_output = std::uint64_t{16} << 20;
    limits.output_bytes = std::size_t{1} << 19;
    const Ended ended = run_process(
        {command_into(products.path()), fs::current_path(), test_environment(scratch.path())},
        limits, {.confinement = confinement});
    output = replace_all(ended.output, products.path().string() + "/product", product_.string());
    const std::string what = linking_ ? "linking" : "compiling";
    if (ended.how == Ended::How::timed_out) {
      output += "error: " + what + " took longer than 5 minutes\n";
    } else if (ended.how == Ended::How::over_limit) {
      output += "error: " + what + " " + ended.limit + "\n";
    } else if (ended.how == Ended::How::signalled) {
      output += "error: " + what + " was ended by signal " + std::to_string(ended.status) + "\n";
    } else if (ended.how == Ended::How::not_started) {
      output += ended.why_not_started + "\n";
    }
    return ended.ok() && take(products.path(), output);
  }

  // False: what was made is not fit for a grading. It is gone then, and the output says why.
  [[nodiscard]] bool look_at(std::string& output) const {
    std::vector<std::string> errors;
    if (linking_) {
      errors = errors_of_link();
    } else {
      for (const std::string& complaint : complaints_about_object(product_)) {
        errors.push_back(source_of(product_).string() + ": error: " + complaint);
      }
    }
    if (!errors.empty()) {
      output += join(errors, "\n") + "\n";
      fs::remove(product_);
    }
    return errors.empty();
  }

  [[nodiscard]] std::vector<std::string> errors_of_link() const {
    std::vector<LinkedSlot> slots;
    std::vector<fs::path> others;
    for (const std::string& word : command_) {
      if (word.find(submitted_object) != std::string::npos) {
        const std::string lab = fs::path(word).parent_path().filename();
        const Lab stated = load_lab(course_ / "labs" / lab / "lab.json", lab);
        slots.push_back({word, stated.slot ? stated.slot->replaces : std::set<std::string>{}});
      } else if (word.ends_with(".o") || word.ends_with(".a")) {
        others.emplace_back(word);
      }
    }
    std::vector<std::string> errors;
    for (const LinkComplaint& complaint : complaints_about_program(product_, slots, others)) {
      errors.push_back(source_of(complaint.object).string() + ": error: " + complaint.what);
    }
    return errors;
  }

  // The staged file of which a slot's object was made.
  [[nodiscard]] fs::path source_of(const fs::path& object) const {
    return build_ / "submission" / object.parent_path().filename() / object.stem();
  }

  // What was made is taken as it is, but only as ordinary files of no unusual size.
  [[nodiscard]] bool take(const fs::path& folder, std::string& output) const {
    for (std::size_t i = 0; i + 1 < command_.size(); ++i) {
      const bool product = command_[i] == "-o";
      if (!product && command_[i] != "-MF") {
        continue;
      }
      const fs::path made = folder / (product ? "product" : "dependencies");
      const UniqueFd file(::open(made.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
      struct stat status {};
      if (!file.valid() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
          static_cast<std::uintmax_t>(status.st_size) > largest_product) {
        output += "error: no usable " + command_[i + 1] + " was made\n";
        return false;
      }
      const std::string content = read_file("/proc/self/fd/" + std::to_string(file.get()));
      write_file_atomically(command_[i + 1], content);
      if (product && linking_) {
        fs::permissions(command_[i + 1], fs::perms(0755));
      }
    }
    return true;
  }

  bool linking_;
  fs::path course_;
  fs::path build_;
  std::vector<std::string> command_;
  Sandbox sandbox_;
  fs::path product_;
};

}  // namespace

int build_step(const std::vector<std::string>& arguments) {
  // ninja kills what it started, not what that started.
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (arguments.size() < 4 || (arguments[0] != "compile" && arguments[0] != "link")) {
    throw wrong_use("build-step compile|link COURSE BUILD COMMAND…");
  }
  return BuildStep(arguments[0] == "link", arguments[1], arguments[2],
                   {arguments.begin() + 3, arguments.end()})
      .run();
}

}  // namespace goro::grader
