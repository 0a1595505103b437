// What the words that threads meet in are called: "P0.runqtail", "sched.lock", "G3.atomicstatus".
//
// For reports only. Runs while nothing is a point.
#include <cstddef>
#include <vector>

#include "contracts/getg.h"
#include "contracts/model.h"
#include "contracts/services/allgs.h"
#include "frame/dump.h"
#include "simulation/simulation.h"

namespace goro::sim {

namespace {

struct Named {
  std::uintptr_t from;
  std::uintptr_t to;
  std::string text;
};
std::vector<Named> named;

struct Field {
  std::size_t from;
  std::size_t size;
  const char* name;
  bool holds_g;
};

#define FIELD(type, field, holds_g) \
  { offsetof(type, field), sizeof(type::field), #field, holds_g }

const Field* find_field(const Field* fields, std::size_t count, std::size_t offset) {
  for (std::size_t i = 0; i < count; ++i) {
    if (offset - fields[i].from < fields[i].size) return &fields[i];
  }
  return nullptr;
}

// Offsets into types that are not of standard layout: both compilers define what we need of it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"
constexpr Field kPFields[] = {FIELD(P, status, false), FIELD(P, runqhead, false),
                              FIELD(P, runqtail, false), FIELD(P, runnext, true)};
constexpr Field kMFields[] = {FIELD(M, curg, true), FIELD(M, park, false),
                              FIELD(M, guard_slot, false), FIELD(M, parked, false),
                              FIELD(M, gone, false)};
constexpr Field kGFields[] = {FIELD(G, stackguard0, false), FIELD(G, atomicstatus, false),
                              FIELD(G, preempt, false)};
constexpr Field kSchedFields[] = {
    FIELD(Sched, lock, false),       FIELD(Sched, runqsize, false),
    FIELD(Sched, npidle, false),     FIELD(Sched, nmspinning, false),
    FIELD(Sched, gfree_lock, false), FIELD(Sched, goidgen, false),
    FIELD(Sched, gomaxprocs, false), FIELD(Sched, world_lock, false),
    FIELD(Sched, gcwaiting, false),  FIELD(Sched, stopnote, false),
    FIELD(Sched, stopping, false),   FIELD(Sched, needspinning, false),
    FIELD(Sched, idlepmask, false),  FIELD(Sched, sysmonwait, false),
    FIELD(Sched, sysmonnote, false), FIELD(Sched, endnote, false)};
constexpr std::size_t kRunqFrom = offsetof(P, runq);
#pragma GCC diagnostic pop

template <std::size_t N>
Name field_name(const Field (&fields)[N], const std::string& object, std::size_t offset) {
  const Field* field = find_field(fields, N, offset);
  if (field == nullptr) return {object + "'s word at " + std::to_string(offset)};
  return {object + "." + field->name, field->holds_g};
}

template <typename T>
bool inside(const T* object, std::uintptr_t at, std::size_t* offset) {
  *offset = at - reinterpret_cast<std::uintptr_t>(object);
  return *offset < sizeof(T);
}

}  // namespace

void name(const volatile void* address, std::size_t size, const char* text) {
  if (!telling()) return;
  const auto from = reinterpret_cast<std::uintptr_t>(address);
  named.push_back({from, from + size, text});
}

void forget_names() {
  named.clear();
}

Name name_of(const volatile void* address) {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  for (auto entry = named.rbegin(); entry != named.rend(); ++entry) {
    if (at >= entry->from && at < entry->to) return {entry->text};
  }
  std::size_t offset = 0;
  if (inside(&sched, at, &offset)) return field_name(kSchedFields, "sched", offset);
  for (const P* pp : allp) {
    if (!inside(pp, at, &offset)) continue;
    const std::string object = "P" + std::to_string(pp->id);
    if (offset - kRunqFrom < sizeof(P::runq)) {
      return {object + ".runq[" + std::to_string((offset - kRunqFrom) / sizeof(P::runq[0])) + "]",
              true};
    }
    return field_name(kPFields, object, offset);
  }
  Name found;
  for (const M* mp = allm; mp != nullptr; mp = mp->alllink) {
    const std::string object = "M" + std::to_string(mp->id);
    if (inside(&mp->g0_storage, at, &offset)) return field_name(kGFields, object + ".g0", offset);
    if (inside(mp, at, &offset)) return field_name(kMFields, object, offset);
  }
  for_each_g([&](const G* gp) {
    if (found.text.empty() && inside(gp, at, &offset)) {
      found = field_name(kGFields, "G" + std::to_string(gp->goid), offset);
    }
  });
  if (found.text.empty()) found.text = "a word without a name";
  return found;
}

std::string who_runs() {
  const M* mp = getm();
  if (mp == nullptr) return "";
  std::string text;
  if (mp->p != nullptr) text = "P" + std::to_string(mp->p->id);
  const G* gp = mp->curg.load(std::memory_order_relaxed);
  if (gp != nullptr) text += (text.empty() ? "G" : ", G") + std::to_string(gp->goid);
  return text;
}

std::uint64_t g_id(std::uint64_t address) {
  return address == 0 ? 0 : reinterpret_cast<const G*>(address)->goid;
}

void dump_runtime() {
  if (allm == nullptr) return;
  TextSink out(2);
  print_all(&out);
}

}  // namespace goro::sim
