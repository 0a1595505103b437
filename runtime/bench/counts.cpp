// goro_counts ROW ROUNDS: does one thing so many times, for counts.py to count the instructions.
//
// There is one P, and what a row does is done by the thread that main() runs on. So its
// instructions are the same in every run, whatever else the machine does.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/switches.h"
#include "bench/workloads.h"
#include "contracts/work_stealing.h"

namespace goro::bars {

namespace {

constexpr int kWrongUse = 2;

// Half of what a victim has, into an empty ring; no thread runs the two Ps.
void steal(long rounds, std::uint32_t victim_has) {
  const auto thief = std::make_unique<P>();
  const auto victim = std::make_unique<P>();
  std::vector<G> gs(kRunqSize);
  for (std::uint32_t i = 0; i < kRunqSize; ++i) victim->runq[i].store(&gs[i]);
  for (long i = 0; i < rounds; ++i) {
    victim->runqtail.store(victim->runqhead.load(std::memory_order_relaxed) + victim_has);
    if (runq_steal(thief.get(), victim.get(), false) == nullptr) {
      std::fputs("goro_counts: there was something to steal, and nothing was stolen\n", stderr);
      std::exit(1);
    }
    thief->runqhead.store(thief->runqtail.load(std::memory_order_relaxed));
  }
}

// counts.json keeps what was counted by this name.
#if defined(__clang__)
constexpr char kCompiler[] = "clang ";
constexpr int kMajor = __clang_major__;
#else
constexpr char kCompiler[] = "gcc ";
constexpr int kMajor = __GNUC__;
#endif
#if defined(__x86_64__)
constexpr char kArchitecture[] = "x86-64";
#else
constexpr char kArchitecture[] = "ARM64";
#endif

using Row = std::function<void(long rounds)>;

Row workload(const char* name) {
  return [name](long rounds) { run_workload({name, 1, rounds}); };
}

struct NamedRow {
  const char* name;
  Row run;
};

const NamedRow kRows[] = {
    {"switch", [](long rounds) { goroutine_switch_ns(rounds); }},
    {"yield", workload("yield")},
    // That many for the first time, and as many again.
    {"spawn",
     [](long rounds) {
       run_workload({"spawn", 1, rounds / 2});
     }},
    {"spawn and wait", workload("spawn-one")},
    {"ping-pong", workload("ping-pong")},
    {"steal one", [](long rounds) { steal(rounds, 1); }},
    {"steal 64 of 128", [](long rounds) { steal(rounds, 128); }},
};

int wrong_use() {
  std::fputs("Usage: goro_counts ROW ROUNDS | --rows | --compiler\n", stderr);
  return kWrongUse;
}

int main_of(const std::vector<std::string>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "--rows") {
    for (const NamedRow& row : kRows) std::puts(row.name);
    return 0;
  }
  if (arguments.size() == 1 && arguments[0] == "--compiler") {
    std::printf("%s%d, %s\n", kCompiler, kMajor, kArchitecture);
    return 0;
  }
  if (arguments.size() != 2) return wrong_use();
  const long rounds = std::atol(arguments[1].c_str());
  for (const NamedRow& row : kRows) {
    if (row.name != arguments[0] || rounds <= 0) continue;
    row.run(rounds);
    return 0;
  }
  return wrong_use();
}

}  // namespace

}  // namespace goro::bars

int main(int argc, char** argv) {
  return goro::bars::main_of({argv + 1, argv + argc});
}
