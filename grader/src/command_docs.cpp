#include "commands.h"
#include "files.h"
#include "process.h"
#include "submission.h"
#include "workspace.h"

namespace goro::grader {

ExitStatus docs(const Course& course, const DocsOptions& options, Terminal& terminal) {
  std::vector<std::string> command{"node", (course.root() / "docs" / "build.mjs").string()};
  // The reference's runs are recorded. A students' edition may not have it.
  if (fs::exists(course.root() / "solutions")) {
    Workspace place(course, options.preset, terminal);
    (void)place.stage(Submission(course.root() / "solutions", course));
    place.configure();
    const auto failures = place.build({"docs_scenes"});
    if (!failures.empty()) {
      terminal.print(failures.begin()->second.errors);
      throw broken("docs_scenes does not compile");
    }
    command.push_back(fs::read_symlink("/proc/self/exe").string());
    command.push_back((place.folder() / "docs" / "examples" / "docs_scenes").string());
  }
  terminal.clear_progress();
  if (options.serve) {
    command.emplace_back("--serve");
  }
  return run_in_front(command) == 0 ? ExitStatus::all_points : ExitStatus::broken;
}

}  // namespace goro::grader
