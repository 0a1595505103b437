#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "batch_engine.h"
#include "problem.h"
#include "process.h"
#include "text.h"

namespace goro::grader {

namespace {

// Of a task that did not do its work, why: the one line that it said, if it could.
std::string why_it_failed(const Ended& ended) {
  constexpr std::string_view mark = "course: ";
  const std::vector<std::string> lines = split_lines(printable(ended.output));
  const auto said = std::find_if(lines.rbegin(), lines.rend(),
                                 [&](const std::string& line) { return line.starts_with(mark); });
  return ended.how == Ended::How::not_started ? ended.why_not_started
         : said != lines.rend()               ? said->substr(mark.size())
         : ended.how == Ended::How::signalled
             ? "the grader was ended by signal " + std::to_string(ended.status)
             : "the grader ended with status " + std::to_string(ended.status);
}

class LocalEngine {
 public:
  explicit LocalEngine(const BatchWork& work)
      : work_(work),
        folder_(work.plan.out),
        // Written for the tasks, as it is now.
        plan_file_(folder_.plan()) {
    write_file_atomically(plan_file_, plan_to_json(work.plan));
  }

  void run() {
    std::vector<std::thread> others;
    for (unsigned i = 1; i < std::min<std::size_t>(work_.jobs, work_.plan.entries.size()); ++i) {
      others.emplace_back([this] { take_turns(); });
    }
    take_turns();
    for (std::thread& other : others) {
      other.join();
    }
    if (trouble_) {
      std::rethrow_exception(trouble_);
    }
  }

 private:
  void take_turns() {
    try {
      for (std::size_t i = next_++; i < work_.plan.entries.size(); i = next_++) {
        grade_one(i);
      }
    } catch (...) {
      const std::lock_guard hold(lock_);
      trouble_ = std::current_exception();
      next_ = work_.plan.entries.size();
    }
  }

  void grade_one(std::size_t place) {
    const BatchEntry& entry = work_.plan.entries[place];
    const Ended ended = run_process(
        {task_command(work_.course, plan_file_, std::to_string(place), work_.plan.entries.size()),
         {},
         {}},
        {}, {.on_line = [&](std::string_view line) { work_.on_news(entry, std::string(line)); }});
    std::optional<BatchRecord> record = folder_.read(entry);
    const std::lock_guard hold(lock_);
    if (!ended.ok() &&
        !(record && record->outcome == BatchRecord::Outcome::not_graded &&
          !record->reason.empty() && ended.output.find(record->reason) != std::string::npos)) {
      record = BatchRecord::not_graded(entry.name, why_it_failed(ended));
      folder_.write(entry, *record);
    }
    if (!record) {
      throw broken("the record of " + entry.name + " vanished from " + folder_.records().string());
    }
    if (!work_.on_end(entry, *record)) {
      next_ = work_.plan.entries.size();
    }
  }

  const BatchWork& work_;
  BatchFolder folder_;
  fs::path plan_file_;
  std::atomic<std::size_t> next_{0};
  std::mutex lock_;
  std::exception_ptr trouble_;  // under lock_
};

}  // namespace

std::vector<std::string> task_command(const Course& course, const fs::path& plan_file,
                                      const std::string& share, std::size_t shares) {
  return {fs::read_symlink("/proc/self/exe").string(),
          "--course-root",
          course.root().string(),
          "batch-task",
          plan_file.string(),
          share,
          std::to_string(shares)};
}

void grade_here(const BatchWork& work) {
  LocalEngine(work).run();
}

}  // namespace goro::grader
