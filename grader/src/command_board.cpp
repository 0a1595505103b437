#include "board.h"
#include "commands.h"
#include "grading.h"
#include "last_check.h"
#include "process.h"
#include "report_terminal.h"
#include "text.h"

namespace goro::grader {

namespace {

constexpr std::chrono::minutes peers_time{40};

fs::path board_file(const Course& course) {
  return course.build() / "results" / "board.json";
}

Board kept_board(const Course& course) {
  const fs::path file = board_file(course);
  const std::optional<std::string> text = read_file_if_present(file);
  return text ? board_from_json(*text, shown_path(file, fs::current_path())) : Board{};
}

// The runtime with the solutions in every slot, against Go.
void measure_peers(const Course& course, const Submission& labs, BoardRun& run,
                   Terminal& terminal) {
  Workspace place(course, Target{}.base_preset(), terminal);
  (void)place.stage(labs);
  place.configure();
  const std::map<std::string, BuildFailure> failures = place.build({"goro_bars"});
  if (const auto failed = failures.find("goro_bars"); failed != failures.end()) {
    throw broken("goro_bars does not compile\n" + failed->second.errors);
  }
  terminal.phase("measuring the finished runtime against Go; this takes some minutes");
  const fs::path report = place.scratch() / "peers.json";
  const Ended ended =
      run_process({{"sh", "-c", "exec \"$0\" --json --peers go,raw > \"$1\"",
                    (place.folder() / "runtime/bench/goro_bars").string(), report.string()},
                   place.scratch(),
                   {}},
                  {.time = peers_time});
  constexpr int a_bar_is_missed = 1;
  if (ended.how != Ended::How::exited || ended.status > a_bar_is_missed) {
    throw broken("goro_bars could not measure: " + trim_right(printable(ended.output)));
  }
  read_peers(read_file(report), run);
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
    measure_peers(course, submission, run, terminal);
  }
  board.runs.push_back(run);
  write_file_atomically(board_file(course), board_to_json(board));
  terminal.print("\n" + board_table(board, labs, run.machine, terminal.style()) + "Kept in " +
                 shown_path(board_file(course), fs::current_path()));
  return score.all_points() ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
