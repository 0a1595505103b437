#include "commands.h"
#include "process.h"

namespace goro::grader {

ExitStatus docs(const Course& course, const DocsOptions& options, Terminal& terminal) {
  terminal.clear_progress();
  std::vector<std::string> command{"node", (course.root() / "docs" / "build.mjs").string()};
  if (options.serve) {
    command.emplace_back("--serve");
  }
  const int status = run_in_front(command);
  return status == 0 ? ExitStatus::all_points : ExitStatus::broken;
}

}  // namespace goro::grader
