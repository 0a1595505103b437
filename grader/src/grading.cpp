#include "grading.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "bench_run.h"
#include "edition.h"
#include "problem.h"
#include "process.h"
#include "test_run.h"
#include "text.h"
#include "workspace.h"

namespace goro::grader {

namespace {

std::atomic<int> at_work{0};

struct AtWork {
  AtWork() { ++at_work; }
  ~AtWork() { --at_work; }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;
};

// A test or benchmark that is to be run, and where its result goes.
struct Task {
  const Lab* lab;
  const Test* test;            // one of the two
  const Benchmark* benchmark;  //
  LabScore* lab_score;
  std::size_t index;  // in lab_score->tests

  [[nodiscard]] TestScore& score() const { return lab_score->tests[index]; }
  [[nodiscard]] bool is_private() const { return test != nullptr && test->is_private; }
};

// How long the tests of one lab may take, given how many of them timed out already. A function that
// every test uses and that does not end must not cost every test's limit; a lab in which nothing
// times out, which is any right one, never gets here.
class Patience {
 public:
  // Nothing: enough tests timed out, the others are not run.
  [[nodiscard]] std::optional<std::chrono::seconds> limit(std::chrono::seconds full) const {
    if (timed_out_ >= until_nothing) {
      return std::nullopt;
    }
    return timed_out_ >= until_short ? std::min(full, std::max(least, full / 5)) : full;
  }
  [[nodiscard]] int timed_out() const { return timed_out_; }
  void count_one() { ++timed_out_; }

 private:
  static constexpr int until_short = 2;
  static constexpr int until_nothing = 4;
  static constexpr std::chrono::seconds least{2};

  int timed_out_ = 0;
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
    score_.submission = submission_.shown();
    score_.architecture = name_of(base.architecture());
    score_.compiler = base.compiler();
    score_.own = options_.own;
    score_.sandbox = options_.sandbox;
    score_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return std::move(score_);
  }

 private:
  Workspace& workspace(BuildKind kind) {
    const std::string preset = preset_for(options_.preset, kind);
    std::unique_ptr<Workspace>& found = workspaces_[preset];
    if (!found) {
      found = std::make_unique<Workspace>(course_, preset, terminal_, options_.sandbox);
      problems_ = found->stage(submission_);
      found->configure(options_.private_tests.folder());
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
               (options_.only.empty() ||
                std::ranges::find(options_.only, exercise.name) != options_.only.end());
      };
      const auto add = [&](const Exercise& exercise, const Test* test, const Benchmark* benchmark,
                           BuildKind kind) {
        TestScore& score = lab_score.tests.emplace_back();
        score.name = exercise.name;
        score.benchmark = benchmark != nullptr;
        score.is_private = test != nullptr && test->is_private;
        score.max_points = exercise.points;
        score.concept_name = exercise.concept_name;
        score.section = "labs/" + lab->folder + "/README.md#" + exercise.section;
        tasks_[kind].push_back({lab, test, benchmark, &lab_score, lab_score.tests.size() - 1});
      };
      for (const std::vector<Test>* tests : {&lab->tests, &options_.private_tests.of(*lab)}) {
        for (const Test& test : *tests) {
          if (options_.tests && wanted(test) &&
              (test.build == BuildKind::release || can_change_build)) {
            add(test, &test, nullptr, test.build);
          }
        }
      }
      for (const Test& test : lab->tests) {
        if (options_.tests && options_.only.empty() && !counts_on(test, base.architecture())) {
          lab_score.of_other_architectures += test.points;
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
    if (task.test != nullptr) {
      return test_target(*task.lab, options_.own, task.is_private());
    }
    return "lab_" + task.lab->number_text() +
           (options_.own && task.lab->slot ? "_bench_own" : "_bench");
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
    std::map<std::string, const Lab*> private_targets;
    for (const Task& task : tasks) {
      if (task.is_private()) {
        private_targets[target_of(task)] = task.lab;
      }
    }
    for (const auto& [target, failure] : failures) {
      if (!failure.in_submission && !private_targets.contains(target)) {
        throw broken("the course itself does not compile (" + target + " in " +
                     place.shown_folder() +
                     "); was something besides the labs' files changed? git status tells\n" +
                     trim_right(indent(failure.errors, "  ")));
      }
    }
    // What the compiler says of them may not be for everybody who reads this.
    for (const auto& [target, lab] : private_targets) {
      if (const auto failed = failures.find(target);
          failed != failures.end() && !failed->second.in_submission) {
        throw wrong_use("the private tests of lab " + lab->number_text() +
                        " do not compile; what the compiler says is in " +
                        shown_path(place.folder() / "build.log", fs::current_path()));
      }
    }
    std::vector<Task> runnable;
    for (const Task& task : tasks) {
      std::string problem = problem_of(*task.lab);
      if (const auto failed = failures.find(target_of(task));
          problem.empty() && failed != failures.end()) {
        problem = "It does not compile.\n" + failed->second.errors;
        if (problem.find("[-Werror") != std::string::npos) {
          problem += "\nWhat ends in [-Werror=…] is a warning: in this course warnings are errors.";
        }
      }
      if (problem.empty()) {
        runnable.push_back(task);
        continue;
      }
      TestScore& score = task.score();
      score.message = problem;
      score.status = Status::not_run;
      if (!task.is_private()) {
        task.lab_score->problem = problem;
      } else if (task.lab_score->problem.empty()) {
        // With the lab's own tests, which come first, it can be built: so this is between the
        // submission and the private tests, and not for everybody.
        score.status = Status::failed;
      }
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

  void run_one_test(const Workspace& place, const Task& task) {
    const fs::path program = place.program(target_of(task));
    terminal_.progress("lab " + task.lab->number_text() + ": " +
                       (task.is_private() ? "a private test" : task.test->name));
    const auto users_path = [&](std::string text) {
      return place.with_users_paths(std::move(text));
    };
    TestScore& score = task.score();
    describe_commands(place, task, program);
    const std::chrono::seconds full = time_limit(*task.test, task.test->build, place);
    const Patience patience = patience_of(task);
    const std::optional<std::chrono::seconds> limit = patience.limit(full);
    if (!limit) {
      score.status = Status::not_run;
      score.message = "not run: too many time-outs; mend these first";
      report(task);
      return;
    }
    const TestResult result =
        run_test(place, program, *task.test, *limit, users_path, options_.seeds);
    score.status = result.verdict.status;
    score.message = result.verdict.message;
    score.seconds = result.seconds;
    score.broke_off = result.verdict.broke_off;
    score.innermost = result.innermost;
    if (score.status == Status::timeout) {
      score.time_limit_s = static_cast<int>(limit->count());
      if (*limit < full) {
        score.message = "Only " + count(static_cast<std::size_t>(limit->count()), "second") +
                        " instead of " + std::to_string(full.count()) + ", because " +
                        count(static_cast<std::size_t>(patience.timed_out()), "test") +
                        " of this lab had timed out before.\n\n" + score.message;
      }
      const std::lock_guard hold(result_lock_);
      patience_[task.lab_score].count_one();
    }
    if (result.verdict.not_implemented) {
      say_what_is_missing(place, task, *result.verdict.not_implemented);
    }
    report(task);
  }

  Patience patience_of(const Task& task) {
    const std::lock_guard hold(result_lock_);
    return patience_[task.lab_score];
  }

  // With --own a test of lab 4 may end in a function of lab 1.
  void say_what_is_missing(const Workspace& place, const Task& task,
                           const Report::NotImplemented& missing) const {
    TestScore& score = task.score();
    score.missing_step = missing.step;
    if (missing.lab == task.lab->number) {
      return;
    }
    score.missing_lab = missing.lab;
    score.message = "not implemented: lab " + std::to_string(missing.lab) + " step " +
                    std::to_string(missing.step);
    for (const Lab& other : course_.labs()) {
      const Step* step = other.number == missing.lab ? other.find_step(missing.step) : nullptr;
      if (step != nullptr) {
        score.message += " (" + step->function + " in labs/" + other.folder + "/" +
                         built_variant(other, step->file, place.architecture()) + ")";
      }
    }
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
                           ", ratio " + ratio_text(known.ratio));
      };
      terminal_.progress("lab " + task.lab->number_text() + ": measuring " + task.benchmark->name);
      const BenchResult result =
          run_benchmark(place, student, reference, *task.benchmark, on_round);
      TestScore& score = task.score();
      score.status = result.status;
      score.message = result.message;
      score.seconds = result.seconds;
      if (result.estimate.rounds > 0) {
        score.ratio = Ratio{result.estimate.ratio, result.estimate.low, result.estimate.high};
      }
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
    // A check knows no private tests.
    const bool labs = submission_.in_readers_labs(course_) && !task.is_private();
    const std::string submission = task.is_private() && submission_.in_folder()
                                       ? shown_path(submission_.folder(), fs::current_path())
                                       : submission_.shown();
    score.again =
        (labs ? "./course check " + number_text + " --test " + score.name
              : "./course grade --submission " + shell_quoted(submission) + " --labs " +
                    number_text) +
        (task.is_private() ? " --tests " + shell_quoted(shown_path(options_.private_tests.folder(),
                                                                   fs::current_path()))
                           : "") +
        (options_.own ? " --own" : "") + (place.emulated() ? " --arch arm64" : "");
    const std::string filter = " --gtest_filter=" + score.name;
    if (place.emulated()) {
      // The emulator waits for a debugger; gdb-multiarch connects with "target remote :1234".
      score.debug = "qemu-aarch64 -g 1234 -L /usr/aarch64-linux-gnu " + shown + filter;
    } else {
      // Debug information names a slot's file from the course's root, labs/… for the submission's.
      // Of an archive or a revision only the staged copy is there for the debugger to show.
      const std::string folder = shown_path(
          submission_.in_folder() ? submission_.folder() : place.staging(), fs::current_path());
      score.debug =
          labs ? "./course debug " + number_text + " " + score.name + (options_.own ? " --own" : "")
               : "gdb -d " + shell_quoted(shown_path(course_.root(), fs::current_path())) +
                     " -ex " + shell_quoted("set substitute-path labs " + folder) + " --args " +
                     shown + filter;
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
  std::map<const LabScore*, Patience> patience_;  // under result_lock_
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

std::string test_target(const Lab& lab, bool own, bool are_private) {
  return "lab_" + lab.number_text() + (are_private ? "_private" : "_tests") +
         (own && lab.slot ? "_own" : "");
}

bool grading_under_way() {
  return at_work > 0;
}

Score grade(const Course& course, const Submission& submission, const GradingOptions& options,
            Terminal& terminal, const OnResult& on_result) {
  require_reference(course, options.labs, options.own, options.benchmarks);
  const AtWork mark;
  return Grading(course, submission, options, terminal, on_result).run();
}

std::optional<BuildFailure> build_tests_of_labs(const Course& course, const Lab& lab, bool own,
                                                Workspace& place) {
  require_reference(course, {&lab}, own, false);
  const std::map<std::string, std::string> problems =
      place.stage(Submission(course.root() / "labs", course));
  if (const auto problem = problems.find(lab.folder); problem != problems.end()) {
    throw wrong_use("lab " + lab.number_text() + " cannot be built: " + problem->second);
  }
  place.configure();
  const std::string target = test_target(lab, own);
  const std::map<std::string, BuildFailure> failures = place.build({target});
  const auto failed = failures.find(target);
  return failed == failures.end() ? std::nullopt : std::optional(failed->second);
}

}  // namespace goro::grader
