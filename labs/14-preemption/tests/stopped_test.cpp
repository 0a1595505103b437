// Step 4: goroutines that are really stopped. Each sends the signal to itself and stops at that
// very instruction, so there is no chance in it: everything happens in the same order each time.
#include <csignal>
#include <memory>
#include <vector>

#include "goro/goro.h"
#include "registers.h"
#include "support.h"
#include "testing/gate.h"
#include "testing/whole_slices.h"

#if defined(__x86_64__)
void stops_with_sse(goro::testing::Registers* r) asm("_Z14stops_with_ssePv");
void stops_with_avx(goro::testing::Registers* r) asm("_Z14stops_with_avxPv");
void stops_with_avx512(goro::testing::Registers* r) asm("_Z17stops_with_avx512Pv");
STOPS("_Z14stops_with_ssePv", SSE_LOAD, SSE_STORE, "");
STOPS("_Z14stops_with_avxPv", AVX_LOAD, AVX_STORE, "vzeroupper\n");
STOPS("_Z17stops_with_avx512Pv", AVX512_LOAD, AVX512_STORE, "vzeroupper\n");

namespace stoppable {

[[gnu::noinline]] long double with_two_on_the_x87_stack(goro::testing::Target target) {
  long double top = 0;
  long double below = 0;
  long number = 234;  // tgkill
  asm volatile("fldpi\n fld1\n syscall\n fstpt %[top]\n fstpt %[below]\n"
               : "+a"(number), [top] "=m"(top), [below] "=m"(below)
               : "D"(long{target.process}), "S"(long{target.thread}), "d"(long{SIGURG})
               : "rcx", "r11", "memory", "st", "st(1)");
  return top * 1000 + below;
}

}  // namespace stoppable
#else
void stops_with_all(goro::testing::Registers* r) asm("_Z14stops_with_allPv");
STOPS("_Z14stops_with_allPv");
#endif

namespace goro::testing {
namespace {

// One P, one slice after another, and the program's functions known from the beginning.
template <typename F>
void at_one_p(F&& f) {
  know_registers_and_text();
  const WholeSlices whole_slices;
  run(
      [&] {
        yield();  // a slice with another number than 0: those look at the global queue first
        f();
      },
      {.procs = 1});
}

struct Log {
  char text[16] = {};
  int length = 0;
  void put(char c) { text[length++] = c; }
};

TEST(Stopped, OthersRunAndThenItGoesOn) {
  GORO_STEP(
      "one P: goroutine 3 is stopped by a signal; goroutine 2 runs; goroutine 3 goes on behind the "
      "instruction at which it was stopped");
  Log log;
  const std::uint64_t before = async_preemptions();
  at_one_p([&] {
    const WaitGroup group;
    group.go([l = &log] { l->put('b'); });
    group.go([l = &log] {
      l->put('a');
      stoppable::stop_here();
      l->put('c');
    });
    group.wait();
  });
  EXPECT_EQ(async_preemptions() - before, 1U) << "goroutine 3 must be stopped once";
  EXPECT_STREQ(log.text, "abc") << "a: before it stopped; b: goroutine 2; c: it goes on";
}

TEST(Stopped, WaitsInTheGlobalQueue) {
  GORO_STEP("one P: goroutine 3 is stopped by a signal; goroutine 2 looks at the queues");
  int global = -1;
  at_one_p([&] {
    const WaitGroup group;
    group.go([g = &global] { *g = sched.runqsize.load(); });
    group.go([] { stoppable::stop_here(); });
    group.wait();
  });
  EXPECT_EQ(global, 1)
      << "whoever has used up its slice goes to the global queue (gopreempt_m), behind everybody";
}

// Goroutines that stop at the same time with different numbers in their registers.
constexpr int kGoroutines = 3;
struct Filled {
  Registers want[kGoroutines];
  Registers got[kGoroutines];
};

std::unique_ptr<Filled> all_stop(Stops stops, int vector_bytes) {
  auto filled = std::make_unique<Filled>();
  const std::uint64_t before = async_preemptions();
  at_one_p([&] {
    const WaitGroup group;
    for (int i = 0; i < kGoroutines; ++i) {
      filled->want[i] = pattern(static_cast<std::uint64_t>(i) + 1, vector_bytes);
      filled->got[i] = filled->want[i];
      group.go([stops, r = &filled->got[i]] {
        const Target target = ask_myself();
        r->process = target.process;
        r->thread = target.thread;
        stops(r);
      });
    }
    group.wait();
  });
  EXPECT_EQ(async_preemptions() - before, std::uint64_t{kGoroutines})
      << "each must be stopped once";
  return filled;
}

Stops plain_registers() {
#if defined(__x86_64__)
  return stops_with_sse;
#else
  return stops_with_all;
#endif
}

TEST(Stopped, GeneralRegistersSurvive) {
  GORO_STEP("three goroutines fill their registers and are stopped; then they go on");
  const auto filled = all_stop(plain_registers(), 16);
  for (int i = 0; i < kGoroutines; ++i) {
    for (std::size_t r = 0; r < std::size(kGeneralNames); ++r) {
      EXPECT_EQ(filled->got[i].general[r], filled->want[i].general[r])
          << kGeneralNames[r] << " must keep its value while goroutine " << i + 2 << " is stopped";
    }
  }
}

TEST(Stopped, TheFlagsSurvive) {
  GORO_STEP("compares 0 with 1, is stopped, and looks at the flags");
  const auto filled = all_stop(plain_registers(), 16);
#if defined(__x86_64__)
  constexpr std::uint64_t kFlags = 0xd5;  // sign, zero, adjust, parity, carry
  constexpr std::uint64_t kWant = 0x95;   // sign, adjust, parity, carry
#else
  constexpr std::uint64_t kFlags = 0xf0000000;
  constexpr std::uint64_t kWant = 0x80000000;  // negative
#endif
  for (const Registers& got : filled->got) {
    EXPECT_EQ(got.flags & kFlags, kWant)
        << "the flags of a comparison must still be there: the next instruction may be its jump";
  }
}

TEST(Stopped, VectorRegistersSurvive) {
  const auto look = [](Stops stops, int bytes, const char* name) {
    GORO_STEP("three goroutines fill their vector registers, ", bytes, " bytes each (", name, ")");
    const auto filled = all_stop(stops, bytes);
    for (int i = 0; i < kGoroutines; ++i) {
      for (int v = 0; v < kVectors; ++v) {
        EXPECT_EQ(std::memcmp(filled->got[i].vectors[v], filled->want[i].vectors[v],
                              static_cast<std::size_t>(bytes)),
                  0)
            << "vector register " << v << " (" << name << ") must keep its value";
      }
    }
  };
#if defined(__x86_64__)
  look(stops_with_sse, 16, "xmm");
  if (__builtin_cpu_supports("avx")) look(stops_with_avx, 32, "ymm");
  if (__builtin_cpu_supports("avx512f")) look(stops_with_avx512, 64, "zmm");
#else
  look(stops_with_all, 16, "q");
#endif
}

#if defined(__x86_64__)

// [red_zone]
TEST(Stopped, TheRedZoneSurvives) {
  GORO_STEP("three goroutines use the 128 bytes below rsp, and are stopped");
  const auto filled = all_stop(stops_with_sse, 16);
  for (int i = 0; i < kGoroutines; ++i) {
    for (int word = 0; word < 16; ++word) {
      EXPECT_EQ(filled->got[i].red_zone[word], filled->want[i].red_zone[word])
          << "the word " << 128 - 8 * word
          << " bytes below rsp: a function that calls nobody may keep its locals there";
    }
  }
}
// [/red_zone]

TEST(Stopped, TheX87StackSurvives) {
  GORO_STEP("one goroutine is stopped with two numbers on the x87 stack; another computes there");
  long double got = 0;
  long double others = 0;
  at_one_p([&] {
    const WaitGroup group;
    group.go([out = &others] {
      for (int n = 1; n < 100; ++n) *out += 1.0L / static_cast<long double>(n);
    });
    group.go([out = &got] { *out = stoppable::with_two_on_the_x87_stack(ask_myself()); });
    group.wait();
  });
  EXPECT_EQ(got, 1000 * 1.0L + 3.14159265358979323851L)
      << "1 and pi were on the x87 stack: they belong to the goroutine";
}

#endif

TEST(Stopped, AHundredAtOnce) {
  GORO_STEP("a hundred goroutines are stopped before the first of them goes on");
  constexpr int kMany = 100;
  std::vector<Registers> got(kMany);
  int begun = 0;
  const std::uint64_t before = async_preemptions();
  at_one_p([&] {
    const WaitGroup group;
    for (int i = 0; i < kMany; ++i) {
      got[static_cast<std::size_t>(i)] = pattern(static_cast<std::uint64_t>(i));
      group.go([stops = plain_registers(), r = &got[static_cast<std::size_t>(i)], n = &begun] {
        const Target target = ask_myself();
        r->process = target.process;
        r->thread = target.thread;
        ++*n;
        stops(r);
      });
    }
    group.wait();
  });
  EXPECT_EQ(begun, kMany);
  EXPECT_EQ(async_preemptions() - before, std::uint64_t{kMany})
      << "each must be stopped: whoever is stopped keeps the spare state, so async_preempt2 must "
         "give "
         "the M a new one";
  int wrong = 0;
  for (int i = 0; i < kMany; ++i) {
    const Registers want = pattern(static_cast<std::uint64_t>(i));
    const Registers& r = got[static_cast<std::size_t>(i)];
    if (std::memcmp(r.general, want.general, sizeof(r.general)) != 0 ||
        std::memcmp(r.vectors, want.vectors, sizeof(r.vectors)) != 0) {
      ++wrong;
    }
  }
  EXPECT_EQ(wrong, 0) << "goroutines that found others' registers: each needs a state of its own";
}

TEST(Stopped, StatesAreUsedAgain) {
  GORO_STEP("one goroutine is stopped ten times, and then a thousand times");
  int at_first = 0;
  int at_last = 0;
  at_one_p([&] {
    for (int i = 0; i < 10; ++i) stoppable::stop_here();
    at_first = saved_states();
    for (int i = 0; i < 1000; ++i) stoppable::stop_here();
    at_last = saved_states();
  });
  EXPECT_LE(at_last, at_first + 2)
      << "a state that nobody needs any more must be given back (GIVE_BACK)";
}

TEST(Stopped, GoesOnOnAnotherThread) {
  GORO_STEP(
      "one P: goroutine 3 is stopped; goroutine 2 blocks its thread in read(), so that another "
      "thread takes the P and goes on with goroutine 3, which writes");
  const Gate gate;
  Registers got = pattern(1);
  int thread_before = 0;
  int thread_after = 0;
  bool own_signal_stack = false;
  at_one_p([&] {
    const WaitGroup group;
    group.go([fd = gate.fds[0]] { system_call([fd] { read_one(fd); }); });
    group.go([&gate, &got, &thread_before, &thread_after, &own_signal_stack] {
      const Target target = ask_myself();
      thread_before = target.thread;
      got.process = target.process;
      got.thread = target.thread;
      plain_registers()(&got);
      on_system_stack([&] {
        thread_after = ::gettid();
        stack_t signals{};
        sigaltstack(nullptr, &signals);
        own_signal_stack = reinterpret_cast<std::uintptr_t>(signals.ss_sp) == getm()->altstack_sp;
        gate.open(1);
      });
    });
    group.wait();
  });
  EXPECT_NE(thread_before, thread_after)
      << "its thread was in read(): another had to go on with it";
  const Registers want = pattern(1);
  EXPECT_EQ(std::memcmp(got.general, want.general, sizeof(want.general)), 0)
      << "its registers must come along";
  EXPECT_TRUE(own_signal_stack)
      << "the thread that goes on must have its own signal stack: two threads that handle signals "
         "on one stack destroy each other's frames";
}

}  // namespace
}  // namespace goro::testing
