// Signal contexts and the states of interrupted goroutines.
#include "frame/interrupt.h"

#include "contracts/services/interrupt.h"
#include "frame/settings.h"

#if GORO_ASYNC_PREEMPT

#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

extern "C" {
// Pushed to by goro_async_preempt, one at a time; taken from all at once.
std::atomic<goro::SavedState*> goro_free_states{nullptr};
#if defined(__x86_64__)
// Which parts of the registers xsave saves; 0: this processor has no xsave.
std::uint32_t goro_xsave_mask = 0;
#endif
}

namespace goro {

namespace {

std::atomic<SavedState*> all_states{nullptr};
std::atomic<int> states{0};
std::atomic<std::uint64_t> preemptions{0};

void give_back(SavedState* list) {
  if (list == nullptr) return;
  SavedState* last = list;
  while (last->next != nullptr) last = last->next;
  SavedState* head = goro_free_states.load(std::memory_order_relaxed);
  do {
    last->next = head;
  } while (!goro_free_states.compare_exchange_weak(head, list, std::memory_order_release,
                                                   std::memory_order_relaxed));
}

#if defined(__x86_64__)

// The parts that a goroutine's code may use: x87, SSE, AVX, and AVX-512's three. Not protection
// keys, which are the thread's; not AMX's tiles, which need 8 KB: a goroutine that has some in use
// is not stopped.
constexpr std::uint32_t kParts = 0xe7;
constexpr std::uint64_t kNotTheGoroutines = std::uint64_t{1} << 9;

std::uint32_t find_xsave_mask() {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
  std::uint32_t d = 0;
  constexpr std::uint32_t kOsXsave = 1U << 27;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kOsXsave) == 0) return 0;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  std::uint32_t mask = low & kParts;
  for (std::uint32_t part = 2; part < 8; ++part) {
    if ((mask >> part & 1) == 0) continue;
    if (__get_cpuid_count(0xd, part, &a, &b, &c, &d) == 0 || a + b > GORO_SAVED_NEXT) return 0;
  }
  return mask;
}

// What the kernel says is in use, from the signal frame: behind the 512 bytes of the old format
// are the bits of the parts that are not in their initial state.
std::uint64_t parts_in_use(const ucontext_t* context) {
  const auto* state = reinterpret_cast<const std::byte*>(context->uc_mcontext.fpregs);
  if (state == nullptr) return ~std::uint64_t{0};
  // In the old format's unused part the kernel says whether there is more.
  constexpr std::size_t kMagicAt = 464;
  constexpr std::uint32_t kMagic = 0x46505853;
  std::uint32_t magic = 0;
  std::memcpy(&magic, state + kMagicAt, sizeof(magic));
  if (magic != kMagic) return 3;
  std::uint64_t parts = 0;
  std::memcpy(&parts, state + 512, sizeof(parts));
  return parts;
}

#else

constexpr std::size_t kSiginfo = kSavedContext;
static_assert(sizeof(siginfo_t) == kSiginfo);
static_assert(kSiginfo + sizeof(ucontext_t) <= GORO_SAVED_NEXT);
static_assert(kSiginfo + offsetof(ucontext_t, uc_stack) + offsetof(stack_t, ss_sp) ==
              GORO_SAVED_ALTSTACK_SP);
static_assert(kSiginfo + offsetof(ucontext_t, uc_stack) + offsetof(stack_t, ss_size) ==
              GORO_SAVED_ALTSTACK_SIZE);

// Are all registers in the frame itself? Vectors of more than 64 bytes are behind it, and then the
// frame cannot be moved.
bool is_whole(const ucontext_t* context) {
  constexpr std::uint32_t kExtra = 0x45585401;
  const auto* records = reinterpret_cast<const std::byte*>(&context->uc_mcontext.__reserved);
  for (std::size_t at = 0; at + 8 <= sizeof(context->uc_mcontext.__reserved);) {
    std::uint32_t head[2];  // what it is, its size
    std::memcpy(head, records + at, sizeof(head));
    if (head[0] == kExtra) return false;
    if (head[0] == 0 || head[1] == 0) return true;
    at += head[1];
  }
  return false;
}

#endif

}  // namespace

void interrupt_init() {
#if defined(__x86_64__)
  if (goro_xsave_mask == 0) goro_xsave_mask = find_xsave_mask();
#endif
}

bool async_preempt_is_off() {
#if defined(__x86_64__)
  if (goro_xsave_mask == 0) return true;
#endif
  return settings().asyncpreemptoff;
}

SavedState* saved_state_take() {
  // acquire: its last user is finished with it.
  SavedState* list = goro_free_states.exchange(nullptr, std::memory_order_acquire);
  if (list != nullptr) return list;
  auto* fresh =
      static_cast<SavedState*>(std::aligned_alloc(alignof(SavedState), sizeof(SavedState)));
  if (fresh == nullptr) return nullptr;
  // xsave leaves parts of its header alone that xrstor wants to be 0.
  std::memset(fresh, 0, sizeof(*fresh));
  states.fetch_add(1, std::memory_order_relaxed);
  fresh->all_next = all_states.load(std::memory_order_relaxed);
  while (!all_states.compare_exchange_weak(fresh->all_next, fresh, std::memory_order_release,
                                           std::memory_order_relaxed)) {
  }
  return fresh;
}

void saved_states_reset() {
  goro_free_states.store(nullptr, std::memory_order_relaxed);
  for (SavedState* at = all_states.exchange(nullptr, std::memory_order_acquire); at != nullptr;) {
    SavedState* next = at->all_next;
    std::free(at);
    at = next;
  }
  states.store(0, std::memory_order_relaxed);
}

int saved_states() {
  return states.load(std::memory_order_relaxed);
}

std::uint64_t async_preemptions() {
  return preemptions.load(std::memory_order_relaxed);
}

void interrupt_enter_thread(M* mp) {
  mp->resumed_state = nullptr;
  mp->spare_state = async_preempt_is_off() ? nullptr : saved_state_take();
  mp->signal_pending.store(false, std::memory_order_relaxed);
  // release: whoever sends a signal here finds an M that is ready for it.
  mp->tid.store(static_cast<int>(syscall(SYS_gettid)), std::memory_order_release);
}

void interrupt_leave_thread(M* mp) {
  give_back(mp->spare_state);
  mp->spare_state = nullptr;
  if (mp->resumed_state != nullptr) {
    mp->resumed_state->next = nullptr;
    give_back(mp->resumed_state);
    mp->resumed_state = nullptr;
  }
}

#if defined(__x86_64__)

Interrupted interrupted(void* ucontext) {
  const auto& registers = static_cast<const ucontext_t*>(ucontext)->uc_mcontext.gregs;
  return {static_cast<std::uintptr_t>(registers[REG_RIP]),
          static_cast<std::uintptr_t>(registers[REG_RSP]),
          static_cast<std::uintptr_t>(registers[REG_RBP]), ucontext};
}

bool registers_fit(const Interrupted& at) {
  const auto* context = static_cast<const ucontext_t*>(at.ucontext);
  return (parts_in_use(context) & ~std::uint64_t{goro_xsave_mask} & ~kNotTheGoroutines) == 0;
}

#else

Interrupted interrupted(void* ucontext) {
  const mcontext_t& registers = static_cast<const ucontext_t*>(ucontext)->uc_mcontext;
  return {registers.pc, registers.sp, registers.regs[29], ucontext};
}

bool registers_fit(const Interrupted& at) {
  return is_whole(static_cast<const ucontext_t*>(at.ucontext));
}

#endif

}  // namespace goro

extern "C" void goro_async_preempt2(goro::G* gp) {
  goro::preemptions.fetch_add(1, std::memory_order_relaxed);
  goro::async_preempt2(gp);
}

#else

#include <cstddef>

namespace goro {

void interrupt_init() {}
void interrupt_enter_thread(M* /*mp*/) {}
void interrupt_leave_thread(M* /*mp*/) {}
void saved_states_reset() {}
void program_text_init() {}
void preempt_storm_start() {}
void preempt_storm_stop() {}

std::uint64_t async_preemptions() {
  return 0;
}

}  // namespace goro

#endif
