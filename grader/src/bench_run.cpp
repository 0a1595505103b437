#include "bench_run.h"

#include "channel.h"
#include "process.h"
#include "test_run.h"
#include "text.h"

namespace goro::grader {

namespace {

// Lab 00 measures a thousand threads.
constexpr unsigned most_processes = 1100;

struct OneRun {
  double measured = 0;  // nanoseconds, or the benchmark's counter
  Status status = Status::passed;
  std::string problem;
};

OneRun run_once(const Workspace& workspace, const fs::path& program, const Benchmark& benchmark) {
  std::optional<Confinement> confinement = workspace.confinement(program);
  if (confinement) {
    confinement->processes = most_processes;
  }
  const RunFolder folder(workspace.sandbox(), workspace.scratch(),
                         confinement ? confinement->user : std::nullopt);
  Command command{{program.string(), "--benchmark_filter=" + exact_filter(benchmark.name),
                   "--benchmark_min_time=0.05"},
                  folder.path(),
                  test_environment(folder.path())};
  const std::chrono::seconds limit = time_limit(benchmark, BuildKind::release, workspace);
  const std::string nonce = make_nonce();
  const Ended ended = run_process(command, limits_of(workspace, limit),
                                  {.greeting = nonce + "\n", .confinement = confinement});
  const Verdict verdict = judge(ended, {}, static_cast<int>(limit.count()));
  if (ended.how != Ended::How::exited) {
    return {0, verdict.status, verdict.message};
  }
  if (ended.status == not_implemented_status) {
    const std::vector<std::string> lines = split_lines(printable(ended.output));
    for (const std::string& line : lines) {
      if (line.find("not implemented") != std::string::npos) {
        return {0, Status::failed, line};
      }
    }
    return {0, Status::failed, "not implemented"};
  }
  if (ended.status != 0) {
    return {0, Status::failed, verdict.message};
  }
  OneRun run;
  const std::string text = read_channel(ended.channel, nonce, benchmark.name).measured.value_or("");
  run.measured = benchmark.counter.empty()
                     ? time_from_report(text, benchmark.name, run.problem)
                     : counter_from_report(text, benchmark.name, benchmark.counter, run.problem);
  run.status = run.problem.empty() ? Status::passed : Status::failed;
  return run;
}

std::string range_text(const RatioEstimate& estimate, const std::string& counter) {
  const std::string ratio = ratio_text(estimate.ratio);
  const std::string range = " (" + ratio_text(estimate.low) + " to " + ratio_text(estimate.high) +
                            " in " + count(estimate.rounds, "round") + ")";
  if (!counter.empty()) {
    return "Its " + counter + " is " + number(estimate.student_ns) + ", the reference's " +
           number(estimate.reference_ns) + ": " + ratio + " times as much" + range;
  }
  return "It takes " + nanoseconds(estimate.student_ns) + ", the reference " +
         nanoseconds(estimate.reference_ns) + ": " + ratio + " times as long" + range;
}

}  // namespace

BenchResult run_benchmark(const Workspace& workspace, const fs::path& student,
                          const fs::path& reference, const Benchmark& benchmark,
                          const std::function<void(const RatioEstimate&)>& on_round) {
  const auto started = std::chrono::steady_clock::now();
  BenchResult result;
  std::vector<BenchSample> samples;
  const auto finish = [&] {
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return result;
  };
  while (samples.size() < most_rounds) {
    const OneRun mine = run_once(workspace, student, benchmark);
    if (!mine.problem.empty()) {
      result.status = mine.status;
      result.message = mine.problem;
      return finish();
    }
    const OneRun theirs = run_once(workspace, reference, benchmark);
    if (!theirs.problem.empty()) {
      result.status = Status::inconclusive;
      result.message = "The reference could not be measured: " + theirs.problem;
      return finish();
    }
    samples.push_back({mine.measured, theirs.measured});
    result.estimate = estimate(samples);
    if (on_round) {
      on_round(result.estimate);
    }
    result.status = decide(result.estimate, benchmark.max_ratio);
    if (result.status != Status::inconclusive) {
      break;
    }
  }
  result.message = range_text(result.estimate, benchmark.counter);
  switch (result.status) {
    case Status::passed:
      result.message += "; the bound is " + ratio_text(benchmark.max_ratio) + ".";
      break;
    case Status::failed:
      result.message += ".\nExpected at most " + ratio_text(benchmark.max_ratio) +
                        " times the reference's " +
                        (benchmark.counter.empty() ? "time" : benchmark.counter) + ".";
      break;
    default:
      result.message += ".\nThe machine is too noisy to say on which side of the bound, " +
                        ratio_text(benchmark.max_ratio) + ", that is; it is left out of the score.";
  }
  return finish();
}

}  // namespace goro::grader
