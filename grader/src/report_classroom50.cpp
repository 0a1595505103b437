#include "report_classroom50.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <ctime>

#include "json_writer.h"
#include "problem.h"
#include "report_limits.h"
#include "text.h"

namespace goro::grader {

using Json = nlohmann::ordered_json;

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string needed(const char* name) {
  const std::string value = variable(name);
  if (value.empty()) {
    throw wrong_use(std::string("--report classroom50 needs the variable ") + name +
                    ", which Classroom 50's runner sets; see docs/pull-requests.md");
  }
  return value;
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  (void)::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace

ClassroomSubmission ClassroomSubmission::from_environment() {
  ClassroomSubmission known;
  known.classroom = needed("CLASSROOM");
  known.assignment = needed("ASSIGNMENT");
  known.assignment_type = needed("ASSIGNMENT_TYPE");
  known.owner = needed("OWNER");
  known.submission = needed("SUBMISSION_TAG");
  known.commit = needed("COMMIT_URL");
  known.release = needed("RELEASE_URL");
  known.review = variable("REVIEW_URL");
  if (known.review.empty()) {
    known.review = known.commit;  // there is nothing to compare
  }
  known.datetime = now();
  return known;
}

std::string report_classroom50(const Score& score, const ClassroomSubmission& submission) {
  long points = 0;
  long max_points = 0;
  Json tests = Json::array();
  for (const LabScore& lab : score.labs) {
    for (const TestScore& test : lab.tests) {
      if (test.status == Status::inconclusive) {
        continue;  // in neither sum
      }
      const long of = std::lround(test.max_points);
      const long got = std::min(of, std::lround(test.points));
      points += got;
      max_points += of;
      Json json{{"test-name", lab.lab + ": " + test.name},
                {"passed", test.status == Status::passed},
                {"score", got},
                {"max-score", of}};
      if (test.status != Status::passed) {
        json["status"] = name_of(test.status);
        json["message"] = bounded(printable(test.message), shown_message_bytes);
      }
      tests.push_back(json);
    }
  }
  return dumped({{"schema", "classroom50/result/v1"},
                 {"classroom", submission.classroom},
                 {"assignment", submission.assignment},
                 {"assignment_type", submission.assignment_type},
                 {"owner", submission.owner},
                 {"submission", submission.submission},
                 {"commit", submission.commit},
                 {"release", submission.release},
                 {"review", submission.review},
                 {"datetime", submission.datetime},
                 {"score", points},
                 {"max-score", max_points},
                 {"tests", tests}});
}

}  // namespace goro::grader
