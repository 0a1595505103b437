#include <nlohmann/json.hpp>

#include "board.h"
#include "commands.h"
#include "peers.h"
#include "process.h"
#include "text.h"

namespace goro::grader {

namespace {

// With what makes figures comparable: when, where, and how to measure them again.
std::string dated(const std::string& text, const std::string& command) {
  try {
    nlohmann::ordered_json json{
        {"date", date_now()}, {"machine", machine_name()}, {"command", command}};
    json.update(nlohmann::ordered_json::parse(text));
    return json.dump(1) + "\n";
  } catch (const nlohmann::json::exception& error) {
    throw broken(std::string("goro_bars printed something else than its report: ") + error.what());
  }
}

void draw(const Course& course, const fs::path& json, const fs::path& picture) {
  if (!program_exists("python3")) {
    throw broken("--svg needs python3: apt-get install python3");
  }
  const Ended ended = run_process({{"python3", (course.root() / "runtime/bench/peers.py").string(),
                                    json.string(), "--svg", picture.string()},
                                   fs::current_path(),
                                   {}},
                                  {.time = std::chrono::minutes(1)});
  if (!ended.ok()) {
    throw broken("the picture could not be drawn: " + trim_right(printable(ended.output)));
  }
}

}  // namespace

ExitStatus peers(const Course& course, const PeersOptions& options, Terminal& terminal) {
  // Before a quarter of an hour is spent.
  for (const std::string& file : {options.json, options.svg}) {
    if (!file.empty()) {
      expect_writable(file);
    }
  }
  std::vector<std::string> arguments;
  if (!options.rows.empty()) {
    arguments.insert(arguments.end(), {"--only", options.rows});
  }
  if (options.rounds != 0) {
    arguments.insert(arguments.end(), {"--rounds", std::to_string(options.rounds)});
  }
  if (options.quick) {
    arguments.emplace_back("--quick");
  }
  const PeersReport report = measure_peers(course, arguments, terminal);
  std::string command = "./course bench --peers";
  command += options.rows.empty() ? "" : " --rows " + options.rows;
  command += options.rounds == 0 ? "" : " --rounds " + std::to_string(options.rounds);
  command += options.quick ? " --quick" : "";
  const std::string json = dated(report.json, command);
  const fs::path kept =
      options.json.empty() ? course.build() / "results" / "peers.json" : fs::path(options.json);
  write_file_atomically(kept, json);
  terminal.print(report.table + "\n" + machine_name() + "\nKept in " +
                 shown_path(kept, fs::current_path()));
  if (!options.svg.empty()) {
    draw(course, kept, options.svg);
    terminal.print("Drawn in " + options.svg);
  }
  constexpr int all_hold = 0;
  constexpr int a_bar_is_missed = 1;
  return report.status == all_hold          ? ExitStatus::all_points
         : report.status == a_bar_is_missed ? ExitStatus::points_missing
                                            : ExitStatus::broken;
}

}  // namespace goro::grader
