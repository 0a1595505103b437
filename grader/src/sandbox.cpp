#include "sandbox.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>

#include "problem.h"
#include "process.h"
#include "text.h"
#include "value_names.h"

namespace goro::grader {

namespace {

constexpr ValueNames<Sandbox, 3> names{{
    {Sandbox::none, "none"},
    {Sandbox::limits, "limits"},
    {Sandbox::namespaces, "namespaces"},
}};

// In memory, so these count as memory that is never given back while the run lasts.
constexpr std::string_view scratch_bytes = "268435456";
constexpr std::string_view shared_memory_bytes = "268435456";
constexpr std::string_view root_bytes = "4194304";

// Users' numbers that no system gives to anybody. Of a process in a container only those that the
// container knows can be used.
struct UserRange {
  unsigned long first = 0;
  unsigned long count = 0;
};

UserRange usable_users() {
  constexpr UserRange far_away{1UL << 30U, 1UL << 29U};
  constexpr UserRange near_by{20000, 40000};
  std::ifstream map("/proc/self/uid_map");
  unsigned long inside = 0;
  unsigned long outside = 0;
  unsigned long length = 0;
  while (map >> inside >> outside >> length) {
    if (inside <= far_away.first && inside + length >= far_away.first + far_away.count) {
      return far_away;
    }
  }
  return near_by;
}

fs::path inside_program() {
  return fs::read_symlink("/proc/self/exe").parent_path() / "goro-inside";
}

std::string why_no_namespaces() {
  if (!program_exists("bwrap")) {
    return "bubblewrap is not installed";
  }
  std::error_code error;
  if (!fs::exists(inside_program(), error)) {
    return inside_program().string() + " is missing";
  }
  Confinement confinement;
  confinement.scratch = "/tmp/scratch";
  confinement.user = unused_user();
  try {
    const Ended ended =
        run_process({{"true"}, "/", std::vector<std::string>{"PATH=/usr/bin:/bin"}},
                    {.time = std::chrono::seconds(60)}, {.confinement = confinement});
    return ended.ok() ? "" : "even true does not end well in it";
  } catch (const Problem& problem) {
    const std::string text = problem.what();
    return text.substr(text.starts_with(no_sandbox) ? no_sandbox.size() : 0);
  }
}

}  // namespace

std::string_view name_of(Sandbox sandbox) {
  return name_in(names, sandbox);
}

std::optional<Sandbox> sandbox_from(std::string_view wanted) {
  return value_in(names, wanted);
}

Sandbox best_sandbox(std::string& why_not) {
  static const std::string reason = why_no_namespaces();
  why_not = reason;
  return reason.empty() ? Sandbox::namespaces : Sandbox::limits;
}

Sandbox choose_sandbox(const SandboxOptions& options, std::string& notice) {
  std::string why_not;
  const Sandbox sandbox = sandbox_from(options.given).value_or(best_sandbox(why_not));
  if (sandbox == Sandbox::namespaces) {
    return sandbox;
  }
  if (options.required) {
    throw broken("no sandbox can be made here: " + why_not +
                 "; docs/grading-strangers.md says what it needs");
  }
  if (options.given.empty()) {
    notice = "No sandbox here, only limits: grade nobody whom you do not trust (" + why_not + ")";
  }
  return sandbox;
}

std::optional<uid_t> unused_user() {
  if (::geteuid() != 0) {
    return std::nullopt;
  }
  // No two graders at work have the same process id, and none has so many runs at once.
  constexpr unsigned long runs = 128;
  static std::atomic<unsigned long> last{0};
  static const UserRange range = usable_users();
  const unsigned long number = static_cast<unsigned long>(::getpid()) * runs + last++ % runs;
  return static_cast<uid_t>(range.first + number % range.count);
}

std::vector<fs::path> system_folders() {
  return {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
}

std::vector<std::string> in_namespaces(const Confinement& confinement, const fs::path& folder,
                                       int control) {
  std::vector<std::string> words{
      "bwrap",         "--unshare-pid",        "--unshare-net", "--unshare-ipc",
      "--unshare-uts", "--unshare-cgroup-try", "--hostname",    "sandbox",
      "--as-pid-1",    "--die-with-parent"};
  const auto add = [&](std::initializer_list<std::string> more) {
    words.insert(words.end(), more);
  };
  if (confinement.user) {
    // Root needs no user namespace, and goro-inside these three to become and to signal the user.
    add({"--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add",
         "CAP_KILL"});
  } else {
    add({"--unshare-user", "--disable-userns"});
  }
  add({"--size", std::string(root_bytes), "--tmpfs", "/"});
  std::error_code error;
  for (const fs::path& top : system_folders()) {
    if (fs::is_symlink(top, error)) {
      add({"--symlink", fs::read_symlink(top).string(), top.string()});
    } else if (fs::is_directory(top, error)) {
      add({"--ro-bind", top.string(), top.string()});
    }
  }
  // Which libraries there are, and which compiler the plain name means.
  for (const std::string file : {"/etc/ld.so.cache", "/etc/alternatives"}) {
    add({"--ro-bind-try", file, file});
  }
  add({"--proc", "/proc", "--dev", "/dev"});
  add({"--size", std::string(shared_memory_bytes), "--perms", "1777", "--tmpfs", "/dev/shm"});
  add({"--size", std::string(scratch_bytes), "--perms", "1777", "--tmpfs", "/tmp"});
  // Folders that bubblewrap makes on the way to a path are only its own user's.
  std::set<fs::path> made{"/", "/tmp"};
  const auto make_way_to = [&](const fs::path& path) {
    std::vector<fs::path> missing;
    for (fs::path above = path.parent_path(); !made.contains(above); above = above.parent_path()) {
      missing.push_back(above);
    }
    for (auto above = missing.rbegin(); above != missing.rend(); ++above) {
      add({"--perms", "0755", "--dir", above->string()});
      made.insert(*above);
    }
  };
  if (!confinement.hidden.empty()) {
    make_way_to(confinement.hidden);
    add({"--size", std::string(root_bytes), "--tmpfs", confinement.hidden.string()});
    made.insert(confinement.hidden);
  }
  const fs::path inside = inside_program();
  std::vector<fs::path> readable = confinement.readable;
  readable.push_back(inside);
  for (const fs::path& path : readable) {
    make_way_to(path);
    add({"--ro-bind", path.string(), path.string()});
  }
  make_way_to(confinement.scratch);
  add({"--size", std::string(scratch_bytes), "--perms", "1777", "--tmpfs",
       confinement.scratch.string()});
  for (const fs::path& path : confinement.writable) {
    make_way_to(path);
    add({"--bind", path.string(), path.string()});
  }
  if (!confinement.hidden.empty()) {
    add({"--remount-ro", confinement.hidden.string()});
  }
  add({"--remount-ro", "/dev", "--remount-ro", "/"});
  add({"--chdir", folder.empty() ? "/" : folder.string(), "--", inside.string(),
       std::to_string(control), std::to_string(confinement.user.value_or(0)),
       std::to_string(confinement.processes)});
  return words;
}

RunFolder::RunFolder(Sandbox sandbox, const fs::path& below, std::optional<uid_t> user)
    : path_(below), own_(sandbox == Sandbox::limits) {
  if (!own_) {
    return;
  }
  std::string name = (below / "run-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr ||
      (user && ::chown(name.c_str(), *user, static_cast<gid_t>(*user)) != 0)) {
    throw broken("cannot make a folder in " + below.string() + ": " + std::strerror(errno));
  }
  path_ = name;
}

RunFolder::~RunFolder() {
  std::error_code ignored;
  if (own_) {
    fs::remove_all(path_, ignored);
  }
}

}  // namespace goro::grader
