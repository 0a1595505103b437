#include <algorithm>
#include <cerrno>
#include <cstring>

#include "commands.h"
#include "full_name.h"
#include "grading.h"
#include "process.h"
#include "text.h"
#include "workspace.h"

namespace goro::grader {

ExitStatus debug(const Course& course, const DebugOptions& options, Terminal& terminal) {
  const Lab& lab = course.lab(options.lab);
  if (!lab.has_exercises()) {
    throw wrong_use("lab " + lab.number_text() + " has no tests to debug");
  }
  const std::string name = full_name(lab, options.test);
  const auto test = std::find_if(lab.tests.begin(), lab.tests.end(),
                                 [&](const Test& each) { return each.name == name; });
  if (test == lab.tests.end()) {
    throw wrong_use(name + " is a benchmark; ./course debug looks into tests");
  }
  Workspace place(course, preset_for(options.preset, test->build), terminal);
  if (const auto failed = build_tests_of_labs(course, lab, options.own, place)) {
    terminal.print("It does not compile.\n" + failed->errors);
    return failed->in_submission ? ExitStatus::points_missing : ExitStatus::broken;
  }
  std::vector<std::string> command{
      "gdb", "-q",
      "-d",  course.root().string(),
      "-x",  (course.root() / "runtime" / "debugging" / "goro_gdb.py").string()};
  for (const std::string& line : options.commands) {
    command.insert(command.end(), {"-ex", line});
  }
  // gdb stops where an expectation fails.
  command.insert(command.end(), {"--args", place.program(test_target(lab, options.own)).string(),
                                 "--gtest_filter=" + name, "--gtest_break_on_failure"});
  terminal.print("In gdb: run starts " + name +
                 " and stops where it fails; info goroutines; goroutine 7 bt; print *gp");
  become(command);
  throw broken(errno == ENOENT ? "gdb is missing; ./course doctor tells how to get it"
                               : std::string("gdb cannot be started: ") + std::strerror(errno));
}

}  // namespace goro::grader
