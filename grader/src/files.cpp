#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "problem.h"
#include "unique_fd.h"

namespace goro::grader {

std::optional<std::string> read_file_if_present(const fs::path& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::nullopt;
    }
    throw broken("cannot read " + path.string() + ": " + std::strerror(errno));
  }
  std::string content;
  std::array<char, 1 << 16> buffer{};
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got == 0) {
      return content;
    }
    if (got > 0) {
      content.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      throw broken("cannot read " + path.string() + ": " + std::strerror(errno));
    }
  }
}

std::string read_file(const fs::path& path) {
  std::optional<std::string> content = read_file_if_present(path);
  if (!content) {
    throw broken(path.string() + " is missing");
  }
  return *std::move(content);
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  const auto fail = [&](const fs::path& what) {
    throw broken("cannot write " + what.string() + ": " + std::strerror(errno));
  };
  std::error_code error;
  if (path.has_parent_path()) {
    fs::create_directories(path.parent_path(), error);
    if (error) {
      throw broken("cannot make the folder " + path.parent_path().string() + ": " +
                   error.message());
    }
  }
  std::string temporary = path.string() + ".tmp-XXXXXX";
  UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.valid()) {
    fail(path);
  }
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      const int reason = errno;
      (void)::unlink(temporary.c_str());
      errno = reason;
      fail(path);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  // mkostemp makes files that only their owner can read; a report is an ordinary file.
  if (::fchmod(file.get(), 0644) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    (void)::unlink(temporary.c_str());
    errno = reason;
    fail(path);
  }
}

bool write_file_if_different(const fs::path& path, std::string_view content) {
  std::error_code error;
  if (fs::is_regular_file(fs::symlink_status(path, error))) {
    const std::optional<std::string> present = read_file_if_present(path);
    if (present && *present == content) {
      return false;
    }
  }
  write_file_atomically(path, content);
  return true;
}

std::string shown_path(const fs::path& path, const fs::path& from) {
  const fs::path relative = path.lexically_normal().lexically_relative(from.lexically_normal());
  if (relative.empty() || *relative.begin() == "..") {
    return path.string();
  }
  return relative.string();
}

}  // namespace goro::grader
