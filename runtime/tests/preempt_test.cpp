// Preemption of goroutines that call nothing, wherever they are.
#include "contracts/preemption.h"

#if GORO_ASYNC_PREEMPT

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "contracts/services/acquirem.h"
#include "contracts/services/interrupt.h"
#include "frame/settings.h"
#include "frame/threads.h"
#include "goro/goro.h"
#include "testing/stopping.h"
#include "testing/story.h"

namespace {

using goro::async_preemptions;
using goro::testing::Kicker;

// Sysmon reads the symbol table at the beginning; until then nobody is stopped.
void until_preempted() {
  const std::uint64_t before = async_preemptions();
  while (async_preemptions() == before) {
  }
}

// A loop without calls, in a debug build too.
[[gnu::always_inline]] inline bool is_set(const bool* flag) {
  return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

TEST(Preempt, ALoopWithoutCallsGivesWayAfterASlice) {
  GORO_STEP("one P: goroutine 2 loops until goroutine 1 has run again");
  const std::uint64_t before = async_preemptions();
  goro::run(
      [] {
        std::atomic<bool> runs{false};
        bool stop = false;
        goro::WaitGroup group;
        group.go([r = &runs, s = &stop] {
          r->store(true);
          while (!is_set(s)) {
          }
        });
        while (!runs.load()) goro::yield();
        __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
        group.wait();
      },
      {.procs = 1});
  EXPECT_GT(async_preemptions(), before);
}

TEST(Preempt, ATickerGoesOnBesideALoopWithoutCalls) {
  int ticks = 0;
  goro::run(
      [&] {
        bool stop = false;
        goro::WaitGroup group;
        group.go([s = &stop] {
          while (!is_set(s)) {
          }
        });
        const goro::Ticker ticker(std::chrono::milliseconds(1));
        for (; ticks < 10; ++ticks) ticker.channel().receive();
        __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(ticks, 10);
}

TEST(Preempt, RunReturnsThoughOthersLoopForEver) {
  for (int round = 0; round < 10; ++round) {
    const int result = goro::run(
        [] {
          std::atomic<int> running{0};
          for (int i = 0; i < 3; ++i) {
            goro::go([r = &running] {
              r->fetch_add(1);
              for (;;) asm volatile("");
            });
          }
          while (running.load() < 3) goro::yield();
          return 3;
        },
        {.procs = 2});
    EXPECT_EQ(result, 3);
  }
}

TEST(Preempt, TheWorldStopsThoughOthersLoop) {
  std::string text;
  goro::run(
      [&] {
        std::atomic<int> running{0};
        for (int i = 0; i < 2; ++i) {
          goro::go([r = &running] {
            r->fetch_add(1);
            for (;;) asm volatile("");
          });
        }
        while (running.load() < 2) goro::yield();
        for (int n = 1; n < 4; ++n) goro::max_procs(n);
        text = goro::stacks();
      },
      {.procs = 2});
  EXPECT_NE(text.find("goroutine 2 [runnable]:"), std::string::npos) << text;
  EXPECT_NE(text.find("Preempt_TheWorldStopsThoughOthersLoop"), std::string::npos) << text;
}

TEST(Preempt, OneThatWakesItsSuccessorSharesItsSlice) {
  GORO_STEP("one P: 2 and 3 pass a value to and fro; 4 must come to run");
  goro::run(
      [] {
        std::atomic<bool> stop{false};
        goro::WaitGroup group;
        goro::Channel<int> there;
        goro::Channel<int> back;
        group.go([s = &stop] { s->store(true); });
        group.go([there, back] {
          while (auto value = there.receive()) back.send(*value);
          back.close();
        });
        group.go([there, back, s = &stop] {
          while (!s->load()) {
            there.send(1);
            back.receive();
          }
          there.close();
        });
        group.wait();
      },
      {.procs = 1});
}

// ---- Registers ----

#if defined(__x86_64__)

// General registers but rsp, rbp and the counter (the fifth is compared with, for the flags); the
// red zone but for two words that the function needs; the flags; vector registers, of which as much
// is used as `width` says (16, 32, 64 bytes).
struct Registers {
  std::uint64_t general[13];
  std::uint64_t red_zone[14];
  std::uint64_t flags;
  std::uint64_t vectors[16][8];
};
static_assert(offsetof(Registers, red_zone) == 104);
static_assert(offsetof(Registers, flags) == 216);
static_assert(offsetof(Registers, vectors) == 224);

#define GENERAL_LOAD                                                                      \
  "movq (%rdi), %rax\n movq 8(%rdi), %rbx\n movq 16(%rdi), %rdx\n movq 24(%rdi), %rsi\n"  \
  "movq 40(%rdi), %r8\n movq 48(%rdi), %r9\n movq 56(%rdi), %r10\n movq 64(%rdi), %r11\n" \
  "movq 72(%rdi), %r12\n movq 80(%rdi), %r13\n movq 88(%rdi), %r14\n movq 96(%rdi), %r15\n"
#define GENERAL_STORE                                                                     \
  "movq %rax, (%rdi)\n movq %rbx, 8(%rdi)\n movq %rdx, 16(%rdi)\n movq %rsi, 24(%rdi)\n"  \
  "movq %r8, 40(%rdi)\n movq %r9, 48(%rdi)\n movq %r10, 56(%rdi)\n movq %r11, 64(%rdi)\n" \
  "movq %r12, 72(%rdi)\n movq %r13, 80(%rdi)\n movq %r14, 88(%rdi)\n movq %r15, 96(%rdi)\n"
#define ZONE(op) \
  op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13)
#define ZONE_LOAD(i) "movq 104+8*" #i "(%rdi), %rax\n movq %rax, -128+8*" #i "(%rsp)\n"
#define ZONE_STORE(i) "movq -128+8*" #i "(%rsp), %rax\n movq %rax, 104+8*" #i "(%rdi)\n"
#define VECTORS(op)                                                                              \
  op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) \
      op(15)
#define SSE_LOAD(i) "movups 224+64*" #i "(%rdi), %xmm" #i "\n"
#define SSE_STORE(i) "movups %xmm" #i ", 224+64*" #i "(%rdi)\n"
#define AVX_LOAD(i) "vmovups 224+64*" #i "(%rdi), %ymm" #i "\n"
#define AVX_STORE(i) "vmovups %ymm" #i ", 224+64*" #i "(%rdi)\n"
#define AVX512_LOAD(i) "vmovups 224+64*" #i "(%rdi), %zmm" #i "\n"
#define AVX512_STORE(i) "vmovups %zmm" #i ", 224+64*" #i "(%rdi)\n"

// A C++ function by its name, so that it may be stopped: void NAME(void* r, long rounds).
// Loads everything from *r, goes round in the loop without changing anything but rcx, and stores
// everything back. The flags are set by additions that overflow; `lea` and `jrcxz` keep them.
#define SPIN(NAME, LOAD, STORE, CLEAN)                                                        \
  asm(".text\n.globl " NAME "\n.type " NAME ", %function\n" NAME                              \
      ":\n"                                                                                   \
      "pushq %rbp\n movq %rsp, %rbp\n"                                                        \
      "pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"                      \
      "movq %rsi, %rcx\n" VECTORS(LOAD) ZONE(ZONE_LOAD) GENERAL_LOAD                          \
      "cmpq 32(%rdi), %rax\n"                                                                 \
      "1: leaq -1(%rcx), %rcx\n jrcxz 2f\n jmp 1b\n"                                          \
      "2: movq %rax, -16(%rsp)\n"                                                             \
      "lahf\n movzbl %ah, %eax\n movq %rax, 216(%rdi)\n movq -16(%rsp), %rax\n" GENERAL_STORE \
          VECTORS(STORE) ZONE(ZONE_STORE) CLEAN                                               \
      "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n ret\n"         \
      ".size " NAME ", . - " NAME "\n")

}  // namespace

void spin_sse(void* r, long rounds) asm("_Z8spin_ssePvl");
void spin_avx(void* r, long rounds) asm("_Z8spin_avxPvl");
void spin_avx512(void* r, long rounds) asm("_Z11spin_avx512Pvl");
SPIN("_Z8spin_ssePvl", SSE_LOAD, SSE_STORE, "");
SPIN("_Z8spin_avxPvl", AVX_LOAD, AVX_STORE, "vzeroupper\n");
SPIN("_Z11spin_avx512Pvl", AVX512_LOAD, AVX512_STORE, "vzeroupper\n");

#else

// x2 … x28 and x30; the flags; all vector registers. x0 is the address, x1 the counter.
struct Registers {
  std::uint64_t general[28];
  std::uint64_t flags;
  std::uint64_t unused;
  std::uint64_t vectors[32][2];
};
static_assert(offsetof(Registers, flags) == 224);
static_assert(offsetof(Registers, vectors) == 240);

#define PAIRS(op)                                                                               \
  op(2, 3, 0) op(4, 5, 2) op(6, 7, 4) op(8, 9, 6) op(10, 11, 8) op(12, 13, 10) op(14, 15, 12)   \
      op(16, 17, 14) op(18, 19, 16) op(20, 21, 18) op(22, 23, 20) op(24, 25, 22) op(26, 27, 24) \
          op(28, 30, 26)
#define VECTOR_PAIRS(op)                                                                   \
  op(0, 1) op(2, 3) op(4, 5) op(6, 7) op(8, 9) op(10, 11) op(12, 13) op(14, 15) op(16, 17) \
      op(18, 19) op(20, 21) op(22, 23) op(24, 25) op(26, 27) op(28, 29) op(30, 31)
#define PAIR_LOAD(a, b, i) "ldp x" #a ", x" #b ", [x0, #8*" #i "]\n"
#define PAIR_STORE(a, b, i) "stp x" #a ", x" #b ", [x0, #8*" #i "]\n"
#define VECTOR_LOAD(a, b) "ldp q" #a ", q" #b ", [x0, #240+16*" #a "]\n"
#define VECTOR_STORE(a, b) "stp q" #a ", q" #b ", [x0, #240+16*" #a "]\n"

}  // namespace

// A C++ function by its name, so that it may be stopped.
void spin_all(void* r, long rounds) asm("_Z8spin_allPvl");
asm(".text\n.globl _Z8spin_allPvl\n.type _Z8spin_allPvl, %function\n_Z8spin_allPvl:\n"
    "stp x29, x30, [sp, #-160]!\n mov x29, sp\n"
    "stp x19, x20, [sp, #16]\n stp x21, x22, [sp, #32]\n stp x23, x24, [sp, #48]\n"
    "stp x25, x26, [sp, #64]\n stp x27, x28, [sp, #80]\n"
    "stp d8, d9, [sp, #96]\n stp d10, d11, [sp, #112]\n stp d12, d13, [sp, #128]\n"
    "stp d14, d15, [sp, #144]\n"
    VECTOR_PAIRS(VECTOR_LOAD) PAIRS(PAIR_LOAD)
    "cmp x2, x3\n"
    "1: sub x1, x1, #1\n cbnz x1, 1b\n"
    PAIRS(PAIR_STORE) VECTOR_PAIRS(VECTOR_STORE)
    "mrs x2, nzcv\n str x2, [x0, #224]\n"
    "ldp d8, d9, [sp, #96]\n ldp d10, d11, [sp, #112]\n ldp d12, d13, [sp, #128]\n"
    "ldp d14, d15, [sp, #144]\n"
    "ldp x19, x20, [sp, #16]\n ldp x21, x22, [sp, #32]\n ldp x23, x24, [sp, #48]\n"
    "ldp x25, x26, [sp, #64]\n ldp x27, x28, [sp, #80]\n"
    "ldp x29, x30, [sp], #160\n ret\n"
    ".size _Z8spin_allPvl, . - _Z8spin_allPvl\n");

#endif

namespace {

using Spin = void (*)(void*, long);

Registers pattern(std::uint64_t seed, int width) {
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
    for (int i = 0; i < width / 8; ++i) v[i] = next();
  }
  return r;
}

// Many goroutines with different patterns; each looks whether it gets its own back.
void registers_survive(Spin spin, int width) {
  constexpr int kGoroutines = 6;
  constexpr std::uint64_t kPreemptions = 3000;
  std::atomic<int> wrong{0};
  std::uint64_t happened = 0;
  goro::run(
      [&] {
        goro::WaitGroup group;
        const std::uint64_t before = async_preemptions();
        for (int i = 0; i < kGoroutines; ++i) {
          group.go([spin, width, i, before, bad = &wrong] {
            const auto want =
                std::make_unique<Registers>(pattern(static_cast<std::uint64_t>(i), width));
            const auto got = std::make_unique<Registers>();
            std::uint64_t flags = 0;
            while (async_preemptions() - before < kPreemptions) {
              *got = *want;
              spin(got.get(), 100'000);
              if (flags == 0) flags = got->flags;
              if (got->flags != flags) bad->fetch_add(1);
              got->flags = 0;
              if (std::memcmp(got.get(), want.get(), sizeof(*got)) != 0) bad->fetch_add(1);
            }
          });
        }
        const Kicker kicker;
        group.wait();
        happened = async_preemptions() - before;
      },
      {.procs = 2});
  EXPECT_EQ(wrong.load(), 0) << "rounds in which a register did not keep its value";
  EXPECT_GE(happened, kPreemptions);
}

#if defined(__x86_64__)

TEST(Preempt, GeneralRegistersFlagsAndTheRedZoneSurvive) {
  registers_survive(spin_sse, 16);
}

TEST(Preempt, WideVectorRegistersSurvive) {
  if (__builtin_cpu_supports("avx")) registers_survive(spin_avx, 32);
  if (__builtin_cpu_supports("avx512f")) registers_survive(spin_avx512, 64);
}

#else

TEST(Preempt, AllRegistersAndFlagsSurvive) {
  registers_survive(spin_all, 16);
}

#endif

// The x87 stack on x86-64, ordinary registers elsewhere.
long double sum_of(int terms) {
  long double sum = 0;
  for (int i = 1; i <= terms; ++i) sum += 1.0L / static_cast<long double>(i) / (sum + 1.0L);
  return sum;
}

TEST(Preempt, FloatingPointSumsAreTheSame) {
  constexpr int kTerms = 20'000;
  const long double want = sum_of(kTerms);
  std::atomic<int> wrong{0};
  goro::run(
      [&] {
        goro::WaitGroup group;
        const std::uint64_t before = async_preemptions();
        for (int i = 0; i < 4; ++i) {
          group.go([want, before, bad = &wrong] {
            while (async_preemptions() - before < 1000) {
              if (sum_of(kTerms) != want) bad->fetch_add(1);
            }
          });
        }
        const Kicker kicker;
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(wrong.load(), 0);
}

// ---- errno ----

__attribute__((noinline)) void calls_nothing(int i) {
  asm volatile("" : : "r"(i) : "memory");
}

// Many goroutines, each with an errno of its own. Read and written on g0: the goroutine's own code
// could be stopped between asking for errno's address and using it.
void errno_survives(void (*ask)(goro::M*)) {
  std::atomic<int> wrong{0};
  goro::run(
      [&] {
        goro::WaitGroup group;
        for (int i = 0; i < 8; ++i) {
          group.go([i, bad = &wrong] {
            for (int n = 0; n < 3000; ++n) {
              const int mine = 1 + (i + n) % 100;
              goro::on_system_stack([mine] { errno = mine; });
              for (int k = 0; k < 1000; ++k) calls_nothing(k);
              if (goro::last_error() != mine) bad->fetch_add(1);
            }
          });
        }
        const Kicker kicker(ask);
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(wrong.load(), 0) << "times that a goroutine found another's errno";
}

TEST(Preempt, ErrnoSurvivesAPrologueThatGivesWay) {
  errno_survives(goro::ask_to_give_way);
}

TEST(Preempt, ErrnoSurvivesASignal) {
  errno_survives(goro::ask_by_signal_only);
}

// ---- Where nobody is stopped ----

TEST(Preempt, NotWhileALockOfTheRuntimesIsHeld) {
  bool same_m = false;
  std::uint64_t during = 0;
  goro::run(
      [&] {
        goro::WaitGroup group;
        const Kicker kicker;
        group.go([same = &same_m, count = &during] {
          until_preempted();
          // On g0: the test's own code could be stopped between the two halves of acquirem.
          goro::M* mp = goro::on_system_stack([] { return goro::acquirem(); });
          const std::uint64_t before = async_preemptions();
          for (int i = 0; i < 20'000'000; ++i) asm volatile("");
          *count = async_preemptions() - before;
          *same = goro::getm() == mp;
          goro::on_system_stack([mp] { goro::releasem(mp); });
        });
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(during, 0U);
  EXPECT_TRUE(same_m);
}

TEST(Preempt, NeverInTheAllocator) {
  constexpr int kGoroutines = 8;
  std::atomic<int> wrong{0};
  goro::run(
      [&] {
        goro::WaitGroup group;
        const std::uint64_t before = async_preemptions();
        for (int i = 0; i < kGoroutines; ++i) {
          const bool fixed = i % 2 != 0;
          auto work = [i, before, fixed, bad = &wrong] {
            std::vector<std::unique_ptr<std::string>> kept(50);
            for (std::size_t n = 0; async_preemptions() - before < 300; ++n) {
              auto& slot = kept[n * 7 % kept.size()];
              slot = std::make_unique<std::string>(20 + n % 300, static_cast<char>('a' + i));
              const auto& other = kept[n * 3 % kept.size()];
              if (other && (*other)[other->size() / 2] != 'a' + i) bad->fetch_add(1);
              // The C library's own functions want more room than a small stack has on ARM64.
              void* raw = fixed ? std::malloc(1 + n % 4000) : operator new(1 + n % 4000);
              if (fixed) std::memset(raw, i, 1 + n % 4000);
              fixed ? std::free(raw) : operator delete(raw);
              for (int k = 0; k < 2000; ++k) asm volatile("");
            }
          };
          if (fixed) {
            group.go({.stack = goro::fixed_stack(64 << 10)}, std::move(work));
          } else {
            group.go(std::move(work));
          }
        }
        const Kicker kicker;
        group.wait();
      },
      {.procs = 3});
  EXPECT_EQ(wrong.load(), 0);
}

int throws_at(int depth) {
  volatile int local = depth;
  if (depth == 0) throw std::runtime_error("bottom");
  struct Counts {
    volatile int* at;
    ~Counts() {
      for (int i = 0; i < 500; ++i) *at = *at + 1;
    }
  } counts{&local};
  return throws_at(depth - 1) + local;
}

TEST(Preempt, ExceptionsFindTheirHandlers) {
  std::atomic<int> wrong{0};
  goro::run(
      [&] {
        goro::WaitGroup group;
        const std::uint64_t before = async_preemptions();
        for (int i = 0; i < 4; ++i) {
          group.go([before, bad = &wrong] {
            while (async_preemptions() - before < 200) {
              try {
                throws_at(20);
                bad->fetch_add(1);
              } catch (const std::runtime_error& error) {
                for (int k = 0; k < 10'000; ++k) asm volatile("");
                if (std::strcmp(error.what(), "bottom") != 0) bad->fetch_add(1);
              }
              if (std::uncaught_exceptions() != 0) bad->fetch_add(1);
            }
          });
        }
        const Kicker kicker;
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(wrong.load(), 0);
}

TEST(Preempt, AsyncPreemptOffLeavesOnlyTheChecks) {
  const char* old = std::getenv("GORO_DEBUG");
  const std::string saved = old == nullptr ? "" : old;
  setenv("GORO_DEBUG", "asyncpreemptoff=1", 1);
  goro::settings_read_again();
  const std::uint64_t before = async_preemptions();
  goro::run(
      [&] {
        goro::WaitGroup group;
        const Kicker kicker;
        for (int i = 0; i < 2; ++i) {
          group.go([] {
            for (int n = 0; n < 50'000'000; ++n) asm volatile("");
          });
        }
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(async_preemptions(), before);
  if (old == nullptr) {
    unsetenv("GORO_DEBUG");
  } else {
    setenv("GORO_DEBUG", saved.c_str(), 1);
  }
  goro::settings_read_again();
}

TEST(Preempt, SignalsOfOthersReachTheirHandler) {
  static std::atomic<int> theirs{0};
  theirs.store(0);
  struct sigaction mine {};
  struct sigaction before {};
  mine.sa_handler = [](int) { theirs.fetch_add(1); };
  sigaction(SIGURG, &mine, &before);
  goro::run([] { goro::on_system_stack([] { raise(SIGURG); }); }, {.procs = 1});
  EXPECT_EQ(theirs.load(), 1);
  sigaction(SIGURG, &before, nullptr);
}

}  // namespace

#endif
