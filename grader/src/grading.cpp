#include "grading.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "bench_run.h"
#include "problem.h"
#include "process.h"
#include "test_run.h"
#include "text.h"
#include "workspace.h"

namespace goro::grader {

namespace {

// A test or benchmark that is to be run, and where its result goes.
struct Task {
  const Lab* lab;
  const Test* test;            // one of the two
  const Benchmark* benchmark;  //
  LabScore* lab_score;
  std::size_t index;  // in lab_score->tests

  [[nodiscard]] TestScore& score() const { return lab_score->tests[index]; }
};

class Grading {
 public:
  Grading(const Course& course, const Submission& submission, const GradingOptions& options,
          Terminal& terminal, const OnResult& on_result)
      : course_(course),
        submission_(submission),
        options_(options),
        terminal_(terminal),
        on_result_(on_result) {}

  Score run() {
    const auto started = std::chrono::steady_clock::now();
    Workspace& base = workspace(BuildKind::release);
    list_tasks(base);
    for (const BuildKind kind :
         {BuildKind::release, BuildKind::tsan, BuildKind::asan, BuildKind::sim}) {
      run_kind(kind);
    }
    score_.submission = shown_path(submission_.folder(), fs::current_path());
    score_.architecture = name_of(base.architecture());
    score_.compiler = base.compiler();
    score_.own = options_.own;
    score_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return std::move(score_);
  }

 private:
  Workspace& workspace(BuildKind kind) {
    const std::string preset = preset_for(options_.preset, kind);
    std::unique_ptr<Workspace>& found = workspaces_[preset];
    if (!found) {
      found = std::make_unique<Workspace>(course_, preset, terminal_);
      problems_ = found->stage(submission_);
      found->configure();
    }
    return *found;
  }

  void list_tasks(const Workspace& base) {
    const bool can_change_build = !base.emulated();
    const bool can_measure = !base.emulated() && base.kind() == BuildKind::release;
    score_.labs.reserve(options_.labs.size());  // tasks point into it
    for (const Lab* lab : options_.labs) {
      LabScore& lab_score = score_.labs.emplace_back();
      lab_score.number = lab->number;
      lab_score.lab = lab->folder;
      lab_score.title = lab->title;
      const auto wanted = [&](const Exercise& exercise) {
        return counts_on(exercise, base.architecture()) &&
               (options_.only.empty() || exercise.name == options_.only);
      };
      const auto add = [&](const Exercise& exercise, const Test* test, const Benchmark* benchmark,
                           BuildKind kind) {
        TestScore& score = lab_score.tests.emplace_back();
        score.name = exercise.name;
        score.benchmark = benchmark != nullptr;
        score.max_points = exercise.points;
        score.concept_name = exercise.concept_name;
        score.section = "labs/" + lab->folder + "/README.md#" + exercise.section;
        tasks_[kind].push_back({lab, test, benchmark, &lab_score, lab_score.tests.size() - 1});
      };
      for (const Test& test : lab->tests) {
        if (options_.tests && wanted(test) &&
            (test.build == BuildKind::release || can_change_build)) {
          add(test, &test, nullptr, test.build);
        }
      }
      for (const Benchmark& benchmark : lab->benchmarks) {
        if (options_.benchmarks && can_measure && wanted(benchmark)) {
          add(benchmark, nullptr, &benchmark, BuildKind::release);
        }
      }
    }
  }

  void run_kind(BuildKind kind) {
    const std::vector<Task>& tasks = tasks_[kind];
    if (tasks.empty()) {
      return;
    }
    Workspace& place = workspace(kind);
    const std::vector<Task> runnable = build(place, tasks);
    run_tests(place, runnable);
    run_benchmarks(place, runnable);
  }

  [[nodiscard]] std::string target_of(const Task& task) const {
    return task.test != nullptr ? test_target(*task.lab, options_.own)
                                : "lab_" + task.lab->number_text() + "_bench";
  }

  // Lab 00 has no slot, so nothing of the submission's to compare.
  static std::string reference_target(const Lab& lab) {
    return "lab_" + lab.number_text() + (lab.slot ? "_bench_ref" : "_bench");
  }

  // Why the lab cannot be built from this submission, whatever the compiler would say.
  [[nodiscard]] std::string problem_of(const Lab& lab) const {
    for (const Lab& other : course_.labs()) {
      const bool composed = &other == &lab || (options_.own && other.number <= lab.number);
      if (const auto found = problems_.find(other.folder); composed && found != problems_.end()) {
        return found->second;
      }
    }
    return {};
  }

  // Builds what the tasks need and returns those that can run; the others get their results here.
  std::vector<Task> build(Workspace& place, const std::vector<Task>& tasks) {
    std::vector<std::string> targets;
    const auto need = [&](const std::string& target) {
      if (std::find(targets.begin(), targets.end(), target) == targets.end()) {
        targets.push_back(target);
      }
    };
    for (const Task& task : tasks) {
      if (problem_of(*task.lab).empty()) {
        need(target_of(task));
        if (task.benchmark != nullptr) {
          need(reference_target(*task.lab));
        }
      }
    }
    const std::map<std::string, BuildFailure> failures = place.build(targets);
    for (const auto& [target, failure] : failures) {
      if (!failure.in_submission) {
        throw broken("the course itself does not compile (" + target + " in build/" +
                     place.preset() +
                     "); was something besides the labs' files changed? git status tells\n" +
                     trim_right(indent(failure.errors, "  ")));
      }
    }
    std::vector<Task> runnable;
    for (const Task& task : tasks) {
      std::string problem = problem_of(*task.lab);
      if (const auto failed = failures.find(target_of(task));
          problem.empty() && failed != failures.end()) {
        problem = "It does not compile.\n" + failed->second.errors;
      }
      if (problem.empty()) {
        runnable.push_back(task);
        continue;
      }
      task.lab_score->problem = problem;
      TestScore& score = task.score();
      score.status = Status::not_run;
      score.message = problem;
      report(task);
    }
    return runnable;
  }

  void report(const Task& task) {
    const std::lock_guard hold(result_lock_);
    TestScore& score = task.score();
    score.points = score.status == Status::passed ? score.max_points : 0;
    if (on_result_) {
      on_result_(*task.lab_score, score);
    }
  }

  void run_tests(const Workspace& place, const std::vector<Task>& tasks) {
    std::vector<Task> tests;
    std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(tests),
                 [](const Task& task) { return task.test != nullptr; });
    std::atomic<std::size_t> next{0};
    std::exception_ptr trouble;
    const auto work = [&] {
      try {
        for (std::size_t i = next++; i < tests.size(); i = next++) {
          run_one_test(place, tests[i]);
        }
      } catch (...) {
        const std::lock_guard hold(result_lock_);
        trouble = std::current_exception();
        next = tests.size();
      }
    };
    std::vector<std::thread> others;
    for (unsigned i = 1; i < std::min<std::size_t>(std::min(processors(), 2U), tests.size()); ++i) {
      others.emplace_back(work);
    }
    work();
    for (std::thread& other : others) {
      other.join();
    }
    if (trouble) {
      std::rethrow_exception(trouble);
    }
  }

  // Debug information names a slot's file NN-name/file, whoever's it is.
  [[nodiscard]] std::string with_slot_paths(const Workspace& place, const Lab& lab,
                                            std::string text) const {
    for (const Lab& other : course_.labs()) {
      const bool submitted = &other == &lab || (options_.own && other.number <= lab.number);
      const std::string owner =
          submitted ? shown_path(submission_.folder(), fs::current_path()) : "solutions";
      const std::string shown = " at " + owner + "/" + other.folder + "/";
      // Made absolute with the folder in which the compiler ran.
      text = replace_all(std::move(text), " at build/" + place.preset() + "/" + other.folder + "/",
                         shown);
      text = replace_all(std::move(text), " at " + other.folder + "/", shown);
    }
    return text;
  }

  void run_one_test(const Workspace& place, const Task& task) {
    const fs::path program = place.program(target_of(task));
    terminal_.progress("lab " + task.lab->number_text() + ": " + task.test->name);
    const auto users_path = [&](std::string text) {
      return with_slot_paths(place, *task.lab, place.with_users_paths(std::move(text)));
    };
    const TestResult result = run_test(place, program, *task.test, users_path, options_.seeds);
    TestScore& score = task.score();
    score.status = result.verdict.status;
    score.message = result.verdict.message;
    score.seconds = result.seconds;
    if (result.verdict.not_implemented) {
      score.missing_step = result.verdict.not_implemented->step;
    }
    describe_commands(place, task, program);
    report(task);
  }

  void run_benchmarks(const Workspace& place, const std::vector<Task>& tasks) {
    for (const Task& task : tasks) {
      if (task.benchmark == nullptr) {
        continue;
      }
      const fs::path student = place.program(target_of(task));
      const fs::path reference = place.program(reference_target(*task.lab));
      const auto on_round = [&](const RatioEstimate& known) {
        terminal_.progress("lab " + task.lab->number_text() + ": measuring " +
                           task.benchmark->name + ", round " + std::to_string(known.rounds) +
                           ", ratio " + number(known.ratio));
      };
      terminal_.progress("lab " + task.lab->number_text() + ": measuring " + task.benchmark->name);
      const BenchResult result =
          run_benchmark(place, student, reference, *task.benchmark, on_round);
      TestScore& score = task.score();
      score.status = result.status;
      score.message = result.message;
      score.seconds = result.seconds;
      describe_commands(place, task, student);
      report(task);
    }
  }

  void describe_commands(const Workspace& place, const Task& task, const fs::path& program) const {
    TestScore& score = task.score();
    const std::string shown = shell_quoted(shown_path(program, fs::current_path()));
    if (score.benchmark) {
      score.again = "./course bench " + std::to_string(task.lab->number);
      score.debug = shown + " --benchmark_filter=" + shell_quoted(exact_filter(score.name));
      return;
    }
    const std::string number_text = std::to_string(task.lab->number);
    const bool labs = submission_.folder() == course_.root() / "labs";
    score.again = (labs ? "./course check " + number_text + " --test " + score.name
                        : "./course grade --submission " +
                              shell_quoted(shown_path(submission_.folder(), fs::current_path())) +
                              " --labs " + number_text) +
                  (options_.own ? " --own" : "") + (place.emulated() ? " --arch arm64" : "");
    const std::string filter = " --gtest_filter=" + score.name;
    if (place.emulated()) {
      // The emulator waits for a debugger; gdb-multiarch connects with "target remote :1234".
      score.debug = "qemu-aarch64 -g 1234 -L /usr/aarch64-linux-gnu " + shown + filter;
    } else {
      // Without the folder gdb would not find the slot's source.
      score.debug = "gdb -d " + shell_quoted(shown_path(submission_.folder(), fs::current_path())) +
                    " --args " + shown + filter;
    }
  }

  const Course& course_;
  const Submission& submission_;
  const GradingOptions& options_;
  Terminal& terminal_;
  const OnResult& on_result_;
  std::map<std::string, std::unique_ptr<Workspace>> workspaces_;  // by preset
  std::map<std::string, std::string> problems_;
  std::map<BuildKind, std::vector<Task>> tasks_;
  Score score_;
  std::mutex result_lock_;
};

}  // namespace

std::string preset_for(const std::string& base, BuildKind kind) {
  if (kind == BuildKind::release) {
    return base;
  }
  return base.substr(0, base.find('-')) + "-" + std::string(name_of(kind));
}

std::string test_target(const Lab& lab, bool own) {
  return "lab_" + lab.number_text() + (own && lab.slot ? "_tests_own" : "_tests");
}

Score grade(const Course& course, const Submission& submission, const GradingOptions& options,
            Terminal& terminal, const OnResult& on_result) {
  return Grading(course, submission, options, terminal, on_result).run();
}

}  // namespace goro::grader
