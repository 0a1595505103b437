#include "board.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "bench_stats.h"
#include "files.h"
#include "lab.h"
#include "problem.h"
#include "process.h"
#include "report_terminal.h"
#include "text.h"
#include "workspace.h"

namespace goro::grader {

using Json = nlohmann::ordered_json;

namespace {

Json entry_json(const BoardEntry& entry) {
  Json json{{"lab", entry.lab},
            {"name", entry.name},
            {"status", name_of(entry.status)},
            {"points", entry.points},
            {"max_points", entry.max_points}};
  if (entry.ratio) {
    json["ratio"] = {entry.ratio->value, entry.ratio->low, entry.ratio->high};
  }
  if (!entry.note.empty()) {
    json["note"] = entry.note;
  }
  return json;
}

BoardEntry entry_from(const Json& json) {
  BoardEntry entry;
  entry.lab = json.at("lab").get<std::string>();
  entry.name = json.at("name").get<std::string>();
  entry.status = status_from(json.at("status").get<std::string>()).value_or(Status::not_run);
  entry.points = json.at("points").get<double>();
  entry.max_points = json.at("max_points").get<double>();
  if (json.contains("ratio")) {
    const Json& ratio = json.at("ratio");
    entry.ratio =
        Ratio{ratio.at(0).get<double>(), ratio.at(1).get<double>(), ratio.at(2).get<double>()};
  }
  entry.note = json.value("note", "");
  return entry;
}

Json peer_json(const PeerRow& row) {
  Json json{{"name", row.name},
            {"unit", row.unit},
            {"peer", row.peer},
            {"goro", row.goro},
            {"peer_value", row.peer_value},
            {"ratio", row.ratio}};
  if (row.holds) {
    json["holds"] = *row.holds;
  }
  return json;
}

PeerRow peer_from(const Json& json) {
  PeerRow row;
  row.name = json.at("name").get<std::string>();
  row.unit = json.at("unit").get<std::string>();
  row.peer = json.at("peer").get<std::string>();
  row.goro = json.at("goro").get<double>();
  row.peer_value = json.at("peer_value").get<double>();
  row.ratio = json.at("ratio").get<double>();
  if (json.contains("holds")) {
    row.holds = json.at("holds").get<bool>();
  }
  return row;
}

// "2026-11-22 21:05 UTC"
std::string shown_date(const std::string& date) {
  std::string text = date.substr(0, 16);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text + " UTC";
}

struct Found {
  const BoardRun* run = nullptr;
  const BoardEntry* entry = nullptr;
};

// What the board says of one benchmark on one machine.
struct Record {
  Found latest;
  Found best;
  std::size_t times = 0;  // it was measured
};

Record record_of(const Board& board, const std::string& machine, const Lab& lab,
                 const Benchmark& benchmark) {
  Record record;
  for (const BoardRun& run : board.runs) {
    if (run.machine != machine) {
      continue;
    }
    for (const BoardEntry& entry : run.entries) {
      if (entry.lab != lab.folder || entry.name != benchmark.name) {
        continue;
      }
      record.latest = {&run, &entry};
      if (!entry.ratio) {
        continue;
      }
      ++record.times;
      if (record.best.entry == nullptr || entry.ratio->value < record.best.entry->ratio->value) {
        record.best = {&run, &entry};
      }
    }
  }
  return record;
}

// The names' columns; a longer name pushes its row to the right.
constexpr std::size_t name_width = 36;

std::string benchmark_row(const Record& record, const Benchmark& benchmark, const Style& style) {
  const std::string bound = "≤ " + ratio_text(benchmark.max_ratio);
  if (record.latest.entry == nullptr) {
    return "  " +
           style.quiet("- " + left(benchmark.name, name_width) + " " +
                       right("0/" + number(benchmark.points), 6) + "  not measured") +
           "\n";
  }
  const BoardEntry& latest = *record.latest.entry;
  std::string row = "  " + marked(latest.status, style) + " " + left(benchmark.name, name_width) +
                    " " + right(number(latest.points) + "/" + number(latest.max_points), 6);
  if (latest.ratio) {
    row += right(ratio_text(latest.ratio->value), 8) + "  " +
           left(ratio_text(latest.ratio->low) + " to " + ratio_text(latest.ratio->high), 14) +
           right(bound, 8);
  } else {
    row += "  " + left(latest.note.substr(0, 28), 28);
  }
  if (record.best.entry != nullptr) {
    row += right(ratio_text(record.best.entry->ratio->value), 8) + "  " +
           style.quiet(record.best.run->date.substr(0, 10) + ", of " + count(record.times, "run"));
  }
  return row + "\n";
}

// The latest run here that has a peer's row of that name, and the best.
std::string peer_row(const Board& board, const std::string& machine, const PeerRow& row,
                     const Style& style) {
  double best = row.ratio;
  for (const BoardRun& run : board.runs) {
    for (const PeerRow& other : run.peers) {
      if (run.machine == machine && other.name == row.name && other.unit == row.unit) {
        best = std::min(best, other.ratio);
      }
    }
  }
  const auto figure = [&](double value) {
    return row.unit == "ns" ? nanoseconds(value) : number(std::round(value)) + " " + row.unit;
  };
  const std::string mark = !row.holds ? " " : *row.holds ? style.good("✓") : style.bad("✗");
  return "  " + mark + " " + left(row.name, name_width) + " " + right(figure(row.goro), 16) +
         right(figure(row.peer_value), 16) + " " + left(row.peer, 5) +
         right(ratio_text(row.ratio), 7) + right(ratio_text(best), 8) + "\n";
}

std::string peer_table(const Board& board, const std::string& machine, const Style& style) {
  const auto run = std::find_if(board.runs.rbegin(), board.runs.rend(), [&](const BoardRun& each) {
    return each.machine == machine && !each.peers.empty();
  });
  if (run == board.runs.rend()) {
    return {};
  }
  std::string all = "\n" + style.strong("The finished runtime and its peers") + "  " +
                    style.quiet(shown_date(run->date) + ", " + run->go) + "\n" +
                    style.quiet("    " + left("", name_width) + right("goro", 17) +
                                right("peer", 16) + "       ratio    best") +
                    "\n";
  for (const PeerRow& row : run->peers) {
    all += peer_row(board, machine, row, style);
  }
  return all;
}

}  // namespace

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  (void)::gmtime_r(&now, &parts);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts));
  return text;
}

std::string machine_name() {
  std::string processor = "unknown processor";
  for (const std::string& line : split_lines(read_file_if_present("/proc/cpuinfo").value_or(""))) {
    if (line.starts_with("model name")) {
      processor = printable(line.substr(std::min(line.size(), line.find(':') + 2)));
      break;
    }
  }
  return processor + ", " + count(processors(), "processor") + ", " +
         std::string(name_of(host_architecture()));
}

std::vector<BoardEntry> board_entries(const Score& score) {
  std::vector<BoardEntry> entries;
  for (const LabScore& lab : score.labs) {
    for (const TestScore& test : lab.tests) {
      if (!test.benchmark) {
        continue;
      }
      BoardEntry entry{lab.lab,         test.name,  test.status, test.points,
                       test.max_points, test.ratio, {}};
      if (!entry.ratio) {
        entry.note = !lab.problem.empty() ? "does not compile"
                                          : test.message.substr(0, test.message.find('\n'));
      }
      entries.push_back(entry);
    }
  }
  return entries;
}

void read_peers(const std::string& text, BoardRun& run) {
  try {
    const Json json = Json::parse(text);
    run.go = json.at("versions").value("go", "no Go");
    for (const Json& row : json.at("rows")) {
      const Json& medians = row.at("medians");
      for (const char* peer : {"go", "raw"}) {
        if (!medians.contains("goro") || !medians.contains(peer)) {
          continue;
        }
        PeerRow kept;
        kept.name = row.at("name").get<std::string>() + ", " +
                    std::to_string(row.at("procs").get<int>()) + " P";
        kept.unit = row.at("unit").get<std::string>();
        kept.peer = peer;
        kept.goro = medians.at("goro").get<double>();
        kept.peer_value = medians.at(peer).get<double>();
        kept.ratio = row.at("ratios").at(peer).at(1).get<double>();
        for (const Json& bar : row.at("bars")) {
          kept.holds = kept.holds.value_or(true) && bar.at("holds").get<bool>();
        }
        run.peers.push_back(kept);
        break;
      }
    }
  } catch (const Json::exception& error) {
    throw broken(std::string("goro_bars printed something else than its report: ") + error.what());
  }
}

std::string board_to_json(const Board& board) {
  Json json{{"runs", Json::array()}};
  for (const BoardRun& run : board.runs) {
    Json one{{"date", run.date},
             {"machine", run.machine},
             {"compiler", run.compiler},
             {"benchmarks", Json::array()}};
    for (const BoardEntry& entry : run.entries) {
      one["benchmarks"].push_back(entry_json(entry));
    }
    if (!run.peers.empty()) {
      one["go"] = run.go;
      one["peers"] = Json::array();
      for (const PeerRow& row : run.peers) {
        one["peers"].push_back(peer_json(row));
      }
    }
    json["runs"].push_back(one);
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Board board_from_json(const std::string& text, const std::string& shown) {
  try {
    Board board;
    const Json json = Json::parse(text);
    for (const Json& one : json.at("runs")) {
      BoardRun& run = board.runs.emplace_back();
      run.date = one.at("date").get<std::string>();
      run.machine = one.at("machine").get<std::string>();
      run.compiler = one.at("compiler").get<std::string>();
      for (const Json& entry : one.at("benchmarks")) {
        run.entries.push_back(entry_from(entry));
      }
      run.go = one.value("go", "");
      for (const Json& row : one.value("peers", Json::array())) {
        run.peers.push_back(peer_from(row));
      }
    }
    return board;
  } catch (const Json::exception& error) {
    throw broken(shown + " is no board of results; move it away to begin a new one (" +
                 error.what() + ")");
  }
}

std::string board_table(const Board& board, const std::vector<const Lab*>& labs,
                        const std::string& machine, const Style& style) {
  std::string all = style.quiet("    " + left("", name_width) +
                                " points  latest  range           " + " bound    best") +
                    "\n";
  double points = 0;
  double most = 0;
  for (const Lab* lab : labs) {
    if (lab->benchmarks.empty()) {
      continue;
    }
    all += style.strong("Lab " + lab->number_text() + ": " + lab->title) + "\n";
    for (const Benchmark& benchmark : lab->benchmarks) {
      const Record record = record_of(board, machine, *lab, benchmark);
      all += benchmark_row(record, benchmark, style);
      const bool counted =
          record.latest.entry == nullptr || record.latest.entry->status != Status::inconclusive;
      points += record.latest.entry != nullptr ? record.latest.entry->points : 0;
      most += counted ? benchmark.points : 0;
    }
  }
  all += number(points) + " of " + number(most) + " points for speed\n";
  all += peer_table(board, machine, style);
  const auto here = [&](const BoardRun& run) { return run.machine == machine; };
  const auto runs =
      static_cast<std::size_t>(std::count_if(board.runs.begin(), board.runs.end(), here));
  const auto last = std::find_if(board.runs.rbegin(), board.runs.rend(), here);
  all += "\n" +
         style.quiet(
             "A ratio is your slot's time to the reference's in the same run: less is "
             "better.\n" +
             machine +
             (last == board.runs.rend() ? ": no run yet"
                                        : ", " + last->compiler + ": " + count(runs, "run") +
                                              ", the latest " + shown_date(last->date))) +
         "\n";
  return all;
}

}  // namespace goro::grader
