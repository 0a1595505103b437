// The bars: what the runtime has to reach, measured against Go, Boost.Fiber, threads and what is
// near the machine's limit, in one run.
//
// One round measures every row once, of everybody directly after each other, and the next round the
// other way round; so whatever else the machine does meets all of them. Each figure comes from a
// process of its own: a peer's program, or this one, which is goro's (peer.h).
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "bench/child.h"
#include "bench/report.h"
#include "bench/rows.h"
#include "bench/workloads.h"
#include "goro/run.h"

namespace goro::bars {

namespace {

constexpr int kAllHold = 0;
constexpr int kBarMissed = 1;
constexpr int kWrongUse = 2;
constexpr int kCannotMeasure = 3;

constexpr char kUsage[] =
    "Usage: goro_bars [--json] [--only A,B] [--peers A,B] [--rounds N] [--quick] [--go PROGRAM]\n"
    "       goro_bars --run WORKLOAD --procs N --count N\n"
    "\n"
    "  --json         JSON on stdout, the table on stderr\n"
    "  --only A,B     parts (switch, spawn, yield, channels, mutex, timers, recursion, network,\n"
    "                 crowds) or workloads, as the JSON names them\n"
    "  --peers A,B    go, boost, threads or raw (default: all that are here)\n"
    "  --rounds N     default 7\n"
    "  --quick        a hundredth of the work, once: does everybody's program run? No bars\n"
    "  --go PROGRAM   default: go in PATH\n"
    "  --run          measures one workload of goro's and prints its figures\n"
    "\n"
    "Exit status: 0 every bar holds, 1 one is missed, 2 wrong use, 3 there is no go, or something\n"
    "cannot be measured; with --quick, whoever is missing.\n";

struct CommandLine {
  bool json = false;
  bool quick = false;
  std::vector<std::string> only;
  std::vector<std::string> peers;
  int rounds = 7;
  std::string go = "go";
};

[[noreturn]] void wrong_use(const std::string& what) {
  std::fprintf(stderr, "goro_bars: %s\n%s", what.c_str(), kUsage);
  std::exit(kWrongUse);
}

std::vector<std::string> names_in(const std::string& list) {
  std::istringstream text(list);
  std::vector<std::string> names;
  for (std::string name; std::getline(text, name, ',');) names.push_back(name);
  return names;
}

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  bool rounds_given = false;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--json") {
      line.json = true;
    } else if (option == "--quick") {
      line.quick = true;
    } else if (option == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(kAllHold);
    } else if (i + 1 < argc && option == "--only") {
      line.only = names_in(argv[++i]);
    } else if (i + 1 < argc && option == "--peers") {
      line.peers = names_in(argv[++i]);
    } else if (i + 1 < argc && option == "--rounds") {
      line.rounds = std::atoi(argv[++i]);
      rounds_given = true;
    } else if (i + 1 < argc && option == "--go") {
      line.go = argv[++i];
    } else {
      wrong_use("what is " + option + "?");
    }
  }
  if (line.quick && !rounds_given) line.rounds = 1;
  if (line.rounds < 1) wrong_use("--rounds is too small");
  for (const std::string& name : line.only) {
    bool known = false;
    for (const Measurement& one : everything(1, false)) known = known || is_meant(one, {name});
    if (!known) wrong_use("there is no part or workload \"" + name + "\"");
  }
  for (const std::string& name : line.peers) {
    if (std::none_of(kAll.begin() + 1, kAll.end(), [&](Who who) { return name == name_of(who); })) {
      wrong_use("there is no peer \"" + name + "\"");
    }
  }
  return line;
}

// Everybody's program, as far as it is here, and why not.
class Peers {
 public:
  Peers(const CommandLine& line, Setting& setting) : wanted_(line.peers), setting_(setting) {
    program_[Who::goro] = "/proc/self/exe";
    setting.version[Who::goro] = GORO_BARS_COMPILER;
    if (is_wanted(Who::go)) add_go(line.go);
    add(Who::boost, "goro_peer_boost",
        "no Boost.Fiber: apt-get install libboost-fiber-dev, then run cmake and build again");
    add(Who::threads, "goro_peer_threads", "goro_peer_threads is not built");
    add(Who::raw, "goro_peer_raw", "goro_peer_raw is not built");
  }

  // The figures of those who have this workload. Whoever fails is left out from then on.
  [[nodiscard]] Each<std::vector<double>> measure(const Measurement& one, bool backwards) {
    Each<std::vector<double>> figures;
    for (std::size_t i = 0; i < kWhos; ++i) {
      const Who who = kAll[backwards ? kWhos - 1 - i : i];
      if (one.sizes[who] == 0 || program_[who].empty() || failed(one, who)) continue;
      try {
        figures[who] =
            figures_of({program_[who], "--run", one.workload, "--procs", std::to_string(one.procs),
                        "--count", std::to_string(one.sizes[who])});
        if (figures[who].size() < one.rows.size()) throw CannotMeasure("it printed no figures");
      } catch (const CannotMeasure& problem) {
        failures_.push_back(failure(one, who));
        note(std::string(name_of(who)) + ", " + one.workload + ": " + problem.what());
        figures[who].clear();
      }
    }
    return figures;
  }

  // Was Go there if it was wanted, and did everybody measure what there was to measure?
  [[nodiscard]] bool comparable() const {
    return failures_.empty() && (!is_wanted(Who::go) || go_ != nullptr);
  }

 private:
  [[nodiscard]] bool is_wanted(Who who) const {
    return wanted_.empty() ||
           std::find(wanted_.begin(), wanted_.end(), name_of(who)) != wanted_.end();
  }

  void note(const std::string& text) { setting_.notes.push_back("goro_bars: " + text); }

  void add_go(const std::string& go) {
    if (!program_exists(go)) {
      note("there is no " + go +
           " here, so nothing is compared with Go: apt-get install golang-go");
      return;
    }
    go_ = std::make_unique<GoProgram>(go);
    program_[Who::go] = go_->path();
    setting_.version[Who::go] = go_->version();
  }

  // A program beside this one.
  void add(Who who, const std::string& name, const std::string& otherwise) {
    if (!is_wanted(who)) return;
    const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
    if (!program_exists(program.string())) {
      note(otherwise);
      return;
    }
    program_[who] = program.string();
    setting_.version[who] = one_line(output_of({program.string(), "--version"}));
  }

  static std::string failure(const Measurement& one, Who who) {
    return std::string(name_of(who)) + " " + one.workload + " " + std::to_string(one.sizes[who]) +
           " " + std::to_string(one.procs);
  }
  [[nodiscard]] bool failed(const Measurement& one, Who who) const {
    return std::find(failures_.begin(), failures_.end(), failure(one, who)) != failures_.end();
  }

  std::vector<std::string> wanted_;
  Setting& setting_;
  std::unique_ptr<GoProgram> go_;
  Each<std::string> program_;
  std::vector<std::string> failures_;
};

// A line each where nobody looks on: whoever reads the pipe may show it.
void print_progress(int round, int rounds, const std::string& what) {
  const bool terminal = isatty(STDERR_FILENO) == 1;
  std::fprintf(stderr, "%sround %d of %d: %s%s", terminal ? "\r\033[K" : "", round, rounds,
               what.c_str(), terminal ? "" : "\n");
}

void clear_progress() {
  if (isatty(STDERR_FILENO) == 1) std::fputs("\r\033[K", stderr);
}

int measure_everything(const CommandLine& line) {
  Setting setting;
  setting.rounds = line.rounds;
  // What a run that asks for nothing would get.
  run([&] { setting.procs = max_procs(); });
  Peers peers(line, setting);

  std::vector<Measurement> all = everything(setting.procs, line.quick);
  std::erase_if(all, [&](const Measurement& one) { return !is_meant(one, line.only); });
  for (int round = 0; round < line.rounds; ++round) {
    for (Measurement& one : all) {
      print_progress(round + 1, line.rounds,
                     one.rows.back().name + ", " + std::to_string(one.procs) + " P");
      for (int time = 0; time < one.times; ++time) {
        const Each<std::vector<double>> figures = peers.measure(one, (round + time) % 2 == 1);
        for (std::size_t i = 0; i < one.rows.size(); ++i) {
          Each<double> of_row;
          for (const Who who : kAll) {
            const bool asked = one.rows[i].sizes[who] != 0 && !figures[who].empty();
            if (asked) of_row[who] = figures[who][i];
          }
          one.rows[i].rounds.push_back(of_row);
        }
      }
    }
  }
  clear_progress();

  std::vector<Row> rows;
  for (const Measurement& one : all) rows.insert(rows.end(), one.rows.begin(), one.rows.end());
  const std::vector<Row> grown = growth(all);
  rows.insert(rows.end(), grown.begin(), grown.end());
  if (line.quick) {
    for (Row& row : rows) row.bars.clear();  // figures of so little work say nothing
  }
  bool all_hold = true;
  for (const Row& row : rows) all_hold = all_hold && row.all_hold();
  print_table(line.json ? stderr : stdout, setting, rows);
  if (line.json) print_json(stdout, setting, rows);
  if (!peers.comparable() || (line.quick && !setting.notes.empty())) return kCannotMeasure;
  return all_hold ? kAllHold : kBarMissed;
}

}  // namespace

}  // namespace goro::bars

int main(int argc, char** argv) {
  using namespace goro::bars;
  if (argc > 1 && std::string(argv[1]) == "--run") {
    peer_main(argc, argv, GORO_BARS_COMPILER, run_workload);
  }
  const CommandLine line = parse(argc, argv);
  try {
    return measure_everything(line);
  } catch (const CannotMeasure& problem) {
    std::fprintf(stderr, "goro_bars: %s\n", problem.what());
    return kCannotMeasure;
  }
}
