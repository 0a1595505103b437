#pragma once

#include <string>

#include "score.h"

namespace goro::grader {

// What Classroom 50 tells its autograder of a submission, and wants back with the points.
struct ClassroomSubmission {
  std::string classroom;
  std::string assignment;
  std::string assignment_type;
  std::string owner;
  std::string submission;  // the tag "submit/…"
  std::string commit;      // links
  std::string release;
  std::string review;
  std::string datetime;  // UTC, "2026-06-01T14:32:01Z"

  // From the environment variables that Classroom 50's runner sets for an autograder. Throws a
  // Problem if one is missing.
  static ClassroomSubmission from_environment();
};

// Classroom 50's result.json, "classroom50/result/v1". Its points are whole numbers.
// grader/schemas/classroom50-result.schema.json states it as a schema.
std::string report_classroom50(const Score& score, const ClassroomSubmission& submission);

}  // namespace goro::grader
