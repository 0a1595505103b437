// Functions of the program's that fill all registers, stop in the middle, and say what they find
// there afterwards.
#pragma once

#include <cstddef>
#include <cstdint>

#include "testing/stopping.h"

namespace goro::testing {

#if defined(__x86_64__)

struct Registers {
  std::uint64_t general[8];  // rbx r8 r9 r10 r12 r13 r14 r15
  std::uint64_t flags;       // as lahf gives them; not in a pattern
  std::uint64_t unused;
  std::uint64_t red_zone[16];  // -128(%rsp) …
  std::uint64_t vectors[16][8];
  std::int32_t process;
  std::int32_t thread;
};
static_assert(offsetof(Registers, flags) == 64 && offsetof(Registers, red_zone) == 80 &&
              offsetof(Registers, vectors) == 208 && offsetof(Registers, process) == 1232);
inline constexpr const char* kGeneralNames[]{"rbx", "r8", "r9", "r10", "r12", "r13", "r14", "r15"};
inline constexpr int kVectors = 16;

#define ZONE(op)                                                                                 \
  op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) \
      op(15)
#define ZONE_LOAD(i) "movq 80+8*" #i "(%rdi), %rax\n movq %rax, -128+8*" #i "(%rsp)\n"
#define ZONE_STORE(i) "movq -128+8*" #i "(%rsp), %rcx\n movq %rcx, 80+8*" #i "(%rax)\n"
#define SSE_LOAD(i) "movups 208+64*" #i "(%rdi), %xmm" #i "\n"
#define SSE_STORE(i) "movups %xmm" #i ", 208+64*" #i "(%rax)\n"
#define AVX_LOAD(i) "vmovups 208+64*" #i "(%rdi), %ymm" #i "\n"
#define AVX_STORE(i) "vmovups %ymm" #i ", 208+64*" #i "(%rax)\n"
#define AVX512_LOAD(i) "vmovups 208+64*" #i "(%rdi), %zmm" #i "\n"
#define AVX512_STORE(i) "vmovups %zmm" #i ", 208+64*" #i "(%rax)\n"

// void NAME(Registers*): stops at the end of a system call (tgkill of its own thread), with the
// carry and the sign flag up.
#define STOPS(NAME, LOAD, STORE, CLEAN) \
  asm(".text\n.globl " NAME "\n.type " NAME ", %function\n" NAME                               \
      ":\n"                                                                                    \
      "pushq %rbp\n movq %rsp, %rbp\n"                                                         \
      "pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n pushq %rdi\n" ZONE(    \
          LOAD) ZONE(ZONE_LOAD) "movq (%rdi), %rbx\n movq 8(%rdi), %r8\n movq 16(%rdi), %r9\n" \
                                "movq 24(%rdi), %r10\n movq 32(%rdi), %r12\n"                  \
                                "movq 40(%rdi), %r13\n movq 48(%rdi), %r14\n"                  \
                                "movq 56(%rdi), %r15\n"                                        \
                                "xorl %eax, %eax\n cmpl $1, %eax\n"                            \
                                "movl $23, %edx\n movl 1236(%rdi), %esi\n"                     \
                                "movl 1232(%rdi), %edi\n movl $234, %eax\n"                    \
                                "syscall\n"                                                    \
                                "lahf\n movzbl %ah, %eax\n movq %rax, %r11\n"               \
                                "movq (%rsp), %rax\n"                                                       \
                                "movq %rbx, (%rax)\n movq %r8, 8(%rax)\n movq %r9, 16(%rax)\n" \
                                "movq %r10, 24(%rax)\n movq %r12, 32(%rax)\n"                  \
                                "movq %r13, 40(%rax)\n movq %r14, 48(%rax)\n"                  \
                                "movq %r15, 56(%rax)\n movq %r11, 64(%rax)\n" ZONE(            \
                                    ZONE_STORE) ZONE(STORE) CLEAN                              \
      "addq $8, %rsp\n"                                                                        \
      "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n ret\n"          \
      ".size " NAME ", . - " NAME "\n")

#else

struct Registers {
  std::uint64_t general[24];  // x3 … x7, x9 … x17, x19 … x28
  std::uint64_t flags;        // nzcv
  std::uint64_t unused;
  std::uint64_t vectors[32][2];
  std::int32_t process;
  std::int32_t thread;
};
static_assert(offsetof(Registers, flags) == 192 && offsetof(Registers, vectors) == 208 &&
              offsetof(Registers, process) == 720);
inline constexpr const char* kGeneralNames[]{
    "x3",  "x4",  "x5",  "x6",  "x7",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15",
    "x16", "x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28"};
inline constexpr int kVectors = 32;

#define PAIRS(op)                                                                               \
  op(3, 4, 0) op(5, 6, 2) op(7, 9, 4) op(10, 11, 6) op(12, 13, 8) op(14, 15, 10) op(16, 17, 12) \
      op(19, 20, 14) op(21, 22, 16) op(23, 24, 18) op(25, 26, 20) op(27, 28, 22)
#define VECTOR_PAIRS(op)                                                                   \
  op(0, 1) op(2, 3) op(4, 5) op(6, 7) op(8, 9) op(10, 11) op(12, 13) op(14, 15) op(16, 17) \
      op(18, 19) op(20, 21) op(22, 23) op(24, 25) op(26, 27) op(28, 29) op(30, 31)
#define PAIR_LOAD(a, b, i) "ldp x" #a ", x" #b ", [x0, #8*" #i "]\n"
#define PAIR_STORE(a, b, i) "stp x" #a ", x" #b ", [x0, #8*" #i "]\n"
#define VECTOR_LOAD(a, b) "ldp q" #a ", q" #b ", [x0, #208+16*" #a "]\n"
#define VECTOR_STORE(a, b) "stp q" #a ", q" #b ", [x0, #208+16*" #a "]\n"

#define STOPS(NAME) \
  asm(".text\n.globl " NAME "\n.type " NAME ", %function\n" NAME                             \
      ":\n"                                                                                  \
      "stp x29, x30, [sp, #-176]!\n mov x29, sp\n"                                           \
      "stp x19, x20, [sp, #16]\n stp x21, x22, [sp, #32]\n stp x23, x24, [sp, #48]\n"        \
      "stp x25, x26, [sp, #64]\n stp x27, x28, [sp, #80]\n"                                  \
      "stp d8, d9, [sp, #96]\n stp d10, d11, [sp, #112]\n stp d12, d13, [sp, #128]\n"        \
      "stp d14, d15, [sp, #144]\n str x0, [sp, #160]\n" VECTOR_PAIRS(VECTOR_LOAD) PAIRS(     \
          PAIR_LOAD) "mov x2, #0\n cmp x2, #1\n"                                              \
                     "ldr w1, [x0, #724]\n ldr w0, [x0, #720]\n mov x2, #23\n mov x8, #131\n" \
                     "svc #0\n"                                                              \
                     "ldr x0, [sp, #160]\n" PAIRS(PAIR_STORE) VECTOR_PAIRS(VECTOR_STORE)     \
      "mrs x2, nzcv\n str x2, [x0, #192]\n"                                                  \
      "ldp d8, d9, [sp, #96]\n ldp d10, d11, [sp, #112]\n ldp d12, d13, [sp, #128]\n"        \
      "ldp d14, d15, [sp, #144]\n"                                                           \
      "ldp x19, x20, [sp, #16]\n ldp x21, x22, [sp, #32]\n ldp x23, x24, [sp, #48]\n"        \
      "ldp x25, x26, [sp, #64]\n ldp x27, x28, [sp, #80]\n"                                  \
      "ldp x29, x30, [sp], #176\n ret\n"                                                     \
      ".size " NAME ", . - " NAME "\n")

#endif

using Stops = void (*)(Registers*);

// Numbers that differ in every register, and from one `seed` to another.
inline Registers pattern(std::uint64_t seed, int vector_bytes = 16) {
  Registers r{};
  std::uint64_t x = seed * 0x9e3779b97f4a7c15U + 1;
  auto next = [&x] {
    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
  };
  for (auto& g : r.general) g = next();
#if defined(__x86_64__)
  for (auto& z : r.red_zone) z = next();
#endif
  for (auto& v : r.vectors) {
    for (int i = 0; i < vector_bytes / 8; ++i) v[i] = next();
  }
  return r;
}

}  // namespace goro::testing
