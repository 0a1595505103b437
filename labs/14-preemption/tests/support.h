// What the tests of this lab share: a goroutine that is interrupted without anybody running it.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "contracts/context_switch.h"
#include "contracts/preemption.h"
#include "contracts/services/interrupt.h"
#include "contracts/services/program_text.h"
#include "testing/fake.h"
#include "testing/stopping.h"
#include "testing/story.h"

namespace stoppable {

// A function of the program's, which nobody calls.
[[gnu::noinline]] inline int some_function(int i) {
  asm volatile("" : "+r"(i));
  return i + 1;
}

}  // namespace stoppable

namespace goro::testing {

inline std::uintptr_t in_the_program() {
  return reinterpret_cast<std::uintptr_t>(&stoppable::some_function) + 4;
}
inline std::uintptr_t in_a_library_template() {
  const int& (*max)(const int&, const int&) = &std::max<int>;
  return reinterpret_cast<std::uintptr_t>(max) + 4;
}
inline std::uintptr_t in_the_runtime() {
  return reinterpret_cast<std::uintptr_t>(&goro_mcall) + 4;
}

// A goroutine of this M that was interrupted in the program: `at` is a safe point. Its stack is
// memory of ours, with two callers' frame records at its end.
class InterruptedG {
 public:
  InterruptedG() {
    know_registers_and_text();
    std::fill(std::begin(words_), std::end(words_), kUntouched);
    g_ = fake_.g(GStatus::running);
    g_->m = fake_.m();
    g_->stack = Stack{lo(), lo() + sizeof(words_)};
    g_->stackguard0.store(lo() + 100);
    g_->preempt.store(true);
    fake_.m()->curg.store(g_);
    fake_.m()->spare_state = saved_state_take();
    fake_.m()->signal_pending.store(true);
    callers({in_the_program(), in_the_program()});
    at_.pc = in_the_program();
    at_.sp = lo() + 2048;
    at_.ucontext = &context_;
#if defined(__x86_64__)
    context_.uc_mcontext.fpregs = &vectors_;
    context_.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(at_.pc);
    context_.uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(at_.sp);
#else
    context_.uc_mcontext.pc = at_.pc;
    context_.uc_mcontext.sp = at_.sp;
    for (std::uint64_t i = 0; i < 31; ++i) context_.uc_mcontext.regs[i] = 1000 + i;
#endif
  }
  ~InterruptedG() {
    fake_.m()->spare_state = nullptr;
    fake_.m()->curg.store(nullptr);
    g_->stack = Stack{};
  }
  InterruptedG(const InterruptedG&) = delete;
  InterruptedG& operator=(const InterruptedG&) = delete;

  // Frame records from `at.fp` up, one for each return address, and the goroutine's first.
  void callers(const std::vector<std::uintptr_t>& returns) {
    std::size_t at = kWords - 4 * (returns.size() + 1);
    at_.fp = address(at);
    for (const std::uintptr_t address_of_return : returns) {
      words_[at] = address(at + 4);
      words_[at + 1] = address_of_return;
      at += 4;
    }
    words_[at] = 0;
    words_[at + 1] = 0;
  }

  // No SavedState has room for such registers.
  void use_strange_registers() {
#if defined(__x86_64__)
    context_.uc_mcontext.fpregs = nullptr;
#else
    constexpr std::uint32_t kExtra[2]{0x45585401, 16};
    std::memcpy(&context_.uc_mcontext.__reserved, kExtra, sizeof(kExtra));
#endif
  }

  // Where the thread would go on.
  [[nodiscard]] std::uintptr_t next_pc() const {
    return interrupted(const_cast<ucontext_t*>(&context_)).pc;
  }
  [[nodiscard]] std::uintptr_t next_sp() const {
    return interrupted(const_cast<ucontext_t*>(&context_)).sp;
  }
  [[nodiscard]] std::uintptr_t next_fp() const {
    return interrupted(const_cast<ucontext_t*>(&context_)).fp;
  }

  [[nodiscard]] std::uintptr_t lo() const {
    return reinterpret_cast<std::uintptr_t>(words_);
  }
  [[nodiscard]] std::uintptr_t address(std::size_t word) const {
    return lo() + word * 8;
  }
  [[nodiscard]] std::uint64_t* words() {
    return words_;
  }
  // The word of the stack at an address.
  [[nodiscard]] std::uint64_t word_at(std::uintptr_t address) const {
    return words_[(address - lo()) / 8];
  }

  [[nodiscard]] M* m() {
    return fake_.m();
  }
  [[nodiscard]] G* g() {
    return g_;
  }
  [[nodiscard]] Interrupted& at() {
    return at_;
  }
  [[nodiscard]] const ucontext_t& context() const {
    return context_;
  }

  static constexpr std::size_t kWords = 512;
  static constexpr std::uint64_t kUntouched = 0xabababababababab;

 private:
  FakeM fake_;
  G* g_ = nullptr;
  Interrupted at_{};
  ucontext_t context_{};
#if defined(__x86_64__)
  _libc_fpstate vectors_{};
#endif
  alignas(64) std::uint64_t words_[kWords];
};

inline const auto kGoesOnInAsyncPreempt = [](const InterruptedG& i) {
  return i.next_pc() == reinterpret_cast<std::uintptr_t>(&goro_async_preempt);
};

}  // namespace goro::testing
