// goro_stacks: what a copied, a chained and a fixed stack cost, for stacks.py. See README.md.
//
//   goro_stacks calls ROUNDS          nanoseconds of a call of a function that works for so long,
//                                     where the stack has room and where it is at its end
//   goro_stacks recursion ROUNDS      nanoseconds of each call of a recursion so deep, in a new
//                                     goroutine and once more
//   goro_stacks memory KIND COUNT     resident bytes of each of so many that wait
//
// Prints lines "WHAT KIND SIZE FIGURE", one for each round. In a round each kind has its turn, and
// time is the thread's own, so what else the machine does meets all kinds alike.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/end_of_stack.h"
#include "bench/peer.h"
#include "bench/recursion.h"
#include "contracts/getg.h"
#include "goro/goro.h"

namespace goro::bars {

namespace {

constexpr int kWrongUse = 2;

struct Kind {
  const char* name;
  StackChoice stack;
};
// Room for the deepest recursion; only what is touched is memory.
constexpr std::size_t kFixed = std::size_t{32} << 20;
const Kind kKinds[] = {
    {"copied", growable()}, {"chained", chained()}, {"fixed", fixed_stack(kFixed)}};
// The smallest there is: waiting takes no more.
const Kind kParkedKinds[] = {
    {"copied", growable()}, {"chained", chained()}, {"fixed", fixed_stack(1)}};

// Runs f() in a new goroutine and waits for it.
template <typename F>
void on(const Kind& kind, F* f) {
  const WaitGroup group;
  group.go({.stack = kind.stack}, [f] { (*f)(); });
  group.wait();
}

// -- calls --

double ns_of_call(const Kind& kind, const Work& work, bool at_the_end) {
  Calls calls{work, at_the_end};
  bool is_chained = false;
  auto measure = [&] {
    is_chained = getg()->stack_kind == StackKind::chained;
    call(&calls);
  };
  on(kind, &measure);
  if (calls.on_a_further_segment != (at_the_end && is_chained)) {
    std::fprintf(stderr, "goro_stacks: calls on a %s stack were not where they should be\n",
                 kind.name);
    std::exit(1);
  }
  return calls.ns;
}

void measure_calls(long rounds) {
  for (long round = 0; round < rounds; ++round) {
    for (const Work& work : kWork) {
      for (const Kind& kind : kKinds) {
        std::printf("call %s %d %.3f\n", kind.name, work.about_ns, ns_of_call(kind, work, false));
        // A fixed stack ends at a wall.
        if (kind.stack.fixed_bytes == kFixed) continue;
        std::printf("call-at-the-end %s %d %.3f\n", kind.name, work.about_ns,
                    ns_of_call(kind, work, true));
      }
    }
  }
}

// -- recursion --

void measure_recursion(long rounds) {
  for (long round = 0; round < rounds; ++round) {
    for (const long depth : {10, 100, 1'000, 10'000, 100'000}) {
      for (const Kind& kind : kKinds) {
        double first = 0;
        double again = 0;
        auto measure = [&] {
          const double start = thread_ns();
          recursion(depth);
          const double middle = thread_ns();
          recursion(depth);
          first = (middle - start) / static_cast<double>(depth);
          again = (thread_ns() - middle) / static_cast<double>(depth);
        };
        on(kind, &measure);
        std::printf("recursion %s %ld %.3f\n", kind.name, depth, first);
        std::printf("recursion-again %s %ld %.3f\n", kind.name, depth, again);
      }
    }
  }
}

// -- memory --

void measure_memory(const Kind& kind, long count) {
  const Channel<int> gate;
  const WaitGroup group;
  const double before = resident_bytes();
  for (long i = 0; i < count; ++i) {
    group.go({.stack = kind.stack}, [gate] { gate.receive(); });
  }
  for (int i = 0; i < 4; ++i) yield();
  const double each = (resident_bytes() - before) / static_cast<double>(count);
  std::printf("memory %s %ld %.1f\n", kind.name, count, each);
  gate.close();
  group.wait();
}

int main_of(const std::vector<std::string>& arguments) {
  const auto number = [&arguments](std::size_t at) {
    return arguments.size() == at + 1 ? std::atol(arguments[at].c_str()) : 0;
  };
  const Options options{.procs = 1};
  if (!arguments.empty() && arguments[0] == "calls" && number(1) > 0) {
    return run([rounds = number(1)] { measure_calls(rounds); }, options);
  }
  if (!arguments.empty() && arguments[0] == "recursion" && number(1) > 0) {
    return run([rounds = number(1)] { measure_recursion(rounds); }, options);
  }
  for (const Kind& kind : kParkedKinds) {
    if (arguments.size() == 3 && arguments[0] == "memory" && arguments[1] == kind.name &&
        number(2) > 0) {
      return run([&kind, count = number(2)] { measure_memory(kind, count); }, options);
    }
  }
  std::fputs(
      "Usage: goro_stacks calls ROUNDS | recursion ROUNDS | memory copied|chained|fixed COUNT\n",
      stderr);
  return kWrongUse;
}

}  // namespace

}  // namespace goro::bars

int main(int argc, char** argv) {
  return goro::bars::main_of({argv + 1, argv + argc});
}
