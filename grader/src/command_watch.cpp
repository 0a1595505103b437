#include <poll.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "commands.h"
#include "unique_fd.h"

namespace goro::grader {

namespace {

// Tells when one of some files in a folder was written. The folder is watched, not the files:
// editors replace a file instead of writing into it.
class FolderWatch {
 public:
  explicit FolderWatch(const fs::path& folder)
      : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (!inotify_.valid() ||
        ::inotify_add_watch(inotify_.get(), folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
      throw broken("cannot watch " + folder.string() + ": " + std::strerror(errno));
    }
  }

  void wait_for(const std::vector<std::string>& files) const {
    while (!changed(files, -1)) {
    }
    // An editor may write several files at once; wait until it has been quiet for a moment.
    while (changed(files, 100)) {
    }
  }

 private:
  // Whether one of the files was written; waits for any event at most that long.
  [[nodiscard]] bool changed(const std::vector<std::string>& files, int milliseconds) const {
    pollfd one{inotify_.get(), POLLIN, 0};
    if (::poll(&one, 1, milliseconds) <= 0) {
      return false;
    }
    alignas(inotify_event) std::array<char, 1 << 14> buffer{};
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    bool found = false;
    for (ssize_t at = 0; at < got;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string name = event.len > 0 ? buffer.data() + at + sizeof event : "";
      found = found || std::find(files.begin(), files.end(), name) != files.end();
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
    return found;
  }

  UniqueFd inotify_;
};

}  // namespace

ExitStatus watch(const Course& course, const CheckOptions& options, Terminal& terminal) {
  const Lab& lab = course.lab(options.lab);
  if (!lab.slot) {
    throw wrong_use("lab " + lab.number_text() +
                    " has no files to edit, so there is nothing to watch");
  }
  const FolderWatch folder(course.lab_folder(lab));
  for (;;) {
    try {
      (void)check(course, options, terminal);
    } catch (const Problem& problem) {
      // A file that an editor is just replacing is not the end of watching; a wrong name is.
      if (problem.status() == ExitStatus::wrong_use) {
        throw;
      }
      terminal.print(problem.what());
    }
    terminal.print(terminal.style().quiet("Watching labs/" + lab.folder +
                                          "; save a file to check again, Ctrl-C ends."));
    folder.wait_for(lab.slot->files);
    terminal.print("");
  }
}

}  // namespace goro::grader
