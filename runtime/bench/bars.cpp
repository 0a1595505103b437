// The bars: what the runtime has to reach, measured against Go and against a bare switch in one
// run.
//
// One round measures every row once, ours and the peer's directly after each other, and the next
// round the other way round; so whatever else the machine does meets both. What needs a fresh
// process gets one: this program starts itself, and go/bars.go, with the same workload and the same
// counts.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/child.h"
#include "bench/report.h"
#include "bench/switches.h"
#include "bench/workloads.h"
#include "goro/run.h"

namespace goro::bars {

namespace {

constexpr int kAllHold = 0;
constexpr int kBarMissed = 1;
constexpr int kWrongUse = 2;
constexpr int kCannotMeasure = 3;

constexpr char kUsage[] =
    "Usage: goro_bars [--json] [--only PART] [--rounds N] [--count N] [--go PROGRAM]\n"
    "\n"
    "  --json         JSON on stdout, the table on stderr\n"
    "  --only PART    switch, spawn, yield, memory, channels or network\n"
    "  --rounds N     at least 7 unless --only is given (default 7)\n"
    "  --count N      goroutines (default 1000000)\n"
    "  --go PROGRAM   default: go in PATH\n"
    "\n"
    "Exit status: 0 every bar holds, 1 one is missed, 2 wrong use, 3 no go, or something cannot "
    "be\n"
    "measured.\n";

struct CommandLine {
  bool json = false;
  std::string only;
  int rounds = 7;
  long count = 1'000'000;
  std::string go = "go";
  std::optional<Workload> child;  // --child: measure this and print the figures
};

[[noreturn]] void wrong_use(const std::string& what) {
  std::fprintf(stderr, "goro_bars: %s\n%s", what.c_str(), kUsage);
  std::exit(kWrongUse);
}

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  Workload child;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--json") {
      line.json = true;
      continue;
    }
    if (option == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(kAllHold);
    }
    if (i + 1 == argc) wrong_use("what is " + option + "?");
    const std::string value = argv[++i];
    if (option == "--only") {
      line.only = value;
    } else if (option == "--rounds") {
      line.rounds = std::atoi(value.c_str());
    } else if (option == "--count") {
      line.count = std::atol(value.c_str());
    } else if (option == "--go") {
      line.go = value;
    } else if (option == "--child") {
      child.name = value;
    } else if (option == "--procs") {
      child.procs = std::atoi(value.c_str());
    } else {
      wrong_use("what is " + option + "?");
    }
  }
  child.count = line.count;
  if (!child.name.empty()) line.child = child;
  const std::vector<std::string> parts{"",       "switch",   "spawn",  "yield",
                                       "memory", "channels", "network"};
  if (std::find(parts.begin(), parts.end(), line.only) == parts.end()) {
    wrong_use("there is no part \"" + line.only + "\"");
  }
  if (line.count < 1000) wrong_use("--count wants at least 1000");
  if (line.rounds < (line.only.empty() ? 7 : 1)) wrong_use("--rounds is too small");
  return line;
}

// A part of a round: it fills one row or several.
struct Measurement {
  std::string part;
  std::vector<Row> rows;
  std::function<std::vector<Pair>(bool peer_first)> measure;
};

// The fastest of many short slices, ours and the bare one in turns: an interrupt, or a neighbour on
// the same physical core, can only make a slice longer. Most slices are too short to meet an
// interrupt, and a round is long enough for moments in which the neighbour is quiet.
std::vector<Pair> measure_switches(bool peer_first) {
  constexpr int kSlices = 1000;
  constexpr long kSwitches = 20'000;
  Pair best{1e9, 1e9};
  for (int i = 0; i < kSlices; ++i) {
    if (peer_first) best.theirs = std::min(best.theirs, bare_switch_ns(kSwitches));
    best.ours = std::min(best.ours, goroutine_switch_ns(kSwitches));
    if (!peer_first) best.theirs = std::min(best.theirs, bare_switch_ns(kSwitches));
  }
  return {best};
}

Measurement switches() {
  return {"switch",
          {Row{"goroutine switch", "ns", "bare", {Bar::On::ratio, 1.3}, {}}},
          measure_switches};
}

// Both programs with one workload. The figures come in the order of `rows`.
Measurement against_go(const std::string& part, const std::string& go_program,
                       const Workload& workload, std::vector<Row> rows) {
  const std::string count = std::to_string(workload.count);
  const std::string procs = std::to_string(workload.procs);
  const std::vector<std::string> ours{"/proc/self/exe", "--child", workload.name, "--procs", procs,
                                      "--count",        count};
  const std::vector<std::string> theirs{go_program, "-run",   workload.name, "-procs",
                                        procs,      "-count", count};
  const std::size_t wanted = rows.size();
  const auto figures = [wanted](const std::vector<std::string>& arguments) {
    std::vector<double> read = figures_of(arguments);
    if (read.size() != wanted) throw CannotMeasure(arguments[0] + " printed no figures");
    return read;
  };
  const auto measure = [=](bool peer_first) {
    std::vector<double> go_figures;
    if (peer_first) go_figures = figures(theirs);
    const std::vector<double> own_figures = figures(ours);
    if (!peer_first) go_figures = figures(theirs);
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < wanted; ++i) pairs.push_back({own_figures[i], go_figures[i]});
    return pairs;
  };
  return {part, std::move(rows), measure};
}

// Two rows: on fresh memory, without a bar, and again in the same process, with one.
std::vector<Row> first_and_again(const std::string& name, Bar bar) {
  return {Row{name + ", first time", "ns", "Go", {}, {}}, Row{name, "ns", "Go", bar, {}}};
}

std::vector<Measurement> everything(const CommandLine& line, const std::string& go_program,
                                    int procs) {
  const Bar half{Bar::On::ratio, 0.5};
  std::vector<Measurement> all;
  all.push_back(switches());
  std::vector<int> procs_to_try{1};
  if (procs > 1) procs_to_try.push_back(procs);
  for (const int n : procs_to_try) {
    const std::string on = ", " + std::to_string(n) + " P";
    all.push_back(against_go("spawn", go_program, {"spawn", n, line.count},
                             first_and_again("spawn + finish" + on, half)));
    all.push_back(against_go("spawn", go_program, {"spawn-wait-group", n, line.count},
                             first_and_again("the same, WaitGroup" + on, {})));
    all.push_back(against_go("spawn", go_program, {"spawn-one", n, line.count},
                             {Row{"spawn one, wait" + on, "ns", "Go", {}, {}}}));
  }
  all.push_back(against_go("yield", go_program, {"yield", 1, line.count},
                           {Row{"yield, 1 P", "ns", "Go", {}, {}}}));
  all.push_back(against_go("memory", go_program, {"memory", 1, line.count},
                           {Row{"one of " + std::to_string(line.count) + " parked",
                                "bytes",
                                "Go",
                                {Bar::On::value, 2600},
                                {}}}));
  const Bar three_quarters{Bar::On::ratio, 0.75};
  const Bar less{Bar::On::ratio, 1.0};
  std::string part = "channels";
  const auto with_peak = [&](const std::string& name, const Workload& workload, Bar bar, Bar peak) {
    all.push_back(against_go(
        part, go_program, workload,
        {Row{name, "ns", "Go", bar, {}}, Row{name + ", peak", "bytes", "Go", peak, {}}}));
  };
  with_peak("ping-pong, 1 P", {"ping-pong", 1, line.count}, half, {});
  for (const int n : procs_to_try) {
    const std::string on = ", " + std::to_string(n) + " P";
    if (n != 1) with_peak("ping-pong" + on, {"ping-pong", n, line.count}, {}, {});
    with_peak("buffered" + on, {"buffered", n, line.count * 4}, three_quarters, {});
    with_peak("select of two" + on, {"select", n, line.count}, three_quarters, {});
    with_peak("WaitGroup fan-in" + on, {"fan-in", n, line.count}, three_quarters, less);
    with_peak("sieve, one prime" + on, {"sieve", n, 1000}, three_quarters, {});
    with_peak("skynet, one leaf" + on, {"skynet", n, 1'000'000}, three_quarters, less);
    with_peak("mutex, ten want it" + on, {"mutex", n, line.count * 4}, {}, {});
    with_peak("a timer of 10 ms" + on, {"timers", n, 100'000}, {}, {});
    with_peak("a sleep of 10 ms" + on, {"sleepers", n, 100'000}, {}, {});
  }
  part = "network";
  const Bar no_less{Bar::On::ratio, 1.0};
  for (const int n : procs_to_try) {
    const std::string on = ", " + std::to_string(n) + " P";
    with_peak("echo, 64 connections" + on, {"echo-64", n, 200'000}, no_less, {});
    with_peak("echo, 1,000 connections" + on, {"echo-1000", n, 200'000}, no_less, {});
  }
  return all;
}

void print_progress(int round, int rounds, const std::string& part) {
  if (isatty(STDERR_FILENO) == 1) {
    std::fprintf(stderr, "\r\033[Kround %d of %d: %s", round, rounds, part.c_str());
  }
}

void clear_progress() {
  if (isatty(STDERR_FILENO) == 1) std::fputs("\r\033[K", stderr);
}

int measure_everything(const CommandLine& line) {
  const bool needs_go = line.only != "switch";
  const bool has_go = needs_go && program_exists(line.go);
  std::unique_ptr<GoProgram> go;
  if (has_go) go = std::make_unique<GoProgram>(line.go);

  // What a run that asks for nothing would get.
  int procs = 0;
  run([&] { procs = max_procs(); });

  std::vector<Measurement> all = everything(line, go != nullptr ? go->path() : "", procs);
  for (int round = 0; round < line.rounds; ++round) {
    for (Measurement& measurement : all) {
      const bool asked = line.only.empty() || line.only == measurement.part;
      const bool possible = measurement.part == "switch" || go != nullptr;
      if (!asked || !possible) continue;
      print_progress(round + 1, line.rounds, measurement.rows.back().name);
      const std::vector<Pair> pairs = measurement.measure(round % 2 == 1);
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        measurement.rows[i].rounds.push_back(pairs[i]);
      }
    }
  }
  clear_progress();

  std::vector<Row> rows;
  bool all_hold = true;
  for (const Measurement& measurement : all) {
    if (!line.only.empty() && line.only != measurement.part) continue;
    for (const Row& row : measurement.rows) {
      rows.push_back(row);
      if (row.measured()) all_hold = all_hold && row.holds();
    }
  }
  const std::string none = needs_go ? "no Go here" : "Go was not asked for";
  const Setting setting{line.rounds, procs, go != nullptr ? go->version() : none};
  print_table(line.json ? stderr : stdout, setting, rows);
  if (line.json) print_json(stdout, setting, rows);
  if (needs_go && go == nullptr) {
    std::fprintf(stderr, "goro_bars: there is no %s here, so nothing was compared with Go\n",
                 line.go.c_str());
    return kCannotMeasure;
  }
  return all_hold ? kAllHold : kBarMissed;
}

int measure_workload(const Workload& workload) {
  const std::vector<double> figures = run_workload(workload);
  if (figures.empty()) wrong_use("there is no workload \"" + workload.name + "\"");
  for (const double figure : figures) std::printf("%.3f ", figure);
  std::printf("\n");
  return 0;
}

}  // namespace

}  // namespace goro::bars

int main(int argc, char** argv) {
  using namespace goro::bars;
  const CommandLine line = parse(argc, argv);
  try {
    return line.child ? measure_workload(*line.child) : measure_everything(line);
  } catch (const CannotMeasure& problem) {
    std::fprintf(stderr, "goro_bars: %s\n", problem.what());
    return kCannotMeasure;
  }
}
