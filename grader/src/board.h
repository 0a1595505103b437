#pragma once

#include <optional>
#include <string>
#include <vector>

#include "course.h"
#include "score.h"
#include "terminal.h"

namespace goro::grader {

// A benchmark's result in one run.
struct BoardEntry {
  std::string lab;  // "04-local-run-queue"
  std::string name;
  Status status = Status::not_run;
  double points = 0;
  double max_points = 0;
  std::optional<Ratio> ratio;  // to the reference; nothing if it could not be measured
  std::string note;            // why, then
};

// A row of goro_bars: the finished runtime against a peer, as a rule Go.
struct PeerRow {
  std::string name;
  std::string unit;
  std::string peer;
  double goro = 0;
  double peer_value = 0;
  double ratio = 0;
  std::optional<bool> holds;  // its bar, if it has one
};

struct BoardRun {
  std::string date;  // "2026-11-22T21:05:00Z"
  std::string machine;
  std::string compiler;
  std::vector<BoardEntry> entries;
  std::string go;  // its version
  std::vector<PeerRow> peers;
};

// Every run that was kept, the oldest first.
struct Board {
  std::vector<BoardRun> runs;
};

// "2026-11-22T21:05:00Z"
std::string date_now();
// What figures of one machine have in common: the processor, how many of it, the architecture.
std::string machine_name();

std::vector<BoardEntry> board_entries(const Score& score);

// From what goro_bars --json prints. Throws a Problem for anything else.
void read_peers(const std::string& json, BoardRun& run);

std::string board_to_json(const Board& board);
// Throws a Problem that names `shown` if the text is nothing that board_to_json wrote.
Board board_from_json(const std::string& text, const std::string& shown);

// For each benchmark of `labs` its latest result on `machine` and the best one there, then the
// peers' rows of the latest run that has some.
std::string board_table(const Board& board, const std::vector<const Lab*>& labs,
                        const std::string& machine, const Style& style);

}  // namespace goro::grader
