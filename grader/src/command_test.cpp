#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <set>

#include "commands.h"
#include "edition.h"
#include "files.h"
#include "lab_check.h"
#include "markdown.h"
#include "process.h"
#include "submission.h"
#include "text.h"
#include "workspace.h"

// The project's own proof: a list of named stages, each with a log of its own.
namespace goro::grader {

namespace {

constexpr std::chrono::minutes stage_time{40};

// What a stage runs and says goes here. A stage is done at the first step that fails.
class Log {
 public:
  Log(const Course& course, const fs::path& file)
      : course_(course), file_(std::fopen(file.c_str(), "we")) {
    if (file_ == nullptr) {
      throw broken("cannot write " + file.string());
    }
    terminal_ = std::make_unique<Terminal>(file_.get());
  }

  Terminal& terminal() { return *terminal_; }
  void say(const std::string& text) { terminal_->print(text); }

  // Runs a program in the course's root; its output goes to the log as it comes.
  Ended run(std::vector<std::string> arguments, const fs::path& folder = {}) {
    const Command command{std::move(arguments), folder.empty() ? course_.root() : folder, {}};
    say("$ " + command.shown());
    Ended ended =
        run_process(command, {.time = stage_time, .output_bytes = std::size_t{8} << 20},
                    {.on_line = [this](std::string_view line) { say(std::string(line)); }});
    if (ended.how == Ended::How::not_started) {
      say(ended.why_not_started);
    } else if (!ended.ok()) {
      say(std::string(ended.how == Ended::How::timed_out   ? "timed out"
                      : ended.how == Ended::How::signalled ? "ended by signal "
                                                           : "ended with status ") +
          (ended.how == Ended::How::timed_out ? "" : std::to_string(ended.status)));
    }
    return ended;
  }

  bool ok(std::vector<std::string> arguments) { return run(std::move(arguments)).ok(); }

 private:
  struct Close {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }
  };

  const Course& course_;
  std::unique_ptr<std::FILE, Close> file_;
  std::unique_ptr<Terminal> terminal_;
};

struct Stage {
  std::string name;
  std::string place;  // stages of one place use the same build folders, so they take turns
  std::function<bool(Log&)> run;
};

// Hands out the stages in their order, but for those whose place is taken: to two at a time, since
// most stages build on every processor for a while and then wait for one test or another.
class Schedule {
 public:
  explicit Schedule(const std::vector<Stage>& stages) : waiting_(stages.begin(), stages.end()) {}

  // Null: none is left. Waits while all places of those that are left are taken.
  const Stage* take() {
    std::unique_lock hold(lock_);
    for (;;) {
      const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Stage& stage) {
        return !taken_.contains(stage.place);
      });
      if (found != waiting_.end()) {
        taken_.insert(found->place);
        handed_out_.splice(handed_out_.end(), waiting_, found);
        return &handed_out_.back();
      }
      if (waiting_.empty()) {
        return nullptr;
      }
      changed_.wait(hold);
    }
  }

  void give_back(const Stage& stage) {
    const std::lock_guard hold(lock_);
    taken_.erase(stage.place);
    changed_.notify_all();
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::list<Stage> waiting_;
  std::list<Stage> handed_out_;
  std::set<std::string> taken_;
};

class Stages {
 public:
  explicit Stages(const Course& course)
      : course_(course), grader_(fs::read_symlink("/proc/self/exe")) {}

  std::vector<Stage> all() {
    std::vector<Stage> stages;
    const auto add = [&](const std::string& name, const std::string& place, auto run) {
      stages.push_back({name, place, run});
    };
    // Gradings with gcc use its release, tsan and sim folders.
    const auto place_of = [](const std::string& preset) {
      return preset == "gcc-debug" || preset == "gcc-asan" ? preset
                                                           : preset.substr(0, preset.find('-'));
    };
    add("format", "sources", [this](Log& log) { return format(log); });
    add("shellcheck", "sources", [this](Log& log) { return shellcheck(log); });
    add("pages", "sources", [this](Log& log) { return pages(log); });
    add("labs", "sources", [this](Log& log) { return labs(log); });
    add("docs", "gcc-debug", [this](Log& log) { return docs(log); });
    add("grader", "grader", [this](Log& log) { return grader(log); });
    add("formats", "grader", [this](Log& log) { return formats(log); });
    add("workflows", "grader", [](Log& log) {
      return log.ok({"grader/checks/python", "grader/checks/workflows.py"});
    });
    const auto add_runtime = [&](const std::string& preset) {
      add("runtime-" + preset, place_of(preset),
          [this, preset](Log& log) { return runtime(log, preset); });
    };
    const auto add_solutions = [&](const std::string& preset) {
      add("solutions-" + preset, place_of(preset),
          [this, preset](Log& log) { return solutions(log, preset); });
    };
    const auto add_starters = [&](const std::string& preset) {
      add("starters-" + preset, place_of(preset),
          [this, preset](Log& log) { return starters(log, preset); });
    };
    const auto add_counts = [&](const std::string& preset) {
      add("counts-" + preset, place_of(preset),
          [this, preset](Log& log) { return counts(log, preset); });
    };
    // Those of gcc's folders come first: one after the other, they take half of the whole time.
    for (const char* preset : {"gcc-release", "gcc-tsan", "gcc-sim"}) {
      add_runtime(preset);
    }
    add_solutions("gcc-release");
    add_counts("gcc-release");
    add_starters("gcc-release");
    add("mutants", "gcc", [this](Log& log) { return log.ok({grader_.string(), "mutants"}); });
    add("attacks", "gcc", [this](Log& log) { return attacks(log); });
    add("install", "gcc", [this](Log& log) { return install(log); });
    for (const char* preset : {"gcc-debug", "clang-release", "gcc-asan", "clang-sim", "arm64"}) {
      add_runtime(preset);
    }
    add_solutions("clang-release");
    add_counts("clang-release");
    add("attacks-clang", "clang", [this](Log& log) {
      // What depends on the compiler and the linker.
      return log.ok({grader_.string(), "attacks", "--preset", "clang-release", "--name",
                     "ends-in-a-constructor", "--name", "forges-a-benchmark", "--name",
                     "has-a-main", "--name", "links-the-reference", "--name", "reads-the-nonce",
                     "--name", "replaces-send", "--name", "replaces-the-tests-factory"});
    });
    add_solutions("arm64");
    add_starters("arm64");
    add("tidy", "tidy", [this](Log& log) { return tidy(log); });
    return stages;
  }

 private:
  // The repository's files that match, also those that are not committed yet.
  std::vector<std::string> files(Log& log, const std::vector<std::string>& patterns) const {
    std::vector<std::string> arguments{"git",      "ls-files",           "--cached",
                                       "--others", "--exclude-standard", "--"};
    arguments.insert(arguments.end(), patterns.begin(), patterns.end());
    const Ended ended = run_process({arguments, course_.root(), {}},
                                    {.time = stage_time, .output_bytes = std::size_t{4} << 20});
    if (!ended.ok()) {
      log.say(ended.output);
      throw broken("git does not list the repository's files");
    }
    std::vector<std::string> found;
    for (const std::string& file : split_lines(ended.output)) {
      if (fs::is_regular_file(fs::symlink_status(course_.root() / file))) {
        found.push_back(file);
      }
    }
    return found;
  }

  bool format(Log& log) const {
    std::vector<std::string> arguments{"clang-format", "--dry-run", "-Werror"};
    const std::vector<std::string> sources = files(log, {"*.h", "*.cpp"});
    arguments.insert(arguments.end(), sources.begin(), sources.end());
    return log.ok(arguments);
  }

  bool shellcheck(Log& log) const {
    std::vector<std::string> arguments{"shellcheck"};
    for (const std::string& file : files(log, {})) {
      const std::string content = read_file(course_.root() / file);
      const std::string first = content.substr(0, content.find('\n'));
      if (first.starts_with("#!") && (first.ends_with("bash") || first.ends_with("/sh"))) {
        arguments.push_back(file);
      }
    }
    return log.ok(arguments);
  }

  // Pages quote the tree as it is and link to what exists, and so do lab.json files. Translations
  // say what their sources say, and the tables and pictures of figures what these say.
  bool pages(Log& log) const {
    bool good = true;
    for (const std::string& file : files(log, {"*.md"})) {
      for (const std::string& complaint : check_page(course_.root(), file)) {
        log.say(complaint);
        good = false;
      }
    }
    for (const Lab* lab : course_.select("")) {
      const std::string folder = "labs/" + lab->folder;
      const std::vector<std::string> sections =
          anchors(read_file(course_.root() / folder / "README.md"));
      const auto look = [&](const Exercise& exercise) {
        if (std::find(sections.begin(), sections.end(), exercise.section) == sections.end()) {
          log.say(folder + "/lab.json: " + exercise.name + ": the handout has no section " +
                  exercise.section);
          good = false;
        }
      };
      std::for_each(lab->tests.begin(), lab->tests.end(), look);
      std::for_each(lab->benchmarks.begin(), lab->benchmarks.end(), look);
    }
    return log.ok({"docs/ko/translations.py", "check"}) &&
           log.ok({"runtime/bench/peers.py", "--check"}) &&
           log.ok({"runtime/bench/stacks.py", "--check"}) &&
           log.ok({"docs/plots/chained_stacks.py", "--check"}) &&
           log.ok({"docs/plots/threads_and_goroutines.py", "--check"}) && good;
  }

  // The site as ./course docs makes it, and a browser that looks at it.
  bool docs(Log& log) const {
    std::vector<std::string> arguments{"node", "--test", "--test-concurrency=1"};
    const std::vector<std::string> tests = files(log, {"docs/*.test.mjs"});
    arguments.insert(arguments.end(), tests.begin(), tests.end());
    return log.ok({grader_.string(), "docs", "--preset", "gcc-debug"}) && log.ok(arguments);
  }

  // Nothing stray, nothing missing in any lab.
  bool labs(Log& log) const {
    bool good = true;
    const std::vector<std::string> all = files(log, {"labs", "solutions"});
    for (const Lab& lab : course_.labs()) {
      for (const std::string& complaint : check_lab(course_, lab, all)) {
        log.say(complaint);
        good = false;
      }
    }
    return good;
  }

  // In the front door's build folder, where all but the tests is built already.
  bool build_grader_tests(Log& log) const {
    const std::string folder = (course_.build() / "grader").string();
    return log.ok({"cmake", "-S", (course_.root() / "grader").string(), "-B", folder, "-G", "Ninja",
                   "-DCMAKE_BUILD_TYPE=Release", "-DGORO_GRADER_TESTS=ON"}) &&
           build(log, folder, "grader_tests");
  }

  bool grader(Log& log) const {
    return build_grader_tests(log) &&
           log.ok({(course_.build() / "grader" / "grader_tests").string()});
  }

  // Reports against the schemas of their formats, the samples being the unit tests'; and the
  // autograders of the sites that take them.
  bool formats(Log& log) const {
    const std::string folder = (course_.build() / "grader").string();
    return build_grader_tests(log) &&
           log.ok({folder + "/grader_tests", "--gtest_filter=ReportSamples.*"}) &&
           log.ok({"grader/checks/python", "grader/checks/formats.py"}) &&
           log.ok({"grader/checks/python", "grader/checks/autograders.py"});
  }

  static bool build(Log& log, const std::string& folder, const std::string& target) {
    return log.ok({"cmake", "--build", folder, "--parallel", std::to_string(processors()),
                   "--target", target});
  }

  // Builds targets with the solutions in every slot. The workspace is closed again afterwards, so
  // that a grader that is started as a stage's step can open it.
  bool build_with_solutions(Log& log, const std::string& preset,
                            const std::vector<std::string>& targets) const {
    Workspace place(course_, preset, log.terminal());
    (void)place.stage(Submission(course_.root() / "solutions", course_));
    place.configure();
    const std::map<std::string, BuildFailure> failures = place.build(targets);
    for (const auto& [target, failure] : failures) {
      log.say(target + " does not compile\n" + failure.errors);
    }
    return failures.empty();
  }

  bool runtime(Log& log, const std::string& preset) const {
    std::vector<std::string> targets{"runtime_tests"};
    if (!preset.ends_with("-tsan") && !preset.ends_with("-asan")) {
      targets.emplace_back("docs_stacks");  // no stack moves under a sanitizer
      if (!preset.ends_with("-sim")) {
        targets.insert(targets.end(), {"docs_book", "docs_servers"});
      }
    }
    if (preset == "gcc-release") {
      targets.emplace_back("goro_bars");
      if (host_architecture() == Architecture::x86_64) {
        targets.emplace_back("goro_stacks");
      }
    }
    return build_with_solutions(log, preset, targets) &&
           log.ok({"ctest", "--test-dir", (course_.build() / preset).string(), "--tests-regex",
                   "^(runtime|docs)", "--no-tests=error", "--output-on-failure", "--parallel",
                   std::to_string(processors())}) &&
           (preset != "gcc-release" || bars(log, preset));
  }

  // Every peer's program still does every workload; and what stacks.py measures can be measured.
  bool bars(Log& log, const std::string& preset) const {
    const fs::path programs = course_.build() / preset / "runtime/bench";
    const std::string stacks = (programs / "goro_stacks").string();
    return log.ok({(programs / "goro_bars").string(), "--quick"}) &&
           (host_architecture() != Architecture::x86_64 ||
            (log.ok({stacks, "calls", "1"}) && log.ok({stacks, "recursion", "1"}) &&
             log.ok({stacks, "memory", "chained", "1000"})));
  }

  bool solutions(Log& log, const std::string& preset) const {
    std::vector<std::string> arguments{grader_.string(), "grade",    "--submission",
                                       "solutions",      "--preset", preset};
    if (preset != "gcc-release") {
      arguments.emplace_back("--no-bench");
    } else {
      arguments.insert(arguments.end(),
                       {"--tests", (course_.root() / "docs/examples/private-tests").string()});
    }
    // The other way to compose a runtime: all of it from the submission.
    if (preset == "clang-release") {
      arguments.emplace_back("--own");
    }
    return log.ok(arguments) && (preset != "gcc-release" || chained(log, preset));
  }

  // The labs' tests once more, in the programs that were graded: they hold on chained stacks, too.
  bool chained(Log& log, const std::string& preset) const {
    bool good = true;
    for (const Lab* lab : course_.select("")) {
      if (!lab->tests.empty()) {
        const fs::path program =
            course_.build() / preset / "labs" / ("lab_" + lab->number_text() + "_tests");
        good = log.ok({"env", "GORO_DEBUG=chainedstacks=1", program.string()}) && good;
      }
    }
    return good;
  }

  // What must stay cheap takes as many instructions as it did.
  bool counts(Log& log, const std::string& preset) const {
    return log.ok({"runtime/bench/counts_test.py"}) &&
           build_with_solutions(log, preset, {"goro_counts"}) &&
           log.ok({"runtime/bench/counts.py", "check", preset});
  }

  // A starter earns nothing, and says of every test what is not implemented.
  bool starters(Log& log, const std::string& preset) const {
    const fs::path report = course_.build() / "test-logs" / ("starters-" + preset + ".json");
    const Ended ended =
        log.run({grader_.string(), "grade", "--submission", (course_.root() / "labs").string(),
                 "--preset", preset, "--no-bench", "--report", "json=" + report.string()});
    if (ended.how != Ended::How::exited ||
        ended.status != static_cast<int>(ExitStatus::points_missing)) {
      log.say("a grade of starters must end with status 1");
      return false;
    }
    bool good = true;
    const nlohmann::json json = nlohmann::json::parse(read_file(report));
    for (const nlohmann::json& lab : json.at("labs")) {
      if (!course_.lab(lab.at("lab").get<std::string>()).slot) {
        continue;  // nothing to implement, so its tests pass
      }
      for (const nlohmann::json& test : lab.at("tests")) {
        if (test.at("status") != "failed" || !test.contains("missing_step")) {
          good = false;
          log.say(lab.at("lab").get<std::string>() + ": " + test.at("name").get<std::string>() +
                  " is " + test.at("status").get<std::string>() + ", not \"not implemented\"");
        }
      }
    }
    return good;
  }

  // With namespaces, if this machine allows them, and with limits alone.
  bool attacks(Log& log) const {
    std::string why_not;
    bool good = true;
    if (best_sandbox(why_not) == Sandbox::namespaces) {
      good = log.ok({grader_.string(), "attacks"});
    } else {
      log.say("no attack is tried with namespaces: " + why_not);
    }
    return log.ok({grader_.string(), "attacks", "--no-namespaces"}) && good;
  }

  // Ten files of a target at a time: most of what looking at a file costs is its headers.
  bool tidy(Log& log) const {
    const std::string folder = (course_.build() / "tidy").string();
    const auto literally = [](const std::string& path) {
      std::string pattern;
      for (const char letter : path) {
        if (std::string_view("\\^$.|?*+()[]{}").find(letter) != std::string_view::npos) {
          pattern += '\\';
        }
        pattern += letter;
      }
      return pattern;
    };
    return log.ok({"cmake", "--preset", "clang-release", "-B", folder, "-DCMAKE_UNITY_BUILD=ON",
                   "-DCMAKE_UNITY_BUILD_BATCH_SIZE=10", "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON"}) &&
           log.ok({"run-clang-tidy", "-quiet", "-j", std::to_string(processors()), "-p", folder,
                   "^" + literally(folder) + "/(runtime|grader)/(?!.*gtest).*\\.cxx$",
                   // Files with definitions of their own stand alone.
                   "^" + literally(course_.root().string()) + "/runtime/.*\\.cpp$"});
  }

  // What an outside program meets: only what was installed.
  bool install(Log& log) const {
    const fs::path folder = course_.build() / "install-test";
    fs::remove_all(folder);
    const std::string prefix = (folder / "prefix").string();
    const std::string outside = (folder / "outside").string();
    return build_with_solutions(log, "gcc-release", {"goro"}) &&
           log.ok({"cmake", "--install", (course_.build() / "gcc-release").string(), "--prefix",
                   prefix}) &&
           log.ok({"cmake", "-S", (course_.root() / "runtime/tests/outside").string(), "-B",
                   outside, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++",
                   "-DCMAKE_PREFIX_PATH=" + prefix}) &&
           log.ok({"cmake", "--build", outside}) && log.ok({outside + "/outside"});
  }

  const Course& course_;
  fs::path grader_;
};

// What proves the labs, and leaves out what proves the runtime and the grader: for whoever changes
// a lab, or adds one.
constexpr std::array<std::string_view, 8> stages_of_labs{
    "format",  "pages",   "labs",         "solutions-gcc-release", "starters-gcc-release",
    "mutants", "attacks", "attacks-clang"};

std::vector<Stage> chosen(const std::vector<Stage>& all, const SelfTestOptions& options) {
  std::vector<Stage> stages;
  const std::vector<std::string>& only = options.only;
  if (options.course) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(stages), [](const Stage& stage) {
      return std::find(stages_of_labs.begin(), stages_of_labs.end(), stage.name) !=
             stages_of_labs.end();
    });
    return stages;
  }
  for (const std::string& name : only) {
    // "runtime" means every stage runtime-…
    const auto meant = [&](const Stage& stage) {
      return stage.name == name || stage.name.starts_with(name + "-");
    };
    if (std::none_of(all.begin(), all.end(), meant)) {
      throw wrong_use("there is no stage \"" + name + "\"; ./course test --list lists them");
    }
  }
  std::copy_if(all.begin(), all.end(), std::back_inserter(stages), [&](const Stage& stage) {
    return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& name) {
             return stage.name == name || stage.name.starts_with(name + "-");
           });
  });
  return stages;
}

// Runs it and says how it went.
bool run_stage(const Course& course, const Stage& stage, const fs::path& logs, Terminal& terminal) {
  terminal.phase(stage.name);
  const auto started = std::chrono::steady_clock::now();
  const fs::path file = logs / (stage.name + ".log");
  bool good = false;
  std::string trouble;
  try {
    Log log(course, file);
    try {
      good = stage.run(log);
    } catch (const std::exception& error) {
      log.say(error.what());
    }
  } catch (const std::exception& error) {
    trouble = error.what();
  }
  std::string name = stage.name;
  name.resize(std::max<std::size_t>(name.size(), 26), ' ');
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  std::string said = (good ? terminal.style().good("ok    ") : terminal.style().bad("FAILED")) +
                     "  " + name + " " + duration(seconds);
  if (!trouble.empty()) {
    said += "\n    " + trouble;
  } else if (!good) {
    said += "\n" + indent(printable(head_and_tail(read_file(file), 0, 40)), "    ") +
            "    the whole log: " + shown_path(file, fs::current_path());
  }
  terminal.print(said);
  return good;
}

}  // namespace

ExitStatus self_test(const Course& course, const SelfTestOptions& options, Terminal& terminal) {
  require_course(course, "test");
  Stages list(course);  // the stages refer to it
  const std::vector<Stage> stages = chosen(list.all(), options);
  if (options.list) {
    for (const Stage& stage : stages) {
      terminal.print(stage.name);
    }
    return ExitStatus::all_points;
  }
  const fs::path logs = course.build() / "test-logs";
  fs::create_directories(logs);
  std::atomic<std::size_t> passed = 0;
  Schedule schedule(stages);
  const auto work = [&] {
    while (const Stage* stage = schedule.take()) {
      passed += run_stage(course, *stage, logs, terminal) ? 1 : 0;
      schedule.give_back(*stage);
    }
  };
  std::future<void> other = std::async(std::launch::async, work);
  work();
  other.get();
  terminal.print("\n" + std::to_string(passed) + " passed, " +
                 std::to_string(stages.size() - passed) + " failed");
  return passed == stages.size() ? ExitStatus::all_points : ExitStatus::points_missing;
}

}  // namespace goro::grader
