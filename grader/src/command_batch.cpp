#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>

#include "batch_engine.h"
#include "batch_plan.h"
#include "batch_progress.h"
#include "batch_record.h"
#include "batch_reports.h"
#include "batch_task.h"
#include "commands.h"
#include "digest.h"
#include "process.h"
#include "text.h"
#include "unique_fd.h"

namespace goro::grader {

namespace {

// So many submissions in a row that cannot be graded are nobody's fault but this machine's.
constexpr int most_in_a_row = 3;

// For whoever interrupts: what was there already, and of how many.
std::atomic<std::size_t> graded_so_far{0};
std::atomic<std::size_t> graded_in_the_end{0};

// What a killed batch was just writing.
void remove_leftovers(const fs::path& folder) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().find(".tmp-") != std::string::npos) {
      fs::remove(entry.path(), error);
    }
  }
}

class Batch {
 public:
  Batch(const Course& course, const BatchOptions& options, Terminal& terminal)
      : course_(course),
        options_(options),
        terminal_(terminal),
        labs_(course.select(options.labs)),
        private_tests_(options.tests.empty() ? PrivateTests()
                                             : PrivateTests(options.tests, course, labs_)),
        plan_(make_plan()),
        folder_(plan_.out) {}

  ExitStatus run() {
    lock();
    remove_leftovers(folder_.records());
    remove_leftovers(folder_.reports());
    const BatchPlan work = what_is_left();
    if (!work.entries.empty()) {
      grade_all_of(work);
    }
    return collect();
  }

 private:
  BatchPlan make_plan() {
    const fs::path place = fs::weakly_canonical(options_.place);
    BatchPlan plan;
    plan.out = options_.out.empty()
                   ? course_.build() / "grades" / file_name_of(place.stem().string())
                   : fs::absolute(options_.out).lexically_normal();
    std::vector<std::string> left_out;
    plan.entries = find_submissions(place, course_, plan.out, left_out);
    for (const std::string& file : left_out) {
      terminal_.print(file + " is no folder and no archive, so no submission");
    }
    std::vector<std::string> numbers;
    std::transform(labs_.begin(), labs_.end(), std::back_inserter(numbers),
                   [](const Lab* lab) { return std::to_string(lab->number); });
    plan.labs = join(numbers, ",");
    plan.benchmarks = options_.benchmarks;
    plan.own = options_.own;
    plan.preset = options_.target.base_preset();
    plan.tests = private_tests_.folder();
    plan.tests_digest = private_tests_.digest();
    plan.course = digest_of(course_);
    plan.sandbox_required = options_.sandbox.required;
    return plan;
  }

  void lock() {
    std::error_code error;
    fs::create_directories(folder_.records(), error);
    lock_.reset(::open(folder_.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!lock_.valid()) {
      throw broken("cannot write in " + folder_.path().string() + ": " + std::strerror(errno));
    }
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      throw wrong_use("another batch is at work in " + folder_.path().string() +
                      "; wait for it or choose another --out");
    }
  }

  // The entries without a result that stands, and a word on why some are graded again.
  BatchPlan what_is_left() {
    BatchPlan left = plan_;
    left.entries.clear();
    std::map<std::string, std::vector<std::string>> again;  // names, by reason
    for (const BatchEntry& entry : plan_.entries) {
      terminal_.progress("looking at " + entry.name);
      const std::optional<BatchRecord> record = folder_.read(entry);
      if (!record) {
        left.entries.push_back(entry);
        continue;
      }
      const std::string reason = record->outdated(plan_, digest_now(entry));
      if (!reason.empty()) {
        left.entries.push_back(entry);
        again[reason].push_back(entry.name);
      }
    }
    const std::size_t done = plan_.entries.size() - left.entries.size();
    terminal_.print(count(plan_.entries.size(), "submission") + ", " +
                    (done == 0 ? "none graded yet" : std::to_string(done) + " graded already"));
    for (const auto& [reason, names] : again) {
      constexpr std::size_t shown = 5;
      std::vector<std::string> first(
          names.begin(),
          names.begin() + static_cast<std::ptrdiff_t>(std::min(shown, names.size())));
      if (names.size() > shown) {
        first.push_back("and " + std::to_string(names.size() - shown) + " more");
      }
      terminal_.print("To be graded again (" + reason + "): " + join(first, ", "));
    }
    graded_so_far = done;
    graded_in_the_end = plan_.entries.size();
    return left;
  }

  // One that cannot be looked at is left to its task, which says why.
  [[nodiscard]] std::string digest_now(const BatchEntry& entry) const {
    try {
      return open_submission(entry, course_).digest;
    } catch (const Problem&) {
      return {};
    }
  }

  void grade_all_of(const BatchPlan& work) {
    if (options_.engine == "local") {
      std::string notice;
      (void)choose_sandbox(options_.sandbox, notice);
      if (!notice.empty()) {
        terminal_.print(terminal_.style().warning(notice));
      }
    }
    BatchProgress progress(terminal_, work.entries.size());
    int in_a_row = 0;
    const BatchWork given{
        course_, work, options_.jobs > 0 ? options_.jobs : std::max(1U, processors() / 2),
        [&](const BatchEntry& entry, const std::string& text) { progress.news(entry.name, text); },
        [&](const BatchEntry& entry, const BatchRecord& record) {
          write_reports(folder_, entry, record);
          progress.ended(record);
          const bool good = record.outcome != BatchRecord::Outcome::not_graded;
          graded_so_far += good ? 1 : 0;
          in_a_row = good ? 0 : in_a_row + 1;
          stopped_by_ = in_a_row >= most_in_a_row ? entry.name + ": " + record.reason : "";
          return in_a_row < most_in_a_row;
        }};
    if (options_.engine == "slurm") {
      grade_on_slurm(given, [this](const std::string& text) { terminal_.print(text); });
    } else {
      grade_here(given);
    }
    terminal_.clear_progress();
  }

  ExitStatus collect() {
    std::vector<BatchRecord> records;
    std::map<BatchRecord::Outcome, std::size_t> how_many;
    for (const BatchEntry& entry : plan_.entries) {
      records.push_back(folder_.read(entry).value_or(
          BatchRecord::not_graded(entry.name, "its turn did not come")));
      write_reports(folder_, entry, records.back());
      ++how_many[records.back().outcome];
    }
    write_file_atomically(folder_.table(), batch_table(plan_, labs_, private_tests_, records),
                          Durable::yes);
    const std::size_t missing = how_many[BatchRecord::Outcome::not_graded];
    const std::size_t refused = how_many[BatchRecord::Outcome::refused];
    const std::string table = shown_path(folder_.table(), fs::current_path());
    terminal_.print(std::to_string(how_many[BatchRecord::Outcome::graded]) + " graded" +
                    (refused > 0 ? ", " + std::to_string(refused) + " refused" : "") +
                    (missing > 0 ? ", " + std::to_string(missing) + " not graded" : "") + ": " +
                    table);
    if (!stopped_by_.empty()) {
      throw broken(
          std::to_string(most_in_a_row) +
          " submissions in a row could not be graded, so the batch stopped; the last was " +
          stopped_by_ + "; mend that and run the same command again");
    }
    if (missing > 0) {
      throw broken(count(missing, "submission") +
                   " could not be graded; run the same command again to try them once more");
    }
    return ExitStatus::all_points;
  }

  const Course& course_;
  const BatchOptions& options_;
  Terminal& terminal_;
  std::vector<const Lab*> labs_;
  PrivateTests private_tests_;
  BatchPlan plan_;
  BatchFolder folder_;
  UniqueFd lock_;
  std::string stopped_by_;
};

}  // namespace

ExitStatus batch(const Course& course, const BatchOptions& options, Terminal& terminal) {
  return Batch(course, options, terminal).run();
}

std::string batch_farewell() {
  const std::size_t all = graded_in_the_end;
  return all == 0 ? ""
                  : "interrupted; " + std::to_string(graded_so_far) + " of " +
                        count(all, "submission") + " graded; run the same command again to go on";
}

ExitStatus batch_task(const Course& course, const BatchTaskOptions& options, Terminal& terminal) {
  const BatchPlan plan = plan_from_json(read_file(options.plan));
  std::string trouble;
  int in_a_row = 0;
  for (std::size_t i = options.share; i < plan.entries.size() && in_a_row < most_in_a_row;
       i += options.shares) {
    const BatchEntry& entry = plan.entries[i];
    try {
      (void)grade_entry(course, plan, entry, terminal);
      in_a_row = 0;
    } catch (const std::exception& error) {
      ++in_a_row;
      trouble = split_lines(printable(error.what()) + "\n").front();
      BatchFolder(plan.out).write(entry, BatchRecord::not_graded(entry.name, trouble));
    }
  }
  if (!trouble.empty()) {
    throw broken(trouble);
  }
  return ExitStatus::all_points;
}

}  // namespace goro::grader
