// What may be done on a stack that moves, and what may not: the examples of docs/stacks-in-cpp.md.
//
//   docs_stacks NAME    runs one example; without a name, lists them
//
// They end with status 0; on ARM64, those two that pin a stack with status 2. Those named
// stackcheck-… break the contract on purpose, and end with status 2 under GORO_DEBUG=stackcheck=1.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "goro/goro.h"

namespace {

// [recursion]
// Deep recursion: each frame passes on the address of its own local and reads its caller's through
// one. The compiler put all those addresses on the stack, so they move with it.
long sum_down(int n, const long* above) {
  const long here = *above + n;
  if (n == 0) return here;
  return sum_down(n - 1, &here);
}
// [/recursion]

void recursion() {
  goro::WaitGroup group;
  goro::Channel<long> answer(1);
  group.go([answer] {
    const long zero = 0;
    answer.send(sum_down(100'000, &zero));
  });
  group.wait();
  std::printf("%ld\n", *answer.receive());
}

// Calls down until the stack has grown: a new goroutine's has 2 KB. The volatile keeps the calls
// calls.
[[gnu::noinline]] int grow(int depth) {
  volatile int one = 1;
  const int below = depth == 0 ? 0 : grow(depth - 1);
  return below + one;
}

// [string]
// A short std::string points at its own inner buffer. Both are on the stack, so the pointer is
// corrected.
void short_string(const goro::Channel<std::string>& out) {
  std::string name = "gopher";
  grow(1000);
  name += "!";
  out.send(name);
}
// [/string]

void string_local() {
  goro::WaitGroup group;
  goro::Channel<std::string> out(1);
  group.go([out] { short_string(out); });
  group.wait();
  std::puts(out.receive()->c_str());
}

// [exception]
// An exception on its way through frames of a stack that has moved, and moves again in a
// destructor.
struct GrowsWhenDestroyed {
  ~GrowsWhenDestroyed() { grow(1000); }
};

void throws_from_below(int depth) {
  const GrowsWhenDestroyed guard;
  if (depth == 0) throw std::runtime_error("from below");
  throws_from_below(depth - 1);
}
// [/exception]

void exception_through() {
  goro::WaitGroup group;
  goro::Channel<std::string> out(1);
  group.go([out] {
    try {
      throws_from_below(50);
    } catch (const std::exception& error) {
      out.send(error.what());
    }
  });
  group.wait();
  std::puts(out.receive()->c_str());
}

void heap_container() {
  goro::WaitGroup group;
  goro::Channel<int> out(1);
  group.go([out] {
    // [heap_container]
    // The map itself is in the heap; the stack holds only the pointer to it.
    auto ages = std::make_unique<std::map<std::string, int>>();
    (*ages)["gopher"] = 14;
    grow(1000);
    out.send(ages->at("gopher"));
    // [/heap_container]
  });
  group.wait();
  std::printf("%d\n", *out.receive());
}

void fixed() {
  goro::WaitGroup group;
  goro::Channel<int> out(1);
  // [fixed]
  // A stack of 64 KB that never moves: any C++ code may run here.
  group.go({.stack = goro::fixed_stack(64 << 10)}, [out] {
    std::map<std::string, int> ages;
    ages["gopher"] = 14;
    grow(1000);
    out.send(ages.at("gopher"));
  });
  // [/fixed]
  group.wait();
  std::printf("%d\n", *out.receive());
}

void chained() {
  goro::Channel<int> out(1);
  goro::WaitGroup group;
  // [chained]
  // A stack that starts at 2 KB and never moves: any C++ code may run here, too.
  group.go({.stack = goro::chained()}, [out] {
    std::map<std::string, int> ages;
    const goro::WaitGroup inner;
    for (int i = 0; i < 3; ++i) {
      inner.go({.stack = goro::chained()}, [&ages, i] {
        if (i == 0) ages["gopher"] = 14;
      });
    }
    grow(1000);
    inner.wait();
    out.send(ages.at("gopher"));
  });
  // [/chained]
  group.wait();
  std::printf("%d\n", *out.receive());
}

void main_by_reference() {
  // [by_reference]
  // Goroutine 1 has a fixed stack, so others may be given addresses of its locals.
  int sum = 0;
  const goro::WaitGroup group;
  group.go([&sum] { sum += 40; });
  group.wait();
  group.go([&sum] { sum += 2; });
  group.wait();
  // [/by_reference]
  std::printf("%d\n", sum);
}

void on_system_stack() {
  goro::WaitGroup group;
  goro::Channel<std::string> out(1);
  group.go([out] {
    // [system_stack]
    // The M's own stack has 64 KB or more free, so nothing has to grow. It may capture by
    // reference: it is a call, and this stack stays where it is meanwhile.
    char text[32];
    goro::on_system_stack([&text] { std::snprintf(text, sizeof(text), "%.3f", 3.14159); });
    // [/system_stack]
    out.send(text);
  });
  group.wait();
  std::puts(out.receive()->c_str());
}

void closure() {
  const goro::WaitGroup group;
  group.go([] {
    // [closure]
    // The stack is pinned: it does not move until this function has returned.
    std::atomic<int> count{0};
    const goro::WaitGroup inner;
    for (int i = 0; i < 3; ++i) inner.go([&count] { ++count; });
    grow(1000);
    inner.wait();
    // [/closure]
    if (count != 3) std::abort();
  });
  group.wait();
}

void pin_stack() {
  goro::WaitGroup group;
  goro::Channel<int> out(1);
  group.go([out] {
    // [pin_stack]
    const auto pinned = goro::pin_stack();  // until the end of this block
    std::map<std::string, int> ages;
    ages["gopher"] = 14;
    grow(1000);
    out.send(ages.at("gopher"));
    // [/pin_stack]
  });
  group.wait();
  std::printf("%d\n", *out.receive());
}

void map_local() {
  const goro::WaitGroup group;
  group.go([] {
    // [map_local]
    std::map<std::string, int> ages;  // its header node is this local
    ages["gopher"] = 14;              // the root, in the heap, points back at the header
    grow(1000);                       // the stack moves: now it points at nothing
    // [/map_local]
    ages.clear();
  });
  group.wait();
}

std::vector<int*> counters;  // its elements are in the heap

void kept_in_heap() {
  const goro::WaitGroup group;
  group.go([] {
    // [kept_in_heap]
    int count = 0;
    counters.push_back(&count);  // the address of a local, kept in the heap
    grow(1000);                  // the stack moves
    ++*counters.back();          // writes where the local was
    // [/kept_in_heap]
    counters.clear();
  });
  group.wait();
}

struct Example {
  const char* name;
  void (*run)();
};

constexpr Example kExamples[] = {
    {"recursion", recursion},
    {"string", string_local},
    {"exception", exception_through},
    {"heap-container", heap_container},
    {"fixed", fixed},
    {"chained", chained},
    {"by-reference", main_by_reference},
    {"system-stack", on_system_stack},
    {"closure", closure},
    {"pin-stack", pin_stack},
    {"stackcheck-map", map_local},
    {"stackcheck-heap", kept_in_heap},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Example& example : kExamples) {
    if (argc == 2 && std::strcmp(argv[1], example.name) == 0) return goro::run(example.run);
    if (argc == 1) std::puts(example.name);
  }
  return argc == 1 ? 0 : 1;
}
