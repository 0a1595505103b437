#pragma once

#include <optional>
#include <string>

#include "batch_plan.h"
#include "batch_record.h"
#include "course.h"
#include "submission.h"
#include "terminal.h"

namespace goro::grader {

// A submission as it is now: what it holds, or why it cannot be taken.
struct BatchSubmission {
  std::optional<Submission> submission;
  std::string refusal;  // one line, if there is none
  std::string digest;
};

BatchSubmission open_submission(const BatchEntry& entry, const Course& course);

// Grades one submission of a batch and writes its record, unless that is there already. The build
// folder is the first in build/batch that nobody is at work in. Two that are given the same
// submission take turns, and the second finds it done.
BatchRecord grade_entry(const Course& course, const BatchPlan& plan, const BatchEntry& entry,
                        Terminal& terminal);

}  // namespace goro::grader
