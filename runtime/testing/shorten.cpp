// The shortest failing schedule, or nearly.
//
// First delta debugging (Zeller) over the list of switches: takes parts of the list away, larger
// ones first, as long as the rest still fails in the same way. At the end no single switch can be
// left out, but another, shorter list may fail too. So the schedules with fewer switches are tried
// one by one, as far as a fixed number of steps goes: small tests get the shortest there is. A
// schedule is deterministic, so each attempt needs one run only.
#if GORO_SIMULATE

#include <algorithm>

#include "testing/schedules.h"

namespace goro::sim {

namespace {

constexpr int kMostAttempts = 3000;
constexpr std::uint64_t kStepsOfSearch = 2'000'000;
constexpr std::size_t kMostSearched = 3;

std::vector<Switch> without(const std::vector<Switch>& all, std::size_t from, std::size_t to) {
  std::vector<Switch> rest(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(from));
  rest.insert(rest.end(), all.begin() + static_cast<std::ptrdiff_t>(to), all.end());
  return rest;
}

// None of these can be left out.
std::vector<Switch> needed(Explorer* explorer, std::uint64_t seed, const Ended& failed,
                           std::vector<Switch> switches) {
  int attempts = 0;
  const auto still_fails = [&](const std::vector<Switch>& shorter) {
    ++attempts;
    return explorer->replay(seed, shorter, false).same_as(failed);
  };
  const auto keep = [&](std::vector<Switch> shorter) {
    // Some of these may not have happened at all: what was taken is no more.
    std::vector<Switch> taken = explorer->taken();
    switches = taken.size() < shorter.size() ? std::move(taken) : std::move(shorter);
  };
  if (std::vector<Switch> none; !switches.empty() && still_fails(none)) return none;
  for (std::size_t part = (switches.size() + 1) / 2; part > 0 && attempts < kMostAttempts;) {
    bool shorter = false;
    for (std::size_t from = 0; from < switches.size() && attempts < kMostAttempts;) {
      const std::size_t to = std::min(from + part, switches.size());
      std::vector<Switch> rest = without(switches, from, to);
      if (still_fails(rest)) {
        keep(std::move(rest));
        shorter = true;
      } else {
        from = to;
      }
    }
    // Leaving one out may have made another one needless.
    if (!shorter || part > 1) part = part == 1 ? 0 : (part + 1) / 2;
    if (switches.empty()) break;
  }
  return switches;
}

}  // namespace

std::vector<Switch> shorten(Explorer* explorer, std::uint64_t seed, const Ended& failed,
                            std::vector<Switch> switches) {
  switches = needed(explorer, seed, failed, std::move(switches));
  for (std::size_t fewer = 1; fewer < switches.size() && fewer <= kMostSearched; ++fewer) {
    const Ended ended = explorer->search(seed, static_cast<int>(fewer), kStepsOfSearch);
    if (!ended.failed()) continue;
    if (ended.same_as(failed)) return explorer->searched();
    break;
  }
  return switches;
}

}  // namespace goro::sim

#endif
