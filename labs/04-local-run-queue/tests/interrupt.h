// Interrupting a call at a chosen point, to play another thread's part there.
//
//   interrupt_after(7, [&] { runq_put(pp, gp, false); }, [&] { stolen = take_oldest(pp); });
//
// On x86-64 the processor traps after every instruction of `call` (the trap flag), and `intrude`
// runs as a whole after the 7th. Going through all numbers until the call ends first tries every
// place where a thief can come in between, the same way each time. Elsewhere, and under TSan, which
// must not be stopped inside its own code, `intrude` runs on a second thread at about the same
// time; what a test expects must hold for both.
#pragma once

#include <type_traits>

#if defined(__SANITIZE_THREAD__)
#define LAB04_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LAB04_TSAN 1
#endif
#endif

#if defined(__x86_64__) && !defined(LAB04_TSAN)
#define LAB04_SINGLE_STEP 1
#include <csetjmp>
#include <csignal>
#include <cstdint>

#include <x86intrin.h>
#else
#define LAB04_SINGLE_STEP 0
#include <atomic>
#include <thread>

#include "contracts/services/scheduling.h"
#endif

namespace goro::testing {

enum class Interrupted {
  yes,       // intrude ran during the call
  too_late,  // the call had ended by then; intrude did not run
  stuck,     // intrude ran, and then the call did not come to an end; it was given up
};

#if LAB04_SINGLE_STEP

namespace detail {

// Instructions that a call may need after it was interrupted: many times what the slowest one
// takes.
inline constexpr std::uint64_t kPatience = 300'000;
inline constexpr std::uint64_t kTrapFlag = 0x100;

struct Stepping {
  std::uint64_t interrupt_at;
  void (*intrude)(void* arg);
  void* arg;
  std::uint64_t count = 0;
  sigjmp_buf give_up;
};
inline Stepping* stepping = nullptr;

// The kernel clears the flag while the handler runs.
inline void on_step(int, siginfo_t*, void*) {
  Stepping* s = stepping;
  ++s->count;
  if (s->count == s->interrupt_at) s->intrude(s->arg);
  if (s->count == s->interrupt_at + kPatience) siglongjmp(s->give_up, 1);
}

// [run_stepping]
inline Interrupted run_stepping(Stepping* s, void (*call)(void* arg), void* arg) {
  struct sigaction action {};
  action.sa_sigaction = on_step;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  struct sigaction before {};
  stepping = s;
  sigaction(SIGTRAP, &action, &before);
  bool stuck = true;
  if (sigsetjmp(s->give_up, 1) == 0) {
    __writeeflags(__readeflags() | kTrapFlag);
    call(arg);
    __writeeflags(__readeflags() & ~kTrapFlag);
    stuck = false;
  }
  sigaction(SIGTRAP, &before, nullptr);
  if (stuck) return Interrupted::stuck;
  return s->count >= s->interrupt_at ? Interrupted::yes : Interrupted::too_late;
}
// [/run_stepping]

}  // namespace detail

template <typename Call, typename Intrude>
Interrupted interrupt_after(unsigned instructions, Call&& call, Intrude&& intrude) {
  detail::Stepping s{};
  s.interrupt_at = instructions;
  s.intrude = [](void* arg) { (*static_cast<std::remove_reference_t<Intrude>*>(arg))(); };
  s.arg = &intrude;
  return detail::run_stepping(
      &s, [](void* arg) { (*static_cast<std::remove_reference_t<Call>*>(arg))(); }, &call);
}

#else

template <typename Call, typename Intrude>
Interrupted interrupt_after(unsigned instructions, Call&& call, Intrude&& intrude) {
  constexpr unsigned kMoments = 60;
  constexpr unsigned kSpins = 200;
  if (instructions > kMoments) return Interrupted::too_late;
  std::atomic<bool> ready{false};
  std::atomic<bool> go{false};
  std::thread other([&] {
    ready.store(true);
    for (unsigned spins = 0; !go.load(); ++spins) {
      // On a busy machine the caller may be waiting for this thread's processor.
      if (spins < kSpins) {
        cpu_relax();
      } else {
        std::this_thread::yield();
      }
    }
    for (unsigned i = 0; i < instructions; ++i) cpu_relax();
    intrude();
  });
  while (!ready.load()) std::this_thread::yield();
  go.store(true);
  call();
  other.join();
  return Interrupted::yes;
}

#endif

}  // namespace goro::testing
