#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "commands.h"
#include "full_name.h"
#include "grading.h"
#include "text.h"
#include "workspace.h"

namespace goro::grader {

namespace {

// Becomes gdb: it has the terminal and its signals to itself. Returns only if that fails.
void become(std::vector<std::string> command) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& word : command) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  // What is blocked here (process.h) would be blocked in gdb, too: Ctrl-C stops the test there.
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::execvp(argv[0], argv.data());
}

}  // namespace

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
  const Submission labs(course.root() / "labs", course);
  const std::map<std::string, std::string> problems = place.stage(labs);
  if (const auto problem = problems.find(lab.folder); problem != problems.end()) {
    throw wrong_use("lab " + lab.number_text() + " cannot be built: " + problem->second);
  }
  place.configure();
  const std::string target = test_target(lab, options.own);
  const std::map<std::string, BuildFailure> failures = place.build({target});
  if (const auto failed = failures.find(target); failed != failures.end()) {
    terminal.print("It does not compile.\n" + failed->second.errors);
    return failed->second.in_submission ? ExitStatus::points_missing : ExitStatus::broken;
  }
  std::vector<std::string> command{
      "gdb", "-q",
      "-d",  course.root().string(),
      "-x",  (course.root() / "runtime" / "debugging" / "goro_gdb.py").string()};
  for (const std::string& line : options.commands) {
    command.insert(command.end(), {"-ex", line});
  }
  // gdb stops where an expectation fails.
  command.insert(command.end(), {"--args", place.program(target).string(), "--gtest_filter=" + name,
                                 "--gtest_break_on_failure"});
  terminal.print("In gdb: run starts " + name +
                 " and stops where it fails; info goroutines; goroutine 7 bt; print *gp");
  become(command);
  throw broken(errno == ENOENT ? "gdb is missing; ./course doctor tells how to get it"
                               : std::string("gdb cannot be started: ") + std::strerror(errno));
}

}  // namespace goro::grader
