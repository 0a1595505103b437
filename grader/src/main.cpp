#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>

#include "build_step.h"
#include "commands.h"
#include "grading.h"
#include "process.h"
#include "reports.h"
#include "temporary_folder.h"
#include "text.h"

// The command line, and nothing else: what it asks for is in commands.h.

namespace {

using goro::grader::Course;
using goro::grader::ExitStatus;
using goro::grader::Terminal;

constexpr const char* overview =
    "Exit status: 0 all points, 1 something is missing, 2 wrong use, 3 a tool is missing or the\n"
    "course itself is broken. Everything is written below build/.\n\n"
    "Example:  ./course check 1";

using Action = std::function<ExitStatus(const Course&, Terminal&)>;

struct CommandLine {
  CLI::App app{"Builds, checks and grades the labs of goro, a course on Go's scheduler in C++20.",
               "./course"};
  std::string root;
  Action action;
  bool text_to_stderr = false;  // stdout is a report's

  goro::grader::CheckOptions check;
  goro::grader::CheckOptions watch;
  goro::grader::GradeOptions grade;
  goro::grader::BatchOptions batch;
  goro::grader::BatchTaskOptions batch_task;
  goro::grader::BenchOptions bench;
  goro::grader::HintOptions hint;
  goro::grader::DebugOptions debug;
  goro::grader::TraceOptions trace;
  bool more_hints = false;  // accepted; every question says more than the one before
  goro::grader::ResetOptions reset;
  goro::grader::DocsOptions docs;
  goro::grader::HandoutOptions handout;
  goro::grader::SyncOptions sync;
  goro::grader::SimilarOptions similar;
  goro::grader::MutantsOptions mutants;
  goro::grader::AttacksOptions attacks;
  goro::grader::SelfTestOptions self_test;

  CommandLine() {
    app.footer(overview);
    app.require_subcommand(0, 1);
    app.failure_message([](const CLI::App*, const CLI::Error& error) {
      return std::string("course: ") + error.what() + "; ./course --help lists what there is\n";
    });
    app.add_option("--course-root", root)->envname("GORO_COURSE_ROOT")->group("");
    action = [](const Course& course, Terminal& terminal) {
      return goro::grader::status(course, terminal);
    };
    add_status();
    add_check();
    add_watch();
    add_hint();
    add_debug();
    add_trace();
    add_bench();
    add_grade();
    add_batch();
    add_reset();
    add_docs();
    add_handout();
    add_sync();
    add_similar();
    add_doctor();
    add_mutants();
    add_attacks();
    add_test();
  }

  CLI::App* add(const char* name, const char* description, const char* example, Action what) {
    CLI::App* sub = app.add_subcommand(name, description);
    sub->footer(std::string("Example:  ") + example);
    sub->callback([this, what = std::move(what)] { action = what; });
    return sub;
  }

  // Before CLI11 says it in its own words: it takes the name for an argument too many.
  void refuse_unknown_command(int argc, char** argv) const {
    const std::string given = argc > 1 ? argv[1] : "";
    if (given.empty() || given.front() == '-') {
      return;
    }
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
      if (sub->get_name() == given) {
        return;
      }
      names.push_back(sub->get_name());
    }
    const std::string meant = goro::grader::nearest(given, names);
    throw goro::grader::wrong_use(
        "there is no command \"" + given + "\"; " +
        (meant.empty() ? "./course --help lists them" : "did you mean " + meant + "?"));
  }

  static void add_target(CLI::App* sub, goro::grader::Target& target) {
    sub->add_option("--arch", target.architecture,
                    "arm64: build for ARM64 and run under qemu-aarch64")
        ->check(CLI::IsMember({"arm64"}));
    sub->add_option("--preset", target.preset)->group("");
  }

  static CLI::Option* add_private_tests(CLI::App* sub, std::string& folder) {
    return sub->add_option("--tests", folder,
                           "A folder of your own tests, which students do not see: "
                           "NN-name/private.json and sources");
  }

  static void add_require_sandbox(CLI::App* sub, goro::grader::SandboxOptions& options) {
    sub->add_flag("--require-sandbox", options.required,
                  "Grade nothing where no sandbox can be made");
  }

  static void add_sandbox(CLI::App* sub, goro::grader::SandboxOptions& options) {
    add_require_sandbox(sub, options);
    sub->add_option("--sandbox", options.given)
        ->check(CLI::IsMember({"none", "limits", "namespaces"}))
        ->group("");
  }

  void add_status() {
    add("status", "Show the progress board (also what ./course alone does)", "./course status",
        [](const Course& course, Terminal& terminal) {
          return goro::grader::status(course, terminal);
        });
  }

  void add_check() {
    CLI::App* sub = add("check", "Check one lab of labs/ and explain what fails",
                        "./course check 4 --test Overflow.AFullRing",
                        [this](const Course& course, Terminal& terminal) {
                          return goro::grader::check(course, check, terminal);
                        });
    sub->add_option("lab", check.lab, "The lab's number")->required();
    sub->add_option(
        "--test", check.test,
        "Only this test or benchmark, of which a part of the name will do, or this suite");
    sub->add_flag("--own", check.own, "Use your own labs 1 to N, not only lab N");
    sub->add_flag("--bench", check.benchmarks, "Run the lab's benchmarks too");
    sub->add_option("--seed", check.seeds.seed,
                    "Replay the schedule or the random values of this seed only, as a report of a "
                    "failure names it")
        ->envname("GORO_SEED");
    sub->add_option("--seeds", check.seeds.count, "Explore so many random schedules in each test");
    sub->add_flag("-v,--verbose", check.verbose,
                  "Explain every failure in full, not only the first three");
    add_target(sub, check.target);
  }

  void add_watch() {
    CLI::App* sub = add("watch", "Check a lab again whenever one of its files is saved",
                        "./course watch 4", [this](const Course& course, Terminal& terminal) {
                          return goro::grader::watch(course, watch, terminal);
                        });
    sub->add_option("lab", watch.lab, "The lab's number")->required();
    sub->add_option("--test", watch.test, "Only this test, or this suite");
    sub->add_flag("--own", watch.own, "Use your own labs 1 to N, not only lab N");
  }

  void add_hint() {
    CLI::App* sub =
        add("hint", "Give a hint for the first test that failed; asking again gives the next",
            "./course hint 4", [this](const Course& course, Terminal& terminal) {
              return goro::grader::hint(course, hint, terminal);
            });
    sub->add_option("lab", hint.lab, "The lab's number")->required();
    sub->add_option("what", hint.what, "A step's number or a test's name");
    sub->add_flag("--more", more_hints, "The next hint, as asking again gives too");
  }

  void add_bench() {
    CLI::App* sub = add("bench", "Measure a lab against the reference", "./course bench 4",
                        [this](const Course& course, Terminal& terminal) {
                          return goro::grader::bench(course, bench, terminal);
                        });
    sub->add_option("lab", bench.lab, "The lab's number");
    CLI::Option* board =
        sub->add_flag("--board", bench.board,
                      "Measure all labs, keep the results, and show the latest and the best");
    sub->add_option("--labs", bench.labs, "With --board, which labs: 3, 1-5 or 1,3 (default: all)")
        ->needs(board);
    sub->add_flag("--show", bench.show, "With --board, show what was kept and measure nothing")
        ->needs(board);
    sub->add_flag("!--no-peers", bench.peers, "With --board, leave the comparison with Go out")
        ->needs(board);
    goro::grader::PeersOptions& with = bench.with_peers;
    CLI::Option* peers =
        sub->add_flag("--peers", with.wanted,
                      "The finished runtime beside Go, Boost.Fiber, threads and the bare limit")
            ->excludes(board);
    sub->add_option("--json", with.json, "With --peers, where the figures go")->needs(peers);
    sub->add_option("--svg", with.svg, "With --peers, draw them there")->needs(peers);
    sub->add_option("--rows", with.rows,
                    "With --peers, which: yield,spawn-one; ./runtime/bench/README.md has them")
        ->needs(peers);
    sub->add_option("--rounds", with.rounds, "With --peers, how many (default: 7)")
        ->needs(peers)
        ->check(CLI::Range(1U, 1000U));
    sub->add_flag("--quick", with.quick,
                  "With --peers, a hundredth of the work, once: does everybody's program run?")
        ->needs(peers);
  }

  void add_grade() {
    CLI::App* sub = add("grade", "Grade a submission, all labs or some, and write reports",
                        "./course grade --submission ../alice --labs 1-5 --report json=alice.json",
                        [this](const Course& course, Terminal& terminal) {
                          return goro::grader::grade_all(course, grade, terminal);
                        });
    sub->add_option("--submission", grade.submission,
                    "labs, solutions, a folder that holds NN-name/ folders or a clone of the "
                    "course, an archive of "
                    "one (.zip, .tar, .tar.gz, .tar.xz, .tar.zst), or a git revision: git:REV of "
                    "the course's "
                    "repository, PATH@REV of another")
        ->capture_default_str();
    sub->add_option("--labs", grade.labs, "Which labs: 3, 1-5 or 1,3 (default: all)");
    sub->add_flag("!--no-bench", grade.benchmarks, "Leave the benchmarks out");
    sub->add_flag("--own", grade.own, "Use the submission's labs 1 to N for lab N");
    CLI::Option* tests = add_private_tests(sub, grade.tests);
    sub->add_option("--private-details", grade.private_details,
                    "Where private tests are named and explained; elsewhere they are numbers with "
                    "points")
        ->check(CLI::IsMember({"terminal", "everywhere", "nowhere"}))
        ->needs(tests)
        ->capture_default_str();
    add_sandbox(sub, grade.sandbox);
    sub->add_option(
           "--report", grade.reports,
           "FORMAT=FILE, FILE - for stdout, FORMAT one of " + goro::grader::Reports::formats())
        ->take_all();
    add_target(sub, grade.target);
    sub->parse_complete_callback(
        [this] { text_to_stderr = goro::grader::Reports::to_stdout(grade.reports); });
  }

  void add_batch() {
    CLI::App* sub = add("batch", "Grade a class: a table and a report for each submission",
                        "./course batch ../class --labs 1-5 --no-bench --jobs 4",
                        [this](const Course& course, Terminal& terminal) {
                          return goro::grader::batch(course, batch, terminal);
                        });
    sub->add_option("submissions", batch.place,
                    "A folder of folders and archives, or a file with one submission a line")
        ->required();
    sub->add_option("--out", batch.out, "Where the results go (default: build/grades/…)");
    sub->add_option("--jobs", batch.jobs,
                    "How many are graded at a time (default: half as many as processors)")
        ->check(CLI::Range(1U, 1000U));
    sub->add_option("--labs", batch.labs, "Which labs: 3, 1-5 or 1,3 (default: all)");
    sub->add_flag("!--no-bench", batch.benchmarks, "Leave the benchmarks out");
    sub->add_flag("--own", batch.own, "Use each submission's labs 1 to N for lab N");
    sub->add_option("--engine", batch.engine,
                    "local: on this machine; slurm: an array of jobs on a cluster")
        ->check(CLI::IsMember({"local", "slurm"}))
        ->capture_default_str();
    add_private_tests(sub, batch.tests);
    add_require_sandbox(sub, batch.sandbox);
    add_target(sub, batch.target);
    sub->footer(
        "Exit status: 0 everybody is graded, whatever the points, 2 wrong use, 3 somebody could\n"
        "not be graded; the same command again goes on from there.\n\n"
        "Example:  ./course batch ../class --labs 1-5 --no-bench --jobs 4");

    CLI::App* task = app.add_subcommand("batch-task")->group("");
    task->add_option("plan", batch_task.plan)->required();
    task->add_option("share", batch_task.share)->required();
    task->add_option("shares", batch_task.shares)->required()->check(CLI::PositiveNumber);
    task->callback([this] {
      action = [this](const Course& course, Terminal& terminal) {
        return goro::grader::batch_task(course, batch_task, terminal);
      };
    });
  }

  void add_reset() {
    CLI::App* sub =
        add("reset", "Put a lab's files back to the starter; your version is kept in build/backups",
            "./course reset 4 run_queue.cpp", [this](const Course& course, Terminal& terminal) {
              return goro::grader::reset(course, reset, terminal);
            });
    sub->add_option("lab", reset.lab, "The lab's number")->required();
    sub->add_option("file", reset.file, "Only this file");
    sub->add_flag("-y,--yes", reset.yes, "Do not ask");
  }

  void add_handout() {
    CLI::App* sub = add(
        "handout", "Write the students' edition: no solutions, nothing that is instructors-only",
        "./course handout ../goro-2027 --sealed", [this](const Course& course, Terminal& terminal) {
          return goro::grader::handout(course, handout, terminal);
        });
    sub->add_option("folder", handout.folder, "The folder to make")->required();
    sub->add_flag("--sealed", handout.sealed,
                  "With the solutions as object files, so that each lab can be checked alone");
  }

  void add_sync() {
    CLI::App* sub =
        add("sync", "Bring a students' edition up to a newer one; your slot files stay yours",
            "./course sync origin", [this](const Course& course, Terminal& terminal) {
              return goro::grader::sync(course, sync, terminal);
            });
    sub->add_option("source", sync.source,
                    "The newer edition: a folder, a git remote or its URL, or a revision here")
        ->required();
    sub->add_option("revision", sync.revision, "Of a remote, which branch or tag");
  }

  void add_similar() {
    CLI::App* sub = add("similar", "List submissions of a class that are alike, starters left out",
                        "./course similar handed-in --labs 4-9",
                        [this](const Course& course, Terminal& terminal) {
                          return goro::grader::similar(course, similar, terminal);
                        });
    sub->add_option("submissions", similar.place, "A folder or a list, as batch takes it")
        ->required();
    sub->add_option("--labs", similar.labs, "Which labs: 3, 1-5 or 1,3 (default: all)");
    sub->add_option("--at-least", similar.at_least, "From how much in common on, in percent")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
  }

  void add_debug() {
    CLI::App* sub = add("debug", "Look into a test with gdb, goroutines included",
                        "./course debug 4 Overflow.AFullRing",
                        [this](const Course& course, Terminal& terminal) {
                          return goro::grader::debug(course, debug, terminal);
                        });
    sub->add_option("lab", debug.lab, "The lab's number")->required();
    sub->add_option("test", debug.test, "The test; a part of its name will do")->required();
    sub->add_flag("--own", debug.own, "Use your own labs 1 to N, not only lab N");
    sub->add_option("-x,--execute", debug.commands, "A gdb command to begin with")
        ->allow_extra_args(false)
        ->take_all();
    sub->add_option("--preset", debug.preset)->group("");
  }

  void add_trace() {
    CLI::App* sub = add("trace", "Record what every goroutine, thread and P does, for a timeline",
                        "./course trace 9 Close, ./course trace ./my-program its arguments",
                        [this](const Course& course, Terminal& terminal) {
                          return goro::grader::trace(course, trace, terminal);
                        });
    sub->add_option("what", trace.what, "A lab's number, or a program that is linked with goro")
        ->required();
    sub->add_option("-o,--output", trace.output, "Where the JSON goes (default: build/traces/…)");
    sub->add_flag("--own", trace.own, "Use your own labs 1 to N, not only lab N");
    sub->add_flag("--open", trace.open,
                  "Make a page that shows it step by step, and open it in a browser");
    sub->add_flag("--view", trace.view, "Make that page, and do not open it");
    sub->add_option("--title", trace.title)->group("");
    sub->add_option("--sources-at", trace.sources_at)->group("");
    sub->add_option("--preset", trace.preset)->group("");
    // From the first word that is none of these, all is the program's, or the lab's test.
    sub->prefix_command();
    sub->parse_complete_callback([this, sub] { trace.arguments = sub->remaining(); });
  }

  void add_docs() {
    CLI::App* sub = add("docs", "Build the book as a site, in build/docs", "./course docs --serve",
                        [this](const Course& course, Terminal& terminal) {
                          return goro::grader::docs(course, docs, terminal);
                        });
    sub->add_flag("--serve", docs.serve, "Then serve it on this machine, until Ctrl-C");
    sub->add_option("--preset", docs.preset)->group("");
  }

  void add_doctor() {
    add("doctor", "Look for what is missing on this machine", "./course doctor",
        [](const Course& course, Terminal& terminal) {
          return goro::grader::doctor(course, terminal);
        });
  }

  void add_mutants() {
    CLI::App* sub =
        add("mutants", "Plant known bugs in the solutions; each must be caught by its lab",
            "./course mutants --labs 4 --name drops-the-257th",
            [this](const Course& course, Terminal& terminal) {
              return goro::grader::mutants(course, mutants, terminal);
            });
    sub->add_option("--labs", mutants.labs, "Which labs: 3, 1-5 or 1,3 (default: all)");
    sub->add_option("--name", mutants.name, "Only this mutant");
    add_target(sub, mutants.target);
  }

  void add_attacks() {
    CLI::App* sub = add("attacks", "Grade submissions that cheat or do harm; none may get anywhere",
                        "./course attacks --name kills-its-parents",
                        [this](const Course& course, Terminal& terminal) {
                          return goro::grader::attacks(course, attacks, terminal);
                        });
    sub->add_option("--name", attacks.names, "Only this attack; may be given several times")
        ->take_all();
    sub->add_flag_callback(
        "--no-namespaces", [this] { attacks.sandbox.given = "limits"; },
        "With limits only, as where namespaces are forbidden");
    add_target(sub, attacks.target);
  }

  void add_test() {
    CLI::App* sub = add("test", "Run the project's own tests", "./course test --only shellcheck",
                        [this](const Course& course, Terminal& terminal) {
                          return goro::grader::self_test(course, self_test, terminal);
                        });
    sub->add_option("--only", self_test.only, "Only this stage; may be given several times")
        ->take_all();
    sub->add_flag("--course", self_test.course,
                  "Only what proves the labs: for who changes one, or adds one")
        ->excludes(sub->get_option("--only"));
    sub->add_flag("--list", self_test.list, "List the stages");
  }
};

ExitStatus run(int argc, char** argv) {
  CommandLine line;
  line.refuse_unknown_command(argc, argv);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return line.app.exit(error, std::cout, std::cerr) == 0 ? ExitStatus::all_points
                                                           : ExitStatus::wrong_use;
  }
  Terminal terminal(line.text_to_stderr ? stderr : stdout);
  goro::grader::kill_children_when_interrupted([&terminal] {
    terminal.clear_progress();
    goro::grader::TemporaryFolder::remove_all();
    if (const std::string batch = goro::grader::batch_farewell(); !batch.empty()) {
      terminal.print(batch);
    } else if (goro::grader::grading_under_way()) {
      terminal.print("interrupted; nothing was recorded");
    }
  });
  const Course course = Course::find(
      line.root.empty() ? std::nullopt : std::optional<std::filesystem::path>(line.root),
      std::filesystem::current_path());
  return line.action(course, terminal);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string_view(argv[1]) == "build-step") {
      return goro::grader::build_step({argv + 2, argv + argc});
    }
    return static_cast<int>(run(argc, argv));
  } catch (const goro::grader::Problem& problem) {
    std::cerr << "course: " << problem.what() << '\n';
    return static_cast<int>(problem.status());
  } catch (const std::exception& error) {
    std::cerr << "course: " << error.what() << '\n';
    return static_cast<int>(ExitStatus::broken);
  }
}
