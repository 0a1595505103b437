// Which part of the program a function belongs to, by its name.
//
// Sections would be the other way, but no compiler puts a whole file's functions into a section of
// its own, and an inline function's one copy may come from any file. A mangled name begins with the
// scope that the function is from, wherever its copy is.
#include "contracts/services/program_text.h"

#include "frame/interrupt.h"

#if GORO_ASYNC_PREEMPT

#include <algorithm>
#include <atomic>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "frame/symbols.h"

namespace goro {

namespace {

struct Range {
  std::uintptr_t start;
  std::uintptr_t end;
  Text text;
};

// Set once the ranges are in order.
std::atomic<const std::vector<Range>*> sorted_ranges{nullptr};

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

// A template of the runtime's headers, for a lambda of the program's: WaitGroup::go's task, a
// select's cases. The program's code is inlined into it. In a mangled name, a local entity of the
// runtime's as the first argument reads IZ…NS_, since the scope was mentioned before.
bool is_for_the_program(std::string_view name) {
  std::size_t at = name.find("IZ");
  if (at == std::string_view::npos) return false;
  at = name.find_first_not_of('Z', at + 1);
  return at != std::string_view::npos && !name.substr(at).starts_with("NS") &&
         !name.substr(at).starts_with("NKS");
}

Text text_of(std::string_view name) {
  if (!name.starts_with("_Z")) return Text::other;
  // What calls a goroutine's function: the program's lambda is inlined into the first three, and
  // all are somebody's callers. None of them knows which M it is on.
  if (is_one_of(name, {"_ZN4goro6detail13call_in_placeI", "_ZN4goro6detail12call_in_heapI",
                       "_ZN4goro9WaitGroup4TaskI", "_ZN4goro12_GLOBAL__N_114goroutine_mainEv",
                       "_ZN4goro12_GLOBAL__N_111goroutine_1EPv"})) {
    return Text::program;
  }
  if (is_one_of(name, {"_Znw", "_Zna", "_Zdl", "_Zda"})) return Text::other;
  if (is_one_of(name, {"_ZN4goro", "_ZNK4goro"})) {
    return is_for_the_program(name) ? Text::program : Text::other;
  }
  // GoogleTest insists that the thread that locked a mutex of its own also unlocks it.
  if (is_one_of(name, {"_ZNSt", "_ZNKSt", "_ZSt", "_ZNS", "_ZNKS", "_ZN9__gnu_cxx",
                       "_ZNK9__gnu_cxx", "_ZN7testing", "_ZNK7testing"})) {
    return Text::library;
  }
  return Text::program;
}

}  // namespace

void program_text_init() {
  if (sorted_ranges.load(std::memory_order_relaxed) != nullptr) return;
  // Never freed: a signal can come while the process ends.
  auto& ranges = *new std::vector<Range>;
  for_each_program_function(
      [](const char* name, std::uintptr_t start, std::size_t size, void* arg) {
        auto* out = static_cast<std::vector<Range>*>(arg);
        if (std::string_view(name) == "malloc") {
          // Its own allocator, of which only the name "malloc" is known.
          out->clear();
          return false;
        }
        const Text text = text_of(name);
        if (text != Text::other && size != 0) out->push_back({start, start + size, text});
        return true;
      },
      &ranges);
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.start < b.start; });
  sorted_ranges.store(&ranges, std::memory_order_release);
}

Text text_at(std::uintptr_t pc) {
  const std::vector<Range>* ranges = sorted_ranges.load(std::memory_order_acquire);
  if (ranges == nullptr) return Text::other;
  auto after = std::upper_bound(ranges->begin(), ranges->end(), pc,
                                [](std::uintptr_t at, const Range& r) { return at < r.start; });
  if (after == ranges->begin()) return Text::other;
  --after;
  return pc < after->end ? after->text : Text::other;
}

}  // namespace goro

#endif
