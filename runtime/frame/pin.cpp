#include "contracts/services/pin.h"

#include <string>

#include "contracts/getg.h"
#include "contracts/services/fatal.h"
#include "contracts/services/goroutine.h"
#include "frame/entry.h"
#include "frame/stack_space.h"
#include "goro/pin_stack.h"

#if GORO_CHAINED_STACKS
// The linker's.
extern "C" const char __executable_start;
extern "C" const char etext;
#endif

namespace goro {

#if GORO_CHAINED_STACKS

namespace {

constexpr std::uintptr_t kOneScope = std::uintptr_t{1} << 56;
constexpr std::uintptr_t kMostScopes = (1 << 7) - 1;
constexpr std::uintptr_t kOneContent = std::uintptr_t{1} << 48;
constexpr std::uintptr_t kContent = kOneScope - kOneContent;
constexpr std::uintptr_t kWhere = (kOneContent - 1) & ~std::uintptr_t{7};
constexpr std::uintptr_t kPinnedOrSegment = GORO_STACK_PINNED | 1;
static_assert(kMostScopes * kOneScope < std::uintptr_t{1} << 63);

// What a frame record holds, in place.
std::uintptr_t content_of(std::uintptr_t record) {
  const auto* words = reinterpret_cast<const std::uintptr_t*>(record);
  const std::uint64_t mixed = (words[0] + 3 * words[1]) * 0x9e3779b97f4a7c15;
  return (mixed >> 56 | 1) * kOneContent;
}

// The highest word of the object that is an address in [lo, hi), but not in the object; 0: none.
// Makes no call, for callers whose own stack that is: a call may move it.
[[gnu::always_inline]] inline std::uintptr_t highest_address(const void* object, std::size_t size,
                                                             std::uintptr_t lo, std::uintptr_t hi) {
  const auto from = reinterpret_cast<std::uintptr_t>(object);
  std::uintptr_t highest = 0;
  for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= size; at += sizeof(std::uintptr_t)) {
    std::uintptr_t word = 0;
    __builtin_memcpy(&word, static_cast<const std::byte*>(object) + at, sizeof(word));
    if (word - lo < hi - lo && word - from >= size && word > highest) highest = word;
  }
  return highest;
}

// A walk up the frames of a goroutine, from one frame record to the next.
class Frames {
 public:
  Frames(const G* gp, std::uintptr_t record) : gp_(gp), within_(gp->stack), record_(record) {}

  // To the first record above `address`, which is in `base`. False if it may be missed: code
  // without frame records is on the way, or the way is long.
  bool go_up_to(Stack base, std::uintptr_t address) {
    for (; left_ > 0; --left_) {
      const bool seam = over_the_seam(gp_, &within_, record_);
      if (record_ % 8 != 0 || record_ < within_.lo || record_ > within_.hi - 16) return false;
      const auto* words = reinterpret_cast<const std::uintptr_t*>(record_);
      const std::uintptr_t pc = words[seam ? 2 : 1];
      if (!is_seam(pc) && !is_of_the_program(pc)) return false;
      if (within_.hi == base.hi && record_ > address) return true;
      if (within_.contains(words[0]) && words[0] <= record_) return false;
      record_ = words[0];
    }
    return false;
  }

  [[nodiscard]] std::uintptr_t record() const { return record_; }

 private:
  // A library's functions have no records, and return addresses of their own.
  static bool is_of_the_program(std::uintptr_t pc) {
    return pc - reinterpret_cast<std::uintptr_t>(&__executable_start) <
           static_cast<std::size_t>(&etext - &__executable_start);
  }

  const G* gp_;
  Stack within_;
  std::uintptr_t record_;
  int left_ = 64;
};

// True if it counts. More than can be counted do not: they end before those that do.
bool open_scope(G* gp) {
  if (gp->stack_kind == StackKind::growable) {
    gp->stack_kind = StackKind::chained;
    *stack_links(gp->stack) = {kOneScope | GORO_STACK_PINNED, 0};
    return true;
  }
  const Stack base = base_of(gp->stack);
  const std::uintptr_t pin = base_pin(base);
  if (pin == 0 || pin / kOneScope == kMostScopes) return false;
  set_base_pin(base, pin + kOneScope);
  return true;
}

void close_scope(G* gp, std::uintptr_t sp) {
  const Stack base = gp->stack_kind == StackKind::chained ? base_of(gp->stack) : Stack{};
  const std::uintptr_t pin = base.lo != 0 ? base_pin(base) : 0;
  if (pin < kOneScope) fatal("pin_stack: the scope of another goroutine ends here");
  set_base_pin(base, pin - kOneScope);
  unpin_if_over(gp, sp);
}

}  // namespace

void pin_what_it_points_at(G* gp, std::uintptr_t record, const void* object, std::size_t size) {
  const bool is_chained = gp->stack_kind == StackKind::chained;
  const Stack base = is_chained ? base_of(gp->stack) : gp->stack;
  if (is_chained && !is_pinned(base)) return;
  const std::uintptr_t highest = highest_address(object, size, base.lo, base.hi);
  if (highest == 0) return;
  Frames frames(gp, record);
  std::uintptr_t known = highest & kWhere;
  if (frames.go_up_to(base, highest)) known = frames.record() | content_of(frames.record());
  if (!is_chained) {
    gp->stack_kind = StackKind::chained;
    *stack_links(base) = {known | GORO_STACK_PINNED, 0};
    return;
  }
  const std::uintptr_t pin = base_pin(base);
  const std::uintptr_t before = pin & kWhere;
  if (before >= (known & kWhere)) {
    // The frame that was known before outlives this one, if it is still there. What it held may be
    // there by chance; a walk is sure.
    if ((pin & kContent) == 0) return;
    if (!frames.go_up_to(base, before - 1)) {
      known = before;
    } else if (frames.record() == before && content_of(before) == (pin & kContent)) {
      return;
    }
  }
  set_base_pin(base, (pin & ~(kContent | kWhere)) | known);
}

bool unpin_if_over(G* gp, std::uintptr_t sp) {
  if (!is_pinned(gp->stack)) return false;
  release_unused_space(gp, sp);
  const std::uintptr_t pin = stack_links(gp->stack)->mark;
  if (pin >= kOneScope) return false;  // an open scope, or a block
  const std::uintptr_t content = pin & kContent;
  const std::uintptr_t where = pin & kWhere;
  if (where >= sp && (content == 0 || content_of(where) == content)) return false;
  release_newer_segments(getm()->p, gp->stack);
  stack_links(gp->stack)->mark = 0;
  gp->stack_kind = StackKind::growable;
  return true;
}

#else

void pin_what_it_points_at(G* /*gp*/, std::uintptr_t /*record*/, const void* /*object*/,
                           std::size_t /*size*/) {}

bool unpin_if_over(G* /*gp*/, std::uintptr_t /*sp*/) {
  return false;
}

#endif

namespace detail {

#if GORO_CHAINED_STACKS

void pin_what_it_points_at(const void* object, std::size_t size) {
  G* gp = getg();
  if (gp == nullptr || !is_small_stack(gp->stack_kind)) return;
  // Most values point elsewhere, and most chained stacks were asked for: there this is all.
  if (gp->stack_kind == StackKind::growable
          ? highest_address(object, size, gp->stack.lo, gp->stack.hi) == 0
          : (reinterpret_cast<const StackLinks*>(gp->stack.hi)[-1].mark & kPinnedOrSegment) == 0) {
    return;
  }
  const auto record = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  systemstack([&] { goro::pin_what_it_points_at(gp, record, object, size); });
}

bool pin() {
  G* gp = getg();
  if (gp == nullptr || !is_small_stack(gp->stack_kind)) return false;
  bool counts = false;
  systemstack([&] { counts = open_scope(gp); });
  return counts;
}

void unpin() {
  G* gp = getm() != nullptr ? getm()->curg.load(std::memory_order_relaxed) : nullptr;
  if (gp == nullptr) fatal("pin_stack: a goroutine's scope ends outside of goro::run");
  const auto sp = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  systemstack([&] { close_scope(gp, sp); });
}

#else

void pin_what_it_points_at(const void* /*object*/, std::size_t /*size*/) {}

bool pin() {
#if GORO_GROWABLE_STACKS
  if (const G* gp = getg(); gp != nullptr && gp->stack_kind == StackKind::growable) {
    systemstack([&] { refuse_pin(gp); });
  }
#endif
  return false;
}

void unpin() {}

#endif

}  // namespace detail

}  // namespace goro
