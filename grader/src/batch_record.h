#pragma once

#include <optional>
#include <string>

#include "batch_plan.h"
#include "files.h"
#include "score.h"

namespace goro::grader {

// What is known about one submission of a batch. The records in the output folder are the batch's
// whole state: whatever ends a batch, the next one goes on from them.
struct BatchRecord {
  enum class Outcome {
    graded,
    refused,    // there is nothing in it that could be graded; it has no points
    not_graded  // something here is broken; to be tried again
  };
  Outcome outcome = Outcome::not_graded;
  std::string name;
  std::string reason;    // one line, unless graded
  std::string files;     // the submission's digest; empty if it could not be read
  std::string course;    // BatchPlan::course
  std::string settings;  // BatchPlan::settings()
  std::string finished;  // when, UTC
  Score score;           // if graded

  static BatchRecord not_graded(const std::string& name, const std::string& reason);

  // Why the submission must be graded again, given its files now; empty if it need not.
  [[nodiscard]] std::string outdated(const BatchPlan& plan, const std::string& files_now) const;
};

std::string_view name_of(BatchRecord::Outcome outcome);

// Where things are in a batch's output folder.
class BatchFolder {
 public:
  explicit BatchFolder(fs::path out) : out_(std::move(out)) {}

  [[nodiscard]] const fs::path& path() const { return out_; }
  [[nodiscard]] fs::path plan() const { return out_ / "batch/plan.json"; }
  [[nodiscard]] fs::path lock() const { return out_ / "batch/lock"; }
  [[nodiscard]] fs::path records() const { return out_ / "batch/records"; }
  [[nodiscard]] fs::path record(const BatchEntry& entry) const {
    return records() / (file_name_of(entry.name) + ".json");
  }
  [[nodiscard]] fs::path record_lock(const BatchEntry& entry) const {
    return records() / (file_name_of(entry.name) + ".lock");
  }
  [[nodiscard]] fs::path reports() const { return out_ / "reports"; }
  [[nodiscard]] fs::path report(const BatchEntry& entry, const std::string& end) const {
    return reports() / (file_name_of(entry.name) + end);
  }
  [[nodiscard]] fs::path table() const { return out_ / "grades.csv"; }
  [[nodiscard]] fs::path slurm() const { return out_ / "batch/slurm"; }

  // Nothing if there is none or if it is no record of this version's.
  [[nodiscard]] std::optional<BatchRecord> read(const BatchEntry& entry) const;
  // Once this has returned the record outlives anything but the disk.
  void write(const BatchEntry& entry, const BatchRecord& record) const;

 private:
  fs::path out_;
};

}  // namespace goro::grader
