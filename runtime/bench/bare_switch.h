// Stacks between which goro_bare_switch switches: no G, no scheduler.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" void goro_bare_switch(std::uintptr_t* from_sp, std::uintptr_t to_sp);

namespace goro::bars {

// What goro_bare_switch saves below the stack pointer, and the return address.
#if defined(__x86_64__)
inline constexpr std::size_t kBareFrame = 64;
#else
inline constexpr std::size_t kBareFrame = 176;
#endif
inline constexpr std::size_t kBareAlign = 64;

struct BareContext {
  std::uintptr_t sp = 0;
  BareContext* partner = nullptr;
};

// A first frame with the switch's own layout, its control words those of this thread. `stack_hi` is
// aligned as a stack must be.
inline void prepare(BareContext* context, std::uintptr_t stack_hi, void (*entry)()) {
#if defined(__x86_64__)
  // One word above the frame: a function is entered with rsp 8 mod 16.
  context->sp = stack_hi - 8 - kBareFrame;
  auto* words = reinterpret_cast<std::uint64_t*>(context->sp);
  asm volatile("stmxcsr (%0); fnstcw 4(%0)" ::"r"(words) : "memory");
  words[kBareFrame / 8 - 1] = reinterpret_cast<std::uint64_t>(entry);
#else
  context->sp = stack_hi - kBareFrame;
  auto* words = reinterpret_cast<std::uint64_t*>(context->sp);
  asm volatile("mrs %0, fpcr" : "=r"(words[0]));
  words[kBareFrame / 8 - 1] = reinterpret_cast<std::uint64_t>(entry);
#endif
}

}  // namespace goro::bars
