#include "board.h"
#include "commands.h"
#include "grading.h"
#include "last_check.h"
#include "peers.h"
#include "process.h"
#include "report_terminal.h"
#include "text.h"

namespace goro::grader {

namespace {

fs::path board_file(const Course& course) {
  return course.build() / "results" / "board.json";
}

Board kept_board(const Course& course) {
  const fs::path file = board_file(course);
  const std::optional<std::string> text = read_file_if_present(file);
  return text ? board_from_json(*text, shown_path(file, fs::current_path())) : Board{};
}

}  // namespace

ExitStatus board(const Course& course, const BenchOptions& options, Terminal& terminal) {
  Board board = kept_board(course);
  const std::vector<const Lab*> labs = course.select(options.labs);
  if (options.show) {
    terminal.print(board_table(board, labs, machine_name(), terminal.style()));
    return ExitStatus::all_points;
  }
  GradingOptions grading;
  for (const Lab* lab : labs) {
    if (!lab->benchmarks.empty()) {
      grading.labs.push_back(lab);
    }
  }
  grading.tests = false;
  const Submission submission(course.root() / "labs", course);
  const std::size_t names = name_columns(grading.labs, terminal.width());
  const Score score =
      grade(course, submission, grading, terminal, [&](const LabScore& lab, const TestScore& test) {
        terminal.print(lab.lab.substr(0, 2) + result_line(test, terminal.style(), names));
      });
  for (std::size_t i = 0; i < score.labs.size(); ++i) {
    LastCheck(course).keep(*grading.labs[i], score.labs[i]);
  }
  BoardRun run{date_now(), machine_name(), score.compiler, board_entries(score), {}, {}};
  if (options.peers && program_exists("go") && fs::exists(course.root() / "runtime/bench")) {
    read_peers(measure_peers(course, {"--peers", "go,raw"}, terminal).json, run);
  }
  board.runs.push_back(run);
  write_file_atomically(board_file(course), board_to_json(board));
  terminal.print("\n" + board_table(board, labs, run.machine, terminal.style()) + "Kept in " +
                 shown_path(board_file(course), fs::current_path()));
  return score.all_points() ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
