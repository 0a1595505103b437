#include "batch_task.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "digest.h"
#include "grading.h"
#include "problem.h"
#include "text.h"
#include "unique_fd.h"

namespace goro::grader {

namespace {

// A lock that is held until the descriptor is closed, however that comes. Nothing if somebody has
// it and `wait` is false.
std::optional<UniqueFd> lock_file(const fs::path& file, bool wait) {
  fs::create_directories(file.parent_path());
  UniqueFd lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.valid()) {
    throw broken("cannot open " + file.string() + ": " + std::strerror(errno));
  }
  while (::flock(lock.get(), wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return std::nullopt;
    }
    if (errno != EINTR) {
      throw broken("cannot lock " + file.string() + ": " + std::strerror(errno));
    }
  }
  return lock;
}

// The name of this machine: machines that share the course's folder do not share build folders.
std::string machine() {
  std::array<char, 256> name{};
  (void)::gethostname(name.data(), name.size() - 1);
  return file_name_of(name.data());
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm utc{};
  (void)::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

// A build folder that keeps what it has built for the next submission.
struct BuildFolder {
  fs::path path;
  UniqueFd lock;
};

BuildFolder free_build_folder(const Course& course) {
  for (int number = 1;; ++number) {
    const fs::path path = course.build() / "batch" / (machine() + "-" + std::to_string(number));
    if (std::optional<UniqueFd> lock = lock_file(path / "lock", false)) {
      return {path, *std::move(lock)};
    }
  }
}

}  // namespace

BatchSubmission open_submission(const BatchEntry& entry, const Course& course) {
  BatchSubmission opened;
  try {
    opened.submission = Submission::open(entry.source, course).for_its_author();
    opened.digest = digest_of(*opened.submission, course);
  } catch (const Problem& problem) {
    if (problem.status() != ExitStatus::wrong_use) {
      throw;
    }
    opened.submission.reset();
    // The submission's author knows it by its name, not by where the class is kept.
    opened.refusal = replace_all(problem.what(), entry.source, entry.name);
    opened.digest = digest_of(opened.refusal);
  }
  return opened;
}

BatchRecord grade_entry(const Course& course, const BatchPlan& plan, const BatchEntry& entry,
                        Terminal& terminal) {
  const BatchFolder folder(plan.out);
  const std::optional<UniqueFd> mine = lock_file(folder.record_lock(entry), true);
  const BatchSubmission opened = open_submission(entry, course);
  if (const std::optional<BatchRecord> present = folder.read(entry);
      present && present->outdated(plan, opened.digest).empty()) {
    return *present;
  }
  BatchRecord record;
  record.name = entry.name;
  record.files = opened.digest;
  record.course = plan.course;
  record.settings = plan.settings();
  if (opened.submission) {
    const BuildFolder build = free_build_folder(course);
    Course here = course;
    here.build_in(build.path);
    GradingOptions options;
    options.labs = here.select(plan.labs);
    options.preset = plan.preset;
    options.benchmarks = plan.benchmarks;
    options.own = plan.own;
    if (!plan.tests.empty()) {
      options.private_tests = PrivateTests(plan.tests, here, options.labs);
      if (options.private_tests.digest() != plan.tests_digest) {
        throw broken("the private tests changed since the batch began; run the same command again");
      }
    }
    std::string notice;  // of what it lacks; every report names the sandbox
    options.sandbox = choose_sandbox({plan.sandbox_required, {}}, notice);
    record.score = grade(here, *opened.submission, options, terminal, {});
    record.score.submission = entry.name;
    record.outcome = BatchRecord::Outcome::graded;
  } else {
    record.outcome = BatchRecord::Outcome::refused;
    record.reason = opened.refusal;
  }
  record.finished = now();
  folder.write(entry, record);
  return record;
}

}  // namespace goro::grader
