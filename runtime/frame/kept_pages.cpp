#include "frame/kept_pages.h"

#include <sys/mman.h>

#include <map>
#include <mutex>

#include "contracts/constants.h"
#include "contracts/services/sanitizer.h"

namespace goro {

namespace {

struct Kept {
  std::mutex lock;  // a thread that is not the runtime's any more may be here
  std::map<std::uintptr_t, int> counts;
};

Kept& kept() {
  static Kept* instance = new Kept;  // orphans may outlive main()
  return *instance;
}

std::uintptr_t page_of(std::uintptr_t at) {
  return at & ~(kPhysPageSize - 1);
}

void unmap(std::uintptr_t from, std::uintptr_t to) {
  if (from == to) return;
  sanitizer_fresh(reinterpret_cast<void*>(from), to - from);
  munmap(reinterpret_cast<void*>(from), to - from);
}

}  // namespace

void keep_pages(std::uintptr_t at, std::size_t bytes) {
  const std::lock_guard guard(kept().lock);
  for (std::uintptr_t page = page_of(at); page < at + bytes; page += kPhysPageSize)
    ++kept().counts[page];
}

void release_pages(std::uintptr_t at, std::size_t bytes) {
  const std::lock_guard guard(kept().lock);
  std::uintptr_t from = page_of(at);  // of a row of pages that nobody keeps
  std::uintptr_t page = from;
  for (; page < at + bytes; page += kPhysPageSize) {
    const auto entry = kept().counts.find(page);
    if (--entry->second == 0) {
      kept().counts.erase(entry);
    } else {
      unmap(from, page);
      from = page + kPhysPageSize;
    }
  }
  unmap(from, page);
}

std::size_t kept_pages() {
  const std::lock_guard guard(kept().lock);
  return kept().counts.size();
}

void unmap_but_kept(std::uintptr_t at, std::size_t bytes) {
  const std::lock_guard guard(kept().lock);
  std::uintptr_t from = at;
  for (auto entry = kept().counts.lower_bound(at);
       entry != kept().counts.end() && entry->first < at + bytes; ++entry) {
    unmap(from, entry->first);
    from = entry->first + kPhysPageSize;
  }
  unmap(from, at + bytes);
}

}  // namespace goro
