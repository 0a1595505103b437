#include "temporary_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>

#include "problem.h"

namespace goro::grader {

namespace {

struct Folders {
  std::mutex lock;
  std::set<fs::path> present;
};

Folders& folders() {
  static Folders all;
  return all;
}

}  // namespace

TemporaryFolder::TemporaryFolder(const fs::path& path) {
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::string name = fs::absolute(parent / ("." + path.filename().string() + ".XXXXXX"));
  const std::lock_guard hold(folders().lock);
  if (::mkdtemp(name.data()) == nullptr) {
    throw broken("cannot make a folder in " + parent.string() + ": " + std::strerror(errno));
  }
  (void)::chmod(name.c_str(), 0755);  // mkdtemp's are their owner's alone
  path_ = name;
  folders().present.insert(path_);
}

TemporaryFolder::~TemporaryFolder() {
  const std::lock_guard hold(folders().lock);
  if (folders().present.erase(path_) != 0) {
    std::error_code error;
    fs::remove_all(path_, error);
  }
}

void TemporaryFolder::become(const fs::path& path) {
  const std::lock_guard hold(folders().lock);
  if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    throw broken("cannot make the folder " + path.string() + ": " + std::strerror(errno));
  }
  folders().present.erase(path_);
}

void TemporaryFolder::remove_all() {
  const std::lock_guard hold(folders().lock);
  for (const fs::path& path : folders().present) {
    std::error_code error;
    fs::remove_all(path, error);
  }
}

}  // namespace goro::grader
