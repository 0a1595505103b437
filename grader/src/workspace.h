#pragma once

#include <map>
#include <string>
#include <vector>

#include "course.h"
#include "sandbox.h"
#include "submission.h"
#include "terminal.h"
#include "unique_fd.h"

namespace goro::grader {

// How a program that was not built failed.
struct BuildFailure {
  std::string errors;          // the compiler's first errors, with the submission's own paths
  bool in_submission = false;  // false: the course itself does not compile
};

// One build folder, build/<preset>: the staged submission, and the programs built with it.
// While it is open no other grader can use the folder.
class Workspace {
 public:
  // `sandbox` is for what is compiled from the submission and for the programs made with it.
  Workspace(const Course& course, std::string preset, Terminal& terminal,
            Sandbox sandbox = Sandbox::none);

  // Copies every lab's slot files, those that differ, so that only what changed is built again.
  // A lab that cannot be taken gets placeholders that do not compile; the result is the problem of
  // each such lab, by folder name.
  std::map<std::string, std::string> stage(const Submission& submission);

  // Builds the targets, as many as can be built. The result is what failed, by target.
  std::map<std::string, BuildFailure> build(const std::vector<std::string>& targets);

  // CMake's configuration, if the folder has none that fits: with the private tests in a folder, or
  // with whatever private tests there are.
  void configure(const fs::path& private_tests = {});

  [[nodiscard]] const std::string& preset() const { return preset_; }
  [[nodiscard]] const fs::path& folder() const { return folder_; }
  // "build/gcc-release", as messages name it.
  [[nodiscard]] std::string shown_folder() const { return shown_path(folder_, course_.root()); }
  [[nodiscard]] Architecture architecture() const;
  [[nodiscard]] BuildKind kind() const;
  [[nodiscard]] bool emulated() const;
  [[nodiscard]] std::string compiler() const;  // its name and version
  [[nodiscard]] fs::path program(const std::string& target) const {
    return folder_ / "labs" / target;
  }
  // Where the submission's slot files are when programs are built.
  [[nodiscard]] fs::path staging() const { return folder_ / "submission"; }
  // Where test programs run; a folder of its own, so that what they write stays in it.
  [[nodiscard]] fs::path scratch() const;
  [[nodiscard]] Sandbox sandbox() const { return sandbox_; }
  // What a run of one of its programs may see, and as whom; nothing without a sandbox.
  [[nodiscard]] std::optional<Confinement> confinement(const fs::path& program) const;
  // The command line's start that runs this workspace's programs: an emulator or nothing.
  [[nodiscard]] std::vector<std::string> launcher() const;

  // Staged paths become the submission's, the course's become relative to its root. Debug
  // information names a slot's file labs/NN-name/file if it is the submission's, wherever that
  // lies.
  [[nodiscard]] std::string with_users_paths(std::string text) const;
  // Of lines "function at file:line" the first whose file is the submission's, else nothing.
  [[nodiscard]] std::string first_in_submission(const std::vector<std::string>& lines) const;

 private:
  void lock();
  [[nodiscard]] bool configured(const fs::path& private_tests) const;
  std::string run_build(const std::vector<std::string>& targets, bool& ok);

  const Course& course_;
  std::string preset_;
  Terminal& terminal_;
  Sandbox sandbox_;
  fs::path folder_;
  UniqueFd lock_;
  std::string shown_submission_;
  std::string build_run_;
};

Architecture host_architecture();

// From a build's whole output the part that says what is wrong: the first errors, without the
// command lines.
std::string first_errors(const std::string& output, std::size_t lines);

}  // namespace goro::grader
