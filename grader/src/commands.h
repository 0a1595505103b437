#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "course.h"
#include "problem.h"
#include "sandbox.h"
#include "terminal.h"
#include "test_run.h"

// What each subcommand does, once the command line is understood. One source file each.
namespace goro::grader {

// Where programs are built: the ordinary preset, or what --arch and --preset ask for.
struct Target {
  std::string architecture;  // "arm64" or empty
  std::string preset;        // overrides; for the course's own tests

  [[nodiscard]] std::string base_preset() const;
};

struct CheckOptions {
  std::string lab;
  std::string test;
  bool own = false;
  bool benchmarks = false;
  bool verbose = false;
  Seeds seeds = {};
  Target target;
};
ExitStatus check(const Course& course, const CheckOptions& options, Terminal& terminal);

struct PeersOptions {
  bool wanted = false;
  std::string json;  // where the figures go; empty: build/results/peers.json
  std::string svg;   // and a picture of them; empty: nowhere
  std::string rows;  // "yield,spawn"; empty: all
  unsigned rounds = 0;
  bool quick = false;
};
// The finished runtime beside Go, Boost.Fiber, threads and the bare limit.
ExitStatus peers(const Course& course, const PeersOptions& options, Terminal& terminal);

struct BenchOptions {
  std::string lab;
  bool board = false;
  std::string labs;   // of the board
  bool show = false;  // the board as it is, without measuring
  bool peers = true;  // the finished runtime against Go, too, if there is a go
  PeersOptions with_peers;
};
ExitStatus bench(const Course& course, const BenchOptions& options, Terminal& terminal);
// Every lab's benchmarks, kept and told as a table.
ExitStatus board(const Course& course, const BenchOptions& options, Terminal& terminal);

struct GradeOptions {
  std::string submission = "labs";  // as Submission::open takes it
  std::string labs;
  bool benchmarks = true;
  bool own = false;
  SandboxOptions sandbox;
  Target target;
  std::vector<std::string> reports;  // FORMAT=FILE
  std::string tests;                 // a folder of private tests; empty: none
  // Where these are named and explained: nowhere, in the terminal only, or everywhere.
  std::string private_details = "terminal";
};
ExitStatus grade_all(const Course& course, const GradeOptions& options, Terminal& terminal);

struct BatchOptions {
  std::string place;  // a folder of submissions, or a list of them
  std::string out;    // empty: below build/grades
  unsigned jobs = 0;  // 0: as many as fit
  std::string labs;
  bool benchmarks = true;
  bool own = false;
  std::string engine = "local";  // or "slurm"
  SandboxOptions sandbox;
  Target target;
  std::string tests;  // a folder of private tests; empty: none
};
ExitStatus batch(const Course& course, const BatchOptions& options, Terminal& terminal);
// What to say to whoever interrupts a batch; empty: there is none.
std::string batch_farewell();

// A part of a batch, as an engine starts it: every entry whose place in the plan, modulo `shares`,
// is `share`.
struct BatchTaskOptions {
  std::string plan;
  std::size_t share = 0;
  std::size_t shares = 1;
};
ExitStatus batch_task(const Course& course, const BatchTaskOptions& options, Terminal& terminal);

ExitStatus status(const Course& course, Terminal& terminal);

struct HintOptions {
  std::string lab;
  std::string what;  // a step's number or a test's name; empty: the first test that failed
};
ExitStatus hint(const Course& course, const HintOptions& options, Terminal& terminal);

struct DebugOptions {
  std::string lab;
  std::string test;
  bool own = false;
  std::vector<std::string> commands;  // for gdb, after it has started
  std::string preset = Target{}.base_preset();
};
ExitStatus debug(const Course& course, const DebugOptions& options, Terminal& terminal);

struct TraceOptions {
  std::string what;  // a lab's number, or a program
  bool own = false;
  std::string output;                  // the JSON or the page; empty: in build/traces
  bool view = false;                   // a page that shows it step by step, instead of the JSON
  bool open = false;                   // in a browser
  std::string title;                   // of the page
  std::string sources_at;              // where its links to functions lead; empty: to the files
  std::vector<std::string> arguments;  // a test of the lab, or the program's
  std::string preset = Target{}.base_preset();
};
ExitStatus trace(const Course& course, const TraceOptions& options, Terminal& terminal);

ExitStatus watch(const Course& course, const CheckOptions& options, Terminal& terminal);

struct ResetOptions {
  std::string lab;
  std::string file;  // empty: all of the lab's slot files
  bool yes = false;
};
ExitStatus reset(const Course& course, const ResetOptions& options, Terminal& terminal);

struct DocsOptions {
  bool serve = false;  // afterwards, until it is interrupted
  std::string preset = Target{}.base_preset();
};
ExitStatus docs(const Course& course, const DocsOptions& options, Terminal& terminal);

struct HandoutOptions {
  std::string folder;
  bool sealed = false;
};
// Writes the students' edition.
ExitStatus handout(const Course& course, const HandoutOptions& options, Terminal& terminal);

struct SyncOptions {
  std::string source;    // a folder, a git remote or its URL, a revision
  std::string revision;  // of the remote; empty: its HEAD
};
// Brings a clone of a students' edition up to a newer one.
ExitStatus sync(const Course& course, const SyncOptions& options, Terminal& terminal);

struct SimilarOptions {
  std::string place;  // a folder of submissions, or a list of them
  std::string labs;
  int at_least = 70;  // percent
};
// Lists submissions of a class that are alike.
ExitStatus similar(const Course& course, const SimilarOptions& options, Terminal& terminal);

ExitStatus doctor(const Course& course, Terminal& terminal);

struct MutantsOptions {
  std::string labs;
  std::string name;
  Target target;
};
ExitStatus mutants(const Course& course, const MutantsOptions& options, Terminal& terminal);

struct AttacksOptions {
  std::vector<std::string> names;  // empty: all
  SandboxOptions sandbox;
  Target target;
};
ExitStatus attacks(const Course& course, const AttacksOptions& options, Terminal& terminal);

struct SelfTestOptions {
  std::vector<std::string> only;
  bool course = false;  // only what proves the labs
  bool list = false;
};
ExitStatus self_test(const Course& course, const SelfTestOptions& options, Terminal& terminal);

}  // namespace goro::grader
