#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "commands.h"
#include "full_name.h"
#include "grading.h"
#include "process.h"
#include "text.h"
#include "trace_json.h"
#include "trace_view.h"
#include "workspace.h"

namespace goro::grader {

namespace {

struct Traced {
  std::vector<std::string> command;
  std::string name;  // of the files
};

bool is_lab(const std::string& what) {
  return !what.empty() && std::all_of(what.begin(), what.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

// Letters and digits stay.
std::string file_name(std::string text) {
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.') c = '_';
  }
  return text;
}

Traced build_lab(const Course& course, const TraceOptions& options, Workspace& place,
                 Terminal& terminal) {
  const Lab& lab = course.lab(options.what);
  if (!lab.has_exercises()) {
    throw wrong_use("lab " + lab.number_text() + " has no tests to trace");
  }
  if (options.arguments.size() > 1) {
    throw wrong_use("./course trace " + options.what + " takes one test, or none for all of them");
  }
  const std::string test =
      options.arguments.empty() ? std::string() : full_name(lab, options.arguments.front());
  if (const auto failed = build_tests_of_labs(course, lab, options.own, place)) {
    terminal.print(failed->errors);
    throw Problem(failed->in_submission ? ExitStatus::points_missing : ExitStatus::broken,
                  "lab " + lab.number_text() + " does not compile");
  }
  Traced traced{place.launcher(), lab.number_text()};
  traced.command.push_back(place.program(test_target(lab, options.own)).string());
  if (!test.empty()) {
    traced.command.push_back("--gtest_filter=" + test);
    traced.name += "-" + test;
  }
  return traced;
}

// Where the functions are that the program was made of.
std::map<std::string, SourcePlace> functions(const Course& course, const TraceOptions& options) {
  std::map<std::string, SourcePlace> found;
  const Lab* traced = is_lab(options.what) ? &course.lab(options.what) : nullptr;
  for (const Lab* lab : course.select("")) {
    if (!lab->slot) {
      continue;
    }
    const bool theirs = traced != nullptr && (lab->number == traced->number ||
                                              (options.own && lab->number < traced->number));
    for (const std::string& file : lab->slot->files) {
      const fs::path path = fs::path(theirs ? "labs" : "solutions") / lab->folder / file;
      if (path.extension() == ".cpp" && fs::exists(course.root() / path)) {
        find_functions(course.root(), path, found);
      }
    }
  }
  return found;
}

// The viewer without a recording, as docs/build.mjs makes it.
std::string viewer(const Course& course, Terminal& terminal) {
  terminal.phase("the viewer");
  const Ended ended = run_process(
      {{"node", (course.root() / "docs" / "build.mjs").string(), "--viewer"}, course.root(), {}},
      {.time = std::chrono::minutes(10)});
  if (!ended.ok()) {
    terminal.print(printable(ended.output));
    throw broken("the viewer cannot be made; ./course trace without --open needs no npm");
  }
  return read_file(course.build() / "viewer" / "viewer.html");
}

// Says where the page is, and opens it if there is a screen.
void open_page(const fs::path& page, Terminal& terminal) {
  const bool has_screen =
      std::getenv("DISPLAY") != nullptr || std::getenv("WAYLAND_DISPLAY") != nullptr;
  if (has_screen && program_exists("xdg-open") &&
      run_process({{"xdg-open", page.string()}, page.parent_path(), {}},
                  {.time = std::chrono::seconds(20)})
          .ok()) {
    return;
  }
  terminal.print("Open it in a browser: file://" + fs::absolute(page).string());
}

void tell(const TraceSummary& summary, const fs::path& written, int status, Terminal& terminal) {
  if (status != 0) {
    terminal.print("The program ended with status " + std::to_string(status) + ".");
  }
  std::string line = count(summary.events, "event") + " of " +
                     count(summary.goroutines, "goroutine") + " in " + count(summary.runs, "run");
  if (summary.cut_off) {
    line += ", the last one cut off";
  }
  terminal.print(line + ": " + shown_path(written, fs::current_path()));
  if (summary.lost != 0) {
    terminal.print(count(summary.lost, "earlier event") +
                   " had to make room for them; the trace shows the end.");
  }
}

}  // namespace

ExitStatus trace(const Course& course, const TraceOptions& options, Terminal& terminal) {
  const fs::path folder = course.root() / "build" / "traces";
  fs::create_directories(folder);
  Traced traced;
  std::optional<Workspace> place;  // nobody builds there while the program runs
  if (is_lab(options.what)) {
    place.emplace(course, options.preset, terminal);
    traced = build_lab(course, options, *place, terminal);
  } else {
    traced.name = fs::path(options.what).filename().string();
    traced.command = {options.what};
    traced.command.insert(traced.command.end(), options.arguments.begin(), options.arguments.end());
  }
  const fs::path records = folder / (file_name(traced.name) + ".trace");
  const bool view = options.view || options.open;
  const fs::path output = options.output.empty()
                              ? folder / (file_name(traced.name) + (view ? ".html" : ".json"))
                              : fs::path(options.output);
  const std::string page = view ? viewer(course, terminal) : std::string();
  fs::remove(records);
  terminal.clear_progress();
  ::setenv("GORO_TRACE", records.c_str(), 1);
  if (view) {
    const char* debug = std::getenv("GORO_DEBUG");
    ::setenv("GORO_DEBUG",
             ((debug != nullptr ? std::string(debug) + "," : "") + "tracequeues=1").c_str(), 1);
  }
  const int status = run_in_front(traced.command);
  ::unsetenv("GORO_TRACE");
  if (!fs::exists(records)) {
    throw wrong_use(options.what +
                    " recorded nothing: it called goro::run not once, is not linked "
                    "with this goro, or was killed (status " +
                    std::to_string(status) + ")");
  }
  const TraceFile file = read_trace(records);
  std::ofstream out(output);
  if (view) {
    const std::string sources = "file://" + course.root().string() + "/";
    out << view_page(page, file, options.title.empty() ? traced.name : options.title,
                     functions(course, options),
                     options.sources_at.empty() ? sources : options.sources_at);
  } else {
    write_trace_json(file, out);
  }
  out.close();
  if (!out) {
    throw broken(output.string() + " cannot be written");
  }
  fs::remove(records);
  tell(summary_of(file), output, status, terminal);
  if (options.open) {
    open_page(output, terminal);
  } else if (!view) {
    terminal.print(
        "Open it in https://ui.perfetto.dev (it stays on your machine) or in "
        "chrome://tracing; docs/tracing.md says what is there to see.");
  }
  return status == 0 ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
