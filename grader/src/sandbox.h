#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "files.h"

namespace goro::grader {

// How far a submission's code is kept from everything else. Processes, memory, processor time,
// files and output are limited in the last two; only the last one also hides what the code has no
// business with: the network, other processes, and all files but the toolchain and those named.
enum class Sandbox { none, limits, namespaces };

// "none", "limits", "namespaces"; what reports say.
std::string_view name_of(Sandbox sandbox);
std::optional<Sandbox> sandbox_from(std::string_view name);

// Namespaces if bubblewrap can make them here, else limits, with the reason in `why_not`. Tried
// once in the program's life.
Sandbox best_sandbox(std::string& why_not);

struct SandboxOptions {
  bool required = false;
  std::string given;  // a name instead of the best there is; for the course's own tests
};

// The best there is, or a Problem if it is required and cannot be made. `notice` is one line for
// the user where submissions run with limits only.
Sandbox choose_sandbox(const SandboxOptions& options, std::string& notice);

// What one confined run may see and use. Its time, memory and output are the run's Limits.
struct Confinement {
  Sandbox sandbox = Sandbox::namespaces;
  fs::path hidden;  // the course: nothing of it is visible but what the two lists name
  std::vector<fs::path> readable;
  std::vector<fs::path> writable;
  // With namespaces an empty folder in memory stands here, else this one is used as it is.
  fs::path scratch;
  unsigned processes = 256;  // and threads
  // A user of its own, if the grader may give it one: root's processes escape limits.
  std::optional<uid_t> user;
};

// A user that nobody else is, nor any other run; nothing unless the grader is root.
std::optional<uid_t> unused_user();

// The system's folders, which every run can read.
std::vector<fs::path> system_folders();

// What stands in front of a command to run it with namespaces. `control` is the number of the
// descriptor through which goro-inside is asked for dumps and tells how the command ended.
std::vector<std::string> in_namespaces(const Confinement& confinement, const fs::path& folder,
                                       int control);

// The folder that a run may write to. With namespaces one in memory stands at its place, so it is
// `below` itself; else a new one in it, gone with all that is in it at the end.
class RunFolder {
 public:
  RunFolder(Sandbox sandbox, const fs::path& below, std::optional<uid_t> user);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  bool own_ = false;
};

}  // namespace goro::grader
