#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "commands.h"
#include "edition.h"
#include "grading.h"
#include "mutants.h"
#include "process.h"
#include "report_terminal.h"
#include "submission.h"
#include "test_run.h"
#include "text.h"
#include "workspace.h"

namespace goro::grader {

namespace {

struct Planted {
  const Lab* lab;
  Mutant mutant;
  std::string content;  // of mutant.file, with the bug
};

// Runs what it is given on threads of its own, while the next mutant is being built. At most a few
// pieces of work wait, since each holds a copy of a program.
class Pool {
 public:
  explicit Pool(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }

  ~Pool() { finish(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void add(std::function<void()> piece) {
    std::unique_lock hold(lock_);
    changed_.wait(hold, [&] { return waiting_.size() < 4; });
    waiting_.push_back(std::move(piece));
    changed_.notify_all();
  }

  void finish() {
    {
      const std::lock_guard hold(lock_);
      ended_ = true;
      changed_.notify_all();
    }
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }

 private:
  void work() {
    std::unique_lock hold(lock_);
    for (;;) {
      changed_.wait(hold, [&] { return ended_ || !waiting_.empty(); });
      if (waiting_.empty()) {
        return;
      }
      const std::function<void()> piece = std::move(waiting_.front());
      waiting_.pop_front();
      changed_.notify_all();
      hold.unlock();
      piece();
      hold.lock();
    }
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

// Loads every chosen mutant and plants it, before anything is built: a stale one is an error at
// once.
std::vector<Planted> load(const Course& course, const MutantsOptions& options,
                          Architecture architecture) {
  std::vector<Planted> all;
  std::vector<std::string> names;
  for (const Lab* lab : course.select(options.labs)) {
    const std::string shown = "grader/mutants/" + lab->folder + ".json";
    const std::optional<std::string> text = read_file_if_present(course.root() / shown);
    if (!text) {
      continue;
    }
    for (Mutant& mutant : parse_mutants(*text, shown, *lab)) {
      names.push_back(mutant.name);
      const std::string solution = "solutions/" + lab->folder + "/" + mutant.file;
      std::string content = plant(mutant, read_file(course.root() / solution), solution);
      const bool here = built_on(mutant.file, architecture) &&
                        mutant.architecture.value_or(architecture) == architecture;
      if (here && (options.name.empty() || mutant.name == options.name)) {
        all.push_back({lab, std::move(mutant), std::move(content)});
      }
    }
  }
  if (all.empty() && !options.name.empty()) {
    const std::string meant = nearest(options.name, names);
    throw wrong_use("there is no mutant \"" + options.name + "\" here" +
                    (meant.empty() ? "" : "; did you mean " + meant + "?"));
  }
  return all;
}

// A race that a mutant opens is met by chance, and a busy machine meets it more seldom.
constexpr int most_tries = 3;

const Test& test_of(const Lab& lab, const std::string& name) {
  return *std::find_if(lab.tests.begin(), lab.tests.end(),
                       [&](const Test& test) { return test.name == name; });
}

class MutantRun {
 public:
  MutantRun(const Course& course, const MutantsOptions& options, Terminal& terminal)
      : course_(course),
        preset_(options.target.base_preset()),
        terminal_(terminal),
        solutions_(course.root() / "solutions", course) {}

  // Returns what is to be told of those that were not caught.
  std::vector<std::string> run(const std::vector<Planted>& all) {
    for (const Planted& planted : all) {
      build_and_queue(planted);
    }
    pool_.finish();
    return escaped_;
  }

 private:
  Workspace& workspace(BuildKind kind) {
    const std::string preset = preset_for(preset_, kind);
    std::unique_ptr<Workspace>& found = workspaces_[preset];
    if (!found) {
      found = std::make_unique<Workspace>(course_, preset, terminal_);
      (void)found->stage(solutions_);
      found->configure();
    }
    return *found;
  }

  // A program of its own for each mutant, since the next one is built in the same place.
  fs::path build(Workspace& place, const Planted& planted) {
    (void)place.stage(solutions_.with(*planted.lab, planted.mutant.file, planted.content));
    const std::string target = test_target(*planted.lab, false);
    const std::map<std::string, BuildFailure> failures = place.build({target});
    if (!failures.empty()) {
      throw broken("the mutant " + planted.mutant.name + " of " + planted.lab->folder +
                   " does not compile\n" +
                   trim_right(indent(failures.begin()->second.errors, "  ")));
    }
    const fs::path copy = place.folder() / "mutants" / planted.mutant.name / target;
    fs::create_directories(copy.parent_path());
    fs::copy_file(place.program(target), copy, fs::copy_options::overwrite_existing);
    return copy;
  }

  void build_and_queue(const Planted& planted) {
    std::map<std::string, fs::path> programs;  // by test
    std::map<BuildKind, fs::path> built;
    for (const std::string& name : planted.mutant.caught_by) {
      const BuildKind kind = test_of(*planted.lab, name).build;
      if (!built.contains(kind)) {
        built[kind] = build(workspace(kind), planted);
      }
      programs[name] = built[kind];
    }
    pool_.add([this, &planted, programs] { judge_mutant(planted, programs); });
  }

  // What the tests that must notice the bug have to say against it; empty: each of them noticed.
  std::string trouble_with(const Planted& planted,
                           const std::map<std::string, fs::path>& programs) {
    const Mutant& mutant = planted.mutant;
    std::string trouble;
    for (const auto& [name, program] : programs) {
      const Test& test = test_of(*planted.lab, name);
      Workspace& place = *workspaces_.at(preset_for(preset_, test.build));
      const TestResult result =
          run_test(place, program, test, time_limit(test, test.build, place),
                   [&](std::string text) { return place.with_users_paths(std::move(text)); });
      const std::string report = result.verdict.message + "\n" + test.concept_name;
      if (result.verdict.status == Status::passed) {
        trouble = name + " passed all the same";
      } else if (result.verdict.status == Status::not_run) {
        trouble = name + " could not be run: " + result.verdict.message;
      } else if (lower(report).find(lower(mutant.names)) == std::string::npos) {
        trouble = name + " noticed, but its report does not say \"" + mutant.names + "\":\n" +
                  indent(head_and_tail(result.verdict.message, 20, 5), "      ");
      }
    }
    return trouble;
  }

  void judge_mutant(const Planted& planted, const std::map<std::string, fs::path>& programs) {
    const Mutant& mutant = planted.mutant;
    int tries = 1;
    std::string trouble = trouble_with(planted, programs);
    while (!trouble.empty() && tries < most_tries) {
      ++tries;
      trouble = trouble_with(planted, programs);
    }
    for (const auto& [name, program] : programs) {
      std::error_code ignored;
      fs::remove_all(program.parent_path(), ignored);
    }
    const Style& style = terminal_.style();
    const std::string label = planted.lab->number_text() + " " + mutant.name;
    if (trouble.empty()) {
      const std::string late = tries == 1 ? "" : ", at try " + std::to_string(tries);
      terminal_.print("  " + style.good("✓") + " " + label +
                      style.quiet("  caught by " + join(mutant.caught_by, ", ") + late));
      return;
    }
    const std::string told =
        "  " + style.bad("✗") + " " + label + "  " + mutant.what + "\n      " + trouble;
    terminal_.print(told);
    const std::lock_guard hold(lock_);
    escaped_.push_back(told);
  }

  const Course& course_;
  std::string preset_;
  Terminal& terminal_;
  Submission solutions_;
  std::map<std::string, std::unique_ptr<Workspace>> workspaces_;  // by preset
  std::mutex lock_;
  std::vector<std::string> escaped_;
  Pool pool_{1};  // last: its thread uses all the others
};

}  // namespace

ExitStatus mutants(const Course& course, const MutantsOptions& options, Terminal& terminal) {
  require_course(course, "mutants");
  const std::string preset = options.target.base_preset();
  const Architecture architecture = preset == "arm64" ? Architecture::aarch64 : host_architecture();
  const std::vector<Planted> all = load(course, options, architecture);
  if (all.empty()) {
    terminal.print("There are no mutants of these labs.");
    return ExitStatus::all_points;
  }
  const std::vector<std::string> escaped = MutantRun(course, options, terminal).run(all);
  // Once more, together: in a long list they are hard to find.
  terminal.print("\n" + std::to_string(all.size() - escaped.size()) + " of " +
                 count(all.size(), "mutant") + " caught");
  for (const std::string& told : escaped) {
    terminal.print(told);
  }
  return escaped.empty() ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
