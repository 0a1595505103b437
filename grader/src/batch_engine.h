#pragma once

#include <functional>
#include <optional>
#include <string>

#include "batch_plan.h"
#include "batch_record.h"
#include "course.h"

namespace goro::grader {

// What an engine is given: a plan of which every entry is to be graded, written to `plan_file`, and
// whom to tell. An engine runs `batch-task` for each share of the plan, here or elsewhere; what the
// tasks leave are records.
struct BatchWork {
  const Course& course;
  const BatchPlan& plan;
  unsigned jobs;  // tasks at a time
  // News from the task that grades the entry.
  std::function<void(const BatchEntry&, const std::string&)> on_news;
  // Its task is done with it, and its record is there. False: the engine is to stop. Called by one
  // thread at a time.
  std::function<bool(const BatchEntry&, const BatchRecord&)> on_end;
};

// The command line of the task that grades every entry whose place, modulo `shares`, is `share`.
std::vector<std::string> task_command(const Course& course, const fs::path& plan_file,
                                      const std::string& share, std::size_t shares);

// Every task on this machine, each entry in a process of its own: what goes wrong with the grader
// itself while it grades one submission is no other's business.
void grade_here(const BatchWork& work);

// An array of jobs on a Slurm cluster. `say` tells what stays on the screen. If the folder's last
// job is not over, that one is waited for, and nothing new is started.
void grade_on_slurm(const BatchWork& work, const std::function<void(const std::string&)>& say);

}  // namespace goro::grader
