// What the book shows in the viewer: each scene is a short run in which one thing happens.
//
//   docs_scenes NAME    runs one; without a name, lists them
//
// docs/record.mjs records them, and looks whether that thing is in the recording.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string_view>
#include <thread>

#include "goro/goro.h"

namespace {

using Clock = std::chrono::steady_clock;

// Without a call that would let others run.
void compute(std::chrono::microseconds time) {
  goro::on_system_stack([time] {
    const auto until = Clock::now() + time;
    while (Clock::now() < until) {
    }
  });
}

// [steal]
// One P has sixteen goroutines, and three have none. Goroutine 1 keeps its P until a thief was
// there.
void steal() {
  std::atomic<int> started{0};
  goro::WaitGroup group;
  for (int i = 0; i < 16; ++i) {
    group.go([&started] {
      ++started;
      compute(std::chrono::microseconds(150));
    });
  }
  goro::on_system_stack([&started] {
    while (started.load() == 0) std::this_thread::yield();
  });
  group.wait();
}
// [/steal]

// [overflow]
// Room for 256 in the ring and one in runnext: the 258th is one too many.
void overflow() {
  goro::WaitGroup group;
  for (int i = 0; i < 260; ++i) {
    group.go([] {});
  }
  group.wait();
}
// [/overflow]

// [tick]
// Who yields goes to the global queue. A hundred others are in the local one.
void tick() {
  goro::WaitGroup group;
  group.go([] { goro::yield(); });
  goro::yield();
  for (int i = 0; i < 100; ++i) {
    group.go([] {});
  }
  group.wait();
}
// [/tick]

// [handoff]
// A call that lasts, and somebody who could use the P meanwhile.
void handoff() {
  goro::WaitGroup group;
  for (int i = 0; i < 3; ++i) {
    group.go([] {
      compute(std::chrono::microseconds(200));
      goro::system_call([] { ::usleep(20'000); });
      compute(std::chrono::microseconds(200));
    });
  }
  group.wait();
}
// [/handoff]

// [channel]
// Nothing is ever in the channel: a value goes from goroutine to goroutine.
void channel() {
  goro::Channel<int> numbers;
  goro::WaitGroup group;
  group.go([numbers] {
    for (int i = 0; i < 6; ++i) numbers.send(i);
    numbers.close();
  });
  for (const int number : numbers) (void)number;
  group.wait();
}
// [/channel]

// [stack]
[[gnu::noinline]] int deep(int depth) {
  volatile char frame[400];
  frame[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : deep(depth - 1) + frame[0];
}

// Two kilobytes, and a recursion that wants fifty.
void stack() {
  goro::WaitGroup group;
  group.go([] { (void)deep(100); });
  group.wait();
}
// [/stack]

// [preemption]
// A loop that calls nothing, and somebody else on the same P.
void preemption() {
  std::atomic<bool> seen{false};
  goro::WaitGroup group;
  group.go([&seen] { seen = true; });
  while (!seen.load(std::memory_order_relaxed)) {
  }
  group.wait();
}
// [/preemption]

struct Scene {
  std::string_view name;
  void (*run)();
  int procs;
};
constexpr Scene scenes[] = {
    {"steal", steal, 4},           {"overflow", overflow, 1}, {"tick", tick, 1},
    {"handoff", handoff, 1},       {"channel", channel, 1},   {"stack", stack, 1},
    {"preemption", preemption, 1},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Scene& scene : scenes) {
    if (argc == 1) {
      std::printf("%.*s\n", static_cast<int>(scene.name.size()), scene.name.data());
    } else if (scene.name == argv[1]) {
      return goro::run(scene.run, {.procs = scene.procs});
    }
  }
  if (argc == 1) return 0;
  std::fprintf(stderr, "docs_scenes: there is no scene \"%s\"\n", argv[1]);
  return 2;
}
