#include "peers.h"

#include "commands.h"
#include "process.h"
#include "submission.h"
#include "text.h"
#include "workspace.h"

namespace goro::grader {

namespace {

constexpr std::chrono::minutes peers_time{40};
constexpr std::string_view progress_line = "round ";

// A peer whose library was installed after the folder was configured is found by looking again.
void look_again(const Workspace& place) {
  const Ended ended = run_process({{"cmake", place.folder().string()}, place.folder(), {}},
                                  {.time = std::chrono::minutes(5)});
  if (!ended.ok()) {
    throw broken("cannot configure " + place.folder().string() + "\n" +
                 head_and_tail(printable(ended.output), 0, 10));
  }
}

}  // namespace

PeersReport measure_peers(const Course& course, const std::vector<std::string>& arguments,
                          Terminal& terminal) {
  const std::string target = "goro_bars";
  if (!fs::exists(course.root() / "runtime/bench")) {
    throw wrong_use("this edition has no runtime/bench, so there is nothing to measure peers with");
  }
  Workspace place(course, Target{}.base_preset(), terminal);
  (void)place.stage(Submission(course.root() / "labs", course));
  place.configure();
  const fs::path programs = place.folder() / "runtime/bench";
  if (!fs::exists(programs / "goro_peer_boost")) {
    look_again(place);
  }
  const std::map<std::string, BuildFailure> failures = place.build({target});
  if (const auto failed = failures.find(target); failed != failures.end()) {
    throw broken(target + " does not compile\n" + failed->second.errors);
  }
  terminal.phase("measuring the finished runtime and its peers; this takes some minutes");
  const fs::path report = place.scratch() / "peers.json";
  Command command{{"sh", "-c", "report=$1; shift; exec \"$0\" --json \"$@\" > \"$report\"",
                   (programs / target).string(), report.string()},
                  place.scratch(),
                  {}};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  PeersReport made;
  const Ended ended =
      run_process(command, {.time = peers_time}, {.on_line = [&](std::string_view line) {
                    if (line.starts_with(progress_line)) {
                      terminal.progress(line);
                    } else {
                      made.table += printable(line) + "\n";
                    }
                  }});
  terminal.clear_progress();
  constexpr int wrong = 2;
  if (ended.how != Ended::How::exited || ended.status == wrong || fs::file_size(report) == 0) {
    throw Problem(ended.status == wrong ? ExitStatus::wrong_use : ExitStatus::broken,
                  ended.how == Ended::How::timed_out
                      ? target + " did not end within 40 minutes; try --rounds or --rows"
                      : first_line(made.table));
  }
  made.json = read_file(report);
  made.status = ended.status;
  return made;
}

}  // namespace goro::grader
