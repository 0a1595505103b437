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

namespace {

[[noreturn]] void cannot_write(const fs::path& path) {
  throw broken("cannot write " + path.string() + ": " + std::strerror(errno));
}

// A file beside `path`, in a folder that is made if need be.
struct Temporary {
  std::string name;
  UniqueFd file;

  explicit Temporary(const fs::path& path) : name(path.string() + ".tmp-XXXXXX") {
    if (path.has_parent_path()) {
      std::error_code error;
      fs::create_directories(path.parent_path(), error);
      if (error) {
        throw broken("cannot make the folder " + path.parent_path().string() + ": " +
                     error.message());
      }
    }
    file.reset(::mkostemp(name.data(), O_CLOEXEC));
    if (!file.valid()) {
      cannot_write(path);
    }
  }

  // Leaves errno alone.
  void remove() const {
    const int reason = errno;
    (void)::unlink(name.c_str());
    errno = reason;
  }
};

}  // namespace

void write_file_atomically(const fs::path& path, std::string_view content, Durable durable) {
  const Temporary temporary(path);
  while (!content.empty()) {
    const ssize_t written = ::write(temporary.file.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      temporary.remove();
      cannot_write(path);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  // mkostemp makes files that only their owner can read; a report is an ordinary file.
  if (::fchmod(temporary.file.get(), 0644) != 0 ||
      (durable == Durable::yes && ::fsync(temporary.file.get()) != 0) ||
      ::rename(temporary.name.c_str(), path.c_str()) != 0) {
    temporary.remove();
    cannot_write(path);
  }
  if (durable == Durable::yes) {
    const UniqueFd folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    (void)::fsync(folder.get());
  }
}

void expect_writable(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw wrong_use(path.string() + " is " + (fs::is_directory(status) ? "a folder" : "no file") +
                    "; name a file to be written");
  }
  Temporary(path).remove();
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
