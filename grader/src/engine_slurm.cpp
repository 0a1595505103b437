#include <algorithm>
#include <cctype>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "batch_engine.h"
#include "problem.h"
#include "process.h"
#include "text.h"

namespace goro::grader {

namespace {

// Clusters limit the places of an array, usually to a thousand; what is more shares them.
constexpr std::size_t most_tasks = 1000;
constexpr std::chrono::seconds answer_time{60};
constexpr std::chrono::milliseconds between_questions{1000};
// A controller that is being restarted says nothing for a while.
constexpr int most_questions_unanswered = 120;

class SlurmEngine {
 public:
  SlurmEngine(const BatchWork& work, const std::function<void(const std::string&)>& say)
      : work_(work),
        say_(say),
        folder_(work.plan.out),
        plan_file_(folder_.slurm() / "plan.json"),
        job_file_(folder_.slurm() / "job") {}

  void run() {
    if (const std::optional<std::string> before = read_file_if_present(job_file_)) {
      const std::string job = trim_right(*before);
      if (under_way(job)) {
        say_("Job " + job + " of an earlier batch is not over; waiting for it");
        wait(job);
        return;
      }
    }
    const std::string job = submit();
    say_("Job " + job + " is with Slurm; it goes on if this ends (scancel " + job +
         " ends it), and the same command collects what it did");
    wait(job);
  }

 private:
  std::string submit() {
    const std::size_t tasks = std::min(work_.plan.entries.size(), most_tasks);
    write_file_atomically(plan_file_, plan_to_json(work_.plan));
    std::vector<std::string> words;
    for (const std::string& word : task_command(work_.course, plan_file_, "", tasks)) {
      words.push_back(word.empty() ? "\"$SLURM_ARRAY_TASK_ID\"" : shell_quoted(word));
    }
    const fs::path script = folder_.slurm() / "task.sh";
    write_file_atomically(script, "#!/bin/sh\nexec " + join(words, " ") + "\n");
    const Ended ended =
        run_process({{"sbatch", "--parsable", "--job-name=course-batch",
                      "--array=0-" + std::to_string(tasks - 1) + "%" + std::to_string(work_.jobs),
                      "--chdir=" + work_.course.root().string(),
                      "--output=" + (folder_.slurm() / "task-%A_%a.log").string(), script.string()},
                     {},
                     {}},
                    {.time = answer_time});
    // "17" or "17;cluster", perhaps after a word of warning.
    const std::vector<std::string> lines = split_lines(trim_right(ended.output));
    const std::string job = lines.empty() ? "" : split(lines.back(), ';').front();
    if (!ended.ok() || job.empty() || !std::all_of(job.begin(), job.end(), ::isdigit)) {
      throw broken("sbatch does not take the batch: " +
                   (ended.how == Ended::How::not_started
                        ? ended.why_not_started
                        : replace_all(trim_right(printable(ended.output)), "\n", " ")));
    }
    write_file_atomically(job_file_, job + "\n", Durable::yes);
    return job;
  }

  // Whether a task of the job waits or runs. Finished jobs are forgotten after a while, and then
  // Slurm calls their number invalid.
  bool under_way(const std::string& job) {
    const Ended ended = run_process(
        {{"squeue", "--noheader", "--jobs=" + job, "--format=%T"}, {}, {}}, {.time = answer_time});
    if (ended.how == Ended::How::not_started) {
      throw broken(ended.why_not_started);
    }
    if (ended.ok() || ended.output.find("Invalid job id") != std::string::npos) {
      unanswered_ = 0;
      return ended.ok() && !trim_right(ended.output).empty();
    }
    if (++unanswered_ > most_questions_unanswered) {
      throw broken(
          "squeue does not answer: " + replace_all(trim_right(printable(ended.output)), "\n", " ") +
          "; job " + job + " may go on, and the same command collects what it did");
    }
    return true;
  }

  void wait(const std::string& job) {
    for (;;) {
      // In this order, so that what the last tasks did is seen.
      const bool going_on = under_way(job);
      look_at_records(job);
      if (!going_on) {
        break;
      }
      std::this_thread::sleep_for(between_questions);
    }
    for (const BatchEntry& entry : work_.plan.entries) {
      if (!stopped_ && !told_.contains(entry.name)) {
        const BatchRecord record = BatchRecord::not_graded(
            entry.name, "its task on the cluster left no result; see " +
                            (folder_.slurm() / ("task-" + job)).string() + "_*.log");
        folder_.write(entry, record);
        (void)work_.on_end(entry, record);
      }
    }
    std::error_code error;
    fs::remove(job_file_, error);
  }

  // What waits does not begin; what runs comes to its end.
  void stop(const std::string& job) {
    stopped_ = true;
    (void)run_process({{"scancel", "--state=PENDING", job}, {}, {}}, {.time = answer_time});
  }

  // Tells those that have a result now.
  void look_at_records(const std::string& job) {
    for (const BatchEntry& entry : work_.plan.entries) {
      if (told_.contains(entry.name)) {
        continue;
      }
      std::error_code error;
      const fs::file_time_type written = fs::last_write_time(folder_.record(entry), error);
      if (error || (before_.contains(entry.name) && before_.at(entry.name) == written)) {
        continue;
      }
      if (const std::optional<BatchRecord> record = folder_.read(entry)) {
        told_.insert(entry.name);
        if (!work_.on_end(entry, *record)) {
          stop(job);
        }
      }
    }
  }

  // When the records were written that are to be replaced.
  [[nodiscard]] std::map<std::string, fs::file_time_type> times() const {
    std::map<std::string, fs::file_time_type> all;
    for (const BatchEntry& entry : work_.plan.entries) {
      std::error_code error;
      const fs::file_time_type written = fs::last_write_time(folder_.record(entry), error);
      if (!error) {
        all[entry.name] = written;
      }
    }
    return all;
  }

  const BatchWork& work_;
  const std::function<void(const std::string&)>& say_;
  BatchFolder folder_;
  fs::path plan_file_;
  fs::path job_file_;
  std::set<std::string> told_;
  std::map<std::string, fs::file_time_type> before_ = times();
  int unanswered_ = 0;
  bool stopped_ = false;
};

}  // namespace

void grade_on_slurm(const BatchWork& work, const std::function<void(const std::string&)>& say) {
  SlurmEngine(work, say).run();
}

}  // namespace goro::grader
