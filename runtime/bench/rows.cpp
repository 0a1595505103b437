#include "bench/rows.h"

#include <algorithm>
#include <utility>

namespace goro::bars {

namespace {

// Goroutines that wait, in bytes each.
constexpr double kParkedBytes = 2300;

constexpr const char* kCrowds = "crowds";
constexpr const char* kSpawnCrowd = "spawn-crowd";
constexpr const char* kWakeCrowd = "wake-crowd";
constexpr const char* kMemory = "memory";

constexpr long kThousand = 1000;
constexpr long kMillion = 1'000'000;

enum class On { one, all, both };  // P

struct Line {
  std::string name;
  std::string unit;
  std::vector<Bar> bars;
  bool of_all = false;  // not of one goroutine, so it says something only at the same size
};

struct Spec {
  std::string part;
  std::string workload;
  On on;
  // How much of it each does. A fiber of Boost's takes two pages at least, a thread many
  // microseconds; figures are of one goroutine, fiber or thread.
  Each<long> sizes;
  std::vector<Line> lines;
  int times = 1;  // in each round: more when it is short, and uneven
};

std::string with_commas(long number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::vector<Spec> specs(bool quick) {
  const std::vector<Bar> quarter{{Who::go, 0.25}};
  const std::vector<Bar> third{{Who::go, 1.0 / 3}};
  const std::vector<Bar> half{{Who::go, 0.5}};
  const std::vector<Bar> no_more{{Who::go, 1}};
  const std::vector<Bar> small{{Who::go, 1}, {Who::goro, kParkedBytes}};
  const auto sizes = [](long goro, long go, long boost, long threads, long raw) {
    return Each<long>{{goro, go, boost, threads, raw}};
  };
  const auto as_go = [](long goro, long boost, long threads, long raw) {
    return Each<long>{{goro, goro, boost, threads, raw}};
  };
  std::vector<Spec> all{
      {"switch",
       "switch",
       On::one,
       sizes(20 * kMillion, 0, 20 * kMillion, 0, 20 * kMillion),
       {{"switch", "ns", {{Who::raw, 1.3}}}}},
      {"spawn",
       "spawn",
       On::both,
       as_go(kMillion, kMillion / 10, 10 * kThousand, 0),
       {{"spawn + finish, first time", "ns", no_more}, {"spawn + finish", "ns", quarter}}},
      {"spawn",
       "spawn-wait-group",
       On::both,
       as_go(kMillion, kMillion / 10, 0, 0),
       {{"spawn + WaitGroup, first time", "ns", no_more}, {"spawn + WaitGroup", "ns", no_more}}},
      {"spawn",
       "spawn-one",
       On::both,
       as_go(kMillion / 2, kMillion / 10, 10 * kThousand, 0),
       {{"spawn one, wait", "ns", no_more}}},
      {"yield",
       "yield",
       On::one,
       as_go(kMillion, kMillion, kMillion / 10, 10 * kMillion),
       {{"yield", "ns", quarter}}},
      // A thread that yields to nobody has not switched, and a bare context is one processor's.
      {"yield", "yield", On::all, as_go(kMillion, kMillion, 0, 0), {{"yield", "ns", quarter}}},
      {"channels",
       "ping-pong",
       On::one,
       as_go(kMillion, kMillion, kMillion / 10, 10 * kMillion),
       {{"ping-pong", "ns", third}}},
      {"channels",
       "ping-pong",
       On::all,
       as_go(kMillion, kMillion / 10, 20 * kThousand, 0),
       {{"ping-pong", "ns", third}}},
      {"channels",
       "buffered",
       On::both,
       as_go(4 * kMillion, 4 * kMillion, kMillion, 0),
       {{"buffered", "ns", half}}},
      {"channels", "select", On::both, as_go(kMillion, 0, 0, 0), {{"select of two", "ns", half}}},
      {"channels",
       "fan-in",
       On::both,
       as_go(kMillion, kMillion / 10, 0, 0),
       {{"WaitGroup fan-in", "ns", no_more}, {"WaitGroup fan-in, peak", "bytes", no_more, true}}},
      {"channels",
       "sieve",
       On::both,
       as_go(2 * kThousand, 2 * kThousand, 0, 0),
       {{"sieve, one prime", "ns", third}}},
      {"channels",
       "skynet",
       On::both,
       as_go(kMillion, 10 * kThousand, 0, 0),
       {{"skynet, one leaf", "ns", third}, {"skynet, peak", "bytes", no_more, true}}},
      {"mutex",
       "mutex-2",
       On::both,
       as_go(4 * kMillion, 4 * kMillion, 4 * kMillion, 0),
       {{"mutex, two want it", "ns", no_more}}},
      {"mutex",
       "mutex-100",
       On::both,
       as_go(4 * kMillion, 4 * kMillion, 4 * kMillion, 0),
       {{"mutex, 100 want it", "ns", no_more}}},
      {"timers",
       "timers",
       On::both,
       as_go(kMillion / 10, 0, 0, 0),
       {{"a timer of 10 ms", "ns", third}}},
      {"timers",
       "sleepers",
       On::both,
       as_go(kMillion / 10, kMillion / 10, kThousand, 0),
       {{"a sleep of 10 ms", "ns", third}}},
      {"recursion",
       "recursion",
       On::both,
       as_go(10 * kThousand, 10 * kThousand, 10 * kThousand, 10 * kThousand),
       {{"first recursion, 10,000 deep", "us", no_more}},
       5},
      {"network",
       "syscalls",
       On::both,
       as_go(10, 0, 10, 0),
       {{"blocking for 1 ms, of 1,000", "ns", no_more}}},
      {"network",
       "echo-64",
       On::both,
       as_go(kMillion / 10, 0, kMillion / 10, kMillion / 10),
       {{"echo, 64 connections", "ns", no_more}}},
      {"network",
       "echo-1000",
       On::both,
       as_go(kMillion / 10, 0, kMillion / 10, kMillion / 10),
       {{"echo, 1,000 connections", "ns", no_more}}},
  };
  std::vector<long> crowds{kThousand, 10 * kThousand, 100 * kThousand, kMillion};
  if (quick) crowds.resize(2);
  for (const long crowd : crowds) {
    const std::string of = ", " + with_commas(crowd) + " at once";
    const auto up_to = [crowd](long most) { return crowd <= most ? crowd : 0; };
    const Each<long> all_of_them = as_go(crowd, up_to(kMillion / 10), up_to(10 * kThousand), 0);
    all.push_back({kCrowds, kSpawnCrowd, On::one, all_of_them, {{"spawn" + of, "ns", no_more}}});
    all.push_back(
        {kCrowds, kWakeCrowd, On::one, all_of_them, {{"wake and park" + of, "ns", no_more}}});
    all.push_back(
        {kCrowds, kMemory, On::one, all_of_them, {{"memory of one, parked" + of, "bytes", small}}});
  }
  return all;
}

}  // namespace

const char* name_of(Who who) {
  switch (who) {
    case Who::goro:
      return "goro";
    case Who::go:
      return "go";
    case Who::boost:
      return "boost";
    case Who::threads:
      return "threads";
    case Who::raw:
      return "raw";
  }
  return "";
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

bool Row::measured(Who who) const {
  return !rounds.empty() && std::all_of(rounds.begin(), rounds.end(),
                                        [who](const auto& round) { return round[who] != 0; });
}

double Row::median(Who who) const {
  std::vector<double> values;
  for (const Each<double>& round : rounds) values.push_back(round[who]);
  return bars::median(std::move(values));
}

std::vector<double> Row::ratios(Who who) const {
  std::vector<double> values;
  for (const Each<double>& round : rounds) values.push_back(round[Who::goro] / round[who]);
  return values;
}

bool Row::judged(const Bar& bar) const {
  return measured(Who::goro) && measured(bar.against);
}

bool Row::holds(const Bar& bar) const {
  const double value =
      bar.against == Who::goro ? median(Who::goro) : bars::median(ratios(bar.against));
  return value <= bar.limit;
}

bool Row::all_hold() const {
  return std::all_of(bars.begin(), bars.end(),
                     [this](const Bar& bar) { return !judged(bar) || holds(bar); });
}

std::vector<Measurement> everything(int procs, bool quick) {
  constexpr long kLess = 100;
  constexpr long kLeast = 10;
  std::vector<Measurement> all;
  for (const Spec& spec : specs(quick)) {
    Measurement one{spec.part, spec.workload, 1, spec.sizes, {}, quick ? 1 : spec.times};
    if (quick && spec.part != kCrowds) {
      for (long& size : one.sizes.of) size = size == 0 ? 0 : std::max(kLeast, size / kLess);
    }
    for (const Line& line : spec.lines) {
      Row row{line.name, line.unit, spec.workload, 1, one.sizes, line.bars, {}};
      for (const Who who : kAll) {
        if (line.of_all && row.sizes[who] != row.sizes[Who::goro]) row.sizes[who] = 0;
      }
      if (row.sizes[Who::boost] != 0) row.bars.push_back({Who::boost, 1});
      one.rows.push_back(row);
    }
    if (spec.on != On::all) all.push_back(one);
    if (spec.on == On::one || procs == 1) continue;
    one.procs = procs;
    for (Row& row : one.rows) row.procs = procs;
    all.push_back(one);
  }
  return all;
}

std::vector<Row> growth(const std::vector<Measurement>& all) {
  constexpr double kFlat = 1.5;
  std::vector<Row> rows;
  for (const auto& [workload, name] : {std::pair{kSpawnCrowd, "spawn"},
                                       {kWakeCrowd, "wake and park"},
                                       {kMemory, "memory of one, parked"}}) {
    const auto of_size = [&all, crowd = workload](long size) -> const Row* {
      for (const Measurement& one : all) {
        if (one.workload == crowd && one.sizes[Who::goro] == size) return &one.rows.front();
      }
      return nullptr;
    };
    const Row* small = of_size(10 * kThousand);
    const Row* large = of_size(kMillion);
    if (small == nullptr || large == nullptr || large->rounds.empty()) continue;
    Row row{std::string(name) + ", 1,000,000 / 10,000", "times", workload, 1, {}, {}, {}};
    row.bars.push_back({Who::goro, kFlat});
    for (std::size_t i = 0; i < large->rounds.size(); ++i) {
      Each<double> round;
      for (const Who who : kAll) {
        const double of_small = small->rounds[i][who];
        if (of_small > 0) round[who] = large->rounds[i][who] / of_small;
      }
      row.rounds.push_back(round);
    }
    rows.push_back(row);
  }
  return rows;
}

bool is_meant(const Measurement& measurement, const std::vector<std::string>& names) {
  return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& name) {
           return name == measurement.part || name == measurement.workload;
         });
}

}  // namespace goro::bars
