#include "archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "problem.h"
#include "text.h"
#include "unique_fd.h"

namespace goro::grader {

namespace {

struct Close {
  void operator()(struct archive* open) const { (void)::archive_read_free(open); }
};

// The folders of a path, and its last name. "." and double slashes say nothing.
std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names;
  for (std::string& name : split(path, '/')) {
    if (!name.empty() && name != ".") {
      names.push_back(std::move(name));
    }
  }
  return names;
}

class Reading {
 public:
  Reading(const fs::path& file, const Course& course, const ArchiveLimits& limits)
      : file_(file), limits_(limits) {
    for (const Lab& lab : course.labs()) {
      if (lab.slot) {
        wanted_[lab.folder] = {lab.slot->files.begin(), lab.slot->files.end()};
      }
    }
  }

  StoredFiles run() {
    open();
    struct archive_entry* entry = nullptr;
    for (std::uint64_t seen = 0;; ++seen) {
      const int result = ::archive_read_next_header(open_.get(), &entry);
      if (result == ARCHIVE_EOF) {
        return below_root();
      }
      // A warning is about what is not used here, such as an owner or a name in another encoding.
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
        refuse_unreadable();
      }
      if (seen >= limits_.entries) {
        refuse("holds more than " + std::to_string(limits_.entries) + " files");
      }
      check_size();
      if (const char* name = ::archive_entry_pathname(entry)) {
        take(entry, name);
      }
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw wrong_use("the submission " + file_.string() + " " + why);
  }

  [[noreturn]] void refuse_unreadable() const {
    const char* why = ::archive_error_string(open_.get());
    refuse("cannot be unpacked: " +
           replace_all(printable(why != nullptr ? why : "it is damaged"), "\n", " "));
  }

  void open() {
    // O_NONBLOCK: opening a named pipe must not wait for a writer.
    fd_.reset(::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd_.valid() || ::fstat(fd_.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
      refuse("cannot be read");
    }
    open_.reset(::archive_read_new());
    if (open_ == nullptr) {
      throw broken("there is no memory left to unpack " + file_.string());
    }
    struct archive* const open = open_.get();
    (void)::archive_read_support_filter_gzip(open);
    (void)::archive_read_support_filter_xz(open);
    (void)::archive_read_support_filter_zstd(open);
    (void)::archive_read_support_format_tar(open);
    (void)::archive_read_support_format_zip(open);
    constexpr std::size_t block = 1 << 16;
    if (::archive_read_open_fd(open, fd_.get(), block) != ARCHIVE_OK) {
      refuse("is neither a folder nor an archive: .zip, .tar, .tar.gz, .tar.xz or .tar.zst");
    }
    // Of filters in filters only the innermost one's bytes would be counted.
    constexpr int one_filter_and_the_file = 2;
    if (::archive_filter_count(open) > one_filter_and_the_file) {
      refuse("is compressed more than once");
    }
  }

  void check_size() const {
    if (static_cast<std::uint64_t>(::archive_filter_bytes(open_.get(), 0)) >
        limits_.unpacked_bytes) {
      refuse("unpacks to more than " + std::to_string(limits_.unpacked_bytes >> 20) +
             " MB; slot files alone are far less");
    }
  }

  void take(struct archive_entry* entry, const std::string& path) {
    const std::vector<std::string> names = names_of(path);
    if (path.starts_with('/') || std::find(names.begin(), names.end(), "..") != names.end()) {
      refuse("holds the name \"" + replace_all(printable(path.substr(0, 80)), "\n", "\\n") +
             "\", which leads out of it");
    }
    if (names.empty() || names.front() == "__MACOSX") {  // a Mac's notes on every file
      return;
    }
    tops_.insert(names.front());
    if (tops_.size() > 2) {  // whether there is one is all that matters
      tops_.erase(std::prev(tops_.end()));
    }
    if (!of_a_lab(names)) {
      return;
    }
    StoredFile found = read(entry);
    const auto [place, fresh] = found_.try_emplace(join(names, "/"), std::move(found));
    if (!fresh && place->second.kind != StoredFile::Kind::folder) {
      place->second.problem = "stands in the archive twice";
    }
  }

  // Whether it is [NAME/][labs/]NN-name or such a folder's slot file.
  [[nodiscard]] bool of_a_lab(const std::vector<std::string>& names) const {
    const auto below = [&](std::size_t first) {
      const std::size_t left = names.size() - first;
      const auto lab = left == 1 || left == 2 ? wanted_.find(names[first]) : wanted_.end();
      return lab != wanted_.end() && (left == 1 || lab->second.contains(names[first + 1]));
    };
    return below(0) || (names.size() > 1 && below(1)) ||
           (names.size() > 2 && names[1] == "labs" && below(2));
  }

  StoredFile read(struct archive_entry* entry) {
    StoredFile found;
    const auto type = ::archive_entry_filetype(entry);
    if (type == AE_IFLNK || ::archive_entry_hardlink(entry) != nullptr) {
      found.kind = StoredFile::Kind::link;
    } else if (type == AE_IFDIR) {
      found.kind = StoredFile::Kind::folder;
    } else if (type != AE_IFREG) {
      found.kind = StoredFile::Kind::special;
    } else if (::archive_entry_is_encrypted(entry) != 0) {
      found.problem = "is encrypted";
    } else {
      read_content(found);
    }
    return found;
  }

  void read_content(StoredFile& found) {
    std::array<char, 1 << 16> buffer{};
    for (;;) {
      const la_ssize_t got = ::archive_read_data(open_.get(), buffer.data(), buffer.size());
      if (got == 0) {
        return;
      }
      if (got < 0) {
        refuse_unreadable();
      }
      check_size();
      found.content.append(buffer.data(), static_cast<std::size_t>(got));
      kept_bytes_ += static_cast<std::uint64_t>(got);
      if (found.content.size() > largest_slot_file) {
        found.content.clear();
        found.problem = "is larger than 1 MB";
        return;
      }
      // A zip's entry may be unpacked although next to nothing of the file has been read.
      if (kept_bytes_ > limits_.unpacked_bytes) {
        refuse("unpacks to more than " + std::to_string(limits_.unpacked_bytes >> 20) +
               " MB; slot files alone are far less");
      }
    }
  }

  [[nodiscard]] StoredFiles below_root() const {
    std::vector<std::string> roots{"", "labs/"};
    if (tops_.size() == 1) {
      roots.push_back(*tops_.begin() + "/");
      roots.push_back(*tops_.begin() + "/labs/");
    }
    for (const std::string& root : roots) {
      StoredFiles files;
      for (const auto& [path, file] : found_) {
        const std::string rest = path.starts_with(root) ? path.substr(root.size()) : "";
        if (wanted_.contains(rest.substr(0, rest.find('/')))) {
          files[rest] = file;
        }
      }
      if (!files.empty()) {
        return files;
      }
    }
    return {};
  }

  fs::path file_;
  ArchiveLimits limits_;
  std::map<std::string, std::set<std::string>> wanted_;  // a lab's folder, its slot files
  UniqueFd fd_;
  std::unique_ptr<struct archive, Close> open_;
  std::set<std::string> tops_;
  StoredFiles found_;
  std::uint64_t kept_bytes_ = 0;
};

}  // namespace

StoredFiles read_archive(const fs::path& archive, const Course& course,
                         const ArchiveLimits& limits) {
  return Reading(archive, course, limits).run();
}

}  // namespace goro::grader
