#include "process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "unique_fd.h"

namespace goro::grader {

namespace {

// What follows the name, which is in parentheses and may hold anything.
std::optional<ProcessEntry> parse(pid_t id, const char* after_name) {
  ProcessEntry entry;
  entry.id = id;
  char state = 0;
  long parent = 0;
  unsigned long threads = 0;
  long pages = 0;
  if (std::sscanf(after_name,
                  " %c %ld %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %*s %*s "
                  "%*s %ld",
                  &state, &parent, &threads, &pages) != 4) {
    return std::nullopt;
  }
  entry.parent = static_cast<pid_t>(parent);
  entry.zombie = state == 'Z' || state == 'X';
  entry.threads = threads;
  entry.resident_bytes =
      static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return entry;
}

std::vector<ProcessEntry> read_table(const std::function<bool(const struct stat&)>& wanted) {
  std::vector<ProcessEntry> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (folder == nullptr) {
    return all;
  }
  while (const dirent* item = ::readdir(folder.get())) {
    const pid_t id = static_cast<pid_t>(std::atol(item->d_name));
    if (id <= 0) {
      continue;
    }
    const std::string file = std::string(item->d_name) + "/stat";
    const UniqueFd stat(::openat(::dirfd(folder.get()), file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat owner {};
    std::array<char, 1024> text{};
    if (!stat.valid() || ::fstat(stat.get(), &owner) != 0 || !wanted(owner) ||
        ::read(stat.get(), text.data(), text.size() - 1) <= 0) {
      continue;
    }
    if (const char* end = std::strrchr(text.data(), ')'); end != nullptr) {
      if (const auto entry = parse(id, end + 1)) {
        all.push_back(*entry);
        all.back().user = owner.st_uid;
      }
    }
  }
  return all;
}

}  // namespace

std::vector<ProcessEntry> process_table() {
  return read_table([](const struct stat&) { return true; });
}

std::vector<ProcessEntry> processes_of(uid_t user) {
  return read_table([user](const struct stat& owner) { return owner.st_uid == user; });
}

Usage usage_of_tree(pid_t first, std::optional<uid_t> user) {
  std::multimap<pid_t, const ProcessEntry*> children;
  const std::vector<ProcessEntry> all = process_table();
  Usage usage;
  const auto add = [&](const ProcessEntry& entry) {
    usage.resident_bytes += entry.resident_bytes;
    usage.threads += !user || entry.user == *user ? entry.threads : 0;
  };
  std::set<pid_t> open;
  for (const ProcessEntry& entry : all) {
    children.emplace(entry.parent, &entry);
    if (entry.id == first || (user && entry.user == *user)) {
      add(entry);
      open.insert(entry.id);
    }
  }
  std::set<pid_t> seen = open;
  while (!open.empty()) {
    const auto [begin, end] = children.equal_range(open.extract(open.begin()).value());
    for (auto child = begin; child != end; ++child) {
      if (seen.insert(child->second->id).second) {
        add(*child->second);
        open.insert(child->second->id);
      }
    }
  }
  return usage;
}

}  // namespace goro::grader
