#include "test_run.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "channel.h"
#include "symbolize.h"
#include "text.h"

namespace goro::grader {

namespace {

constexpr std::uint64_t address_bytes = std::uint64_t{16} << 30;
constexpr std::uint64_t resident_bytes = std::uint64_t{6} << 30;
constexpr std::uint64_t file_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t most_output = std::uint64_t{64} << 20;
constexpr std::size_t most_frames = 8;
constexpr std::size_t most_frames_searched = 24;

// A machine with little memory is not brought to its knees either.
std::uint64_t most_resident() {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return std::min(resident_bytes, pages * page / 4 * 3);
}

bool sanitized(const Workspace& workspace) {
  return workspace.kind() == BuildKind::tsan || workspace.kind() == BuildKind::asan;
}

}  // namespace

std::vector<std::string> test_environment(const fs::path& scratch) {
  const char* path = std::getenv("PATH");
  return {std::string("PATH=") + (path != nullptr ? path : "/usr/bin:/bin"), "LANG=C.UTF-8",
          "HOME=" + scratch.string(), "TMPDIR=" + scratch.string()};
}

Limits limits_of(const Workspace& workspace, std::chrono::seconds time) {
  Limits limits;
  limits.time = time;
  limits.file_bytes = file_bytes;
  limits.resident_bytes = most_resident();
  limits.most_output = most_output;
  // Sanitizers and the emulator reserve terabytes of addresses that they never touch.
  if (!sanitized(workspace) && !workspace.emulated()) {
    limits.memory_bytes = address_bytes;
  }
  return limits;
}

std::chrono::seconds time_limit(const Exercise& exercise, BuildKind written_for,
                                const Workspace& workspace) {
  const int factor = workspace.emulated() ? 10 : workspace.kind() != written_for ? 5 : 1;
  return std::chrono::seconds(exercise.time_limit_s) * factor;
}

TestResult run_test(const Workspace& workspace, const fs::path& program, const Test& test,
                    std::chrono::seconds limit,
                    const std::function<std::string(std::string)>& users_path, const Seeds& seeds) {
  const std::optional<Confinement> confinement = workspace.confinement(program);
  const RunFolder folder(workspace.sandbox(), workspace.scratch(),
                         confinement ? confinement->user : std::nullopt);
  Command command{workspace.launcher(), folder.path(), test_environment(folder.path())};
  if (seeds.seed) {
    command.environment->push_back("GORO_SEED=" + std::to_string(*seeds.seed));
  }
  if (seeds.count) {
    command.environment->push_back("GORO_SEEDS=" + std::to_string(*seeds.count));
  }
  command.arguments.push_back(program.string());
  command.arguments.push_back("--gtest_filter=" + test.name);
  command.arguments.emplace_back("--gtest_color=no");

  const std::string nonce = make_nonce();
  const Ended ended = run_process(command, limits_of(workspace, limit),
                                  {.greeting = nonce + "\n",
                                   .fixed_addresses = sanitized(workspace),
                                   .confinement = confinement});

  TestResult result;
  result.seconds = ended.seconds;
  result.verdict =
      judge(ended, read_channel(ended.channel, nonce, test.name), static_cast<int>(limit.count()));
  Verdict& verdict = result.verdict;
  if (verdict.broke_off) {
    const bool told = !verdict.frames.empty();
    std::vector<std::string> lines;
    if (!told) {
      for (const std::string& line : lines_in_dump(ended.output)) {
        lines.push_back(printable(users_path(line)));
      }
    }
    if (lines.empty()) {
      lines = symbolize(told ? verdict.frames : frames_in_dump(ended.output), program,
                        workspace.architecture() == Architecture::aarch64, most_frames_searched,
                        users_path);
    }
    verdict.message = users_path(verdict.message);
    result.innermost = workspace.first_in_submission(lines);
    if (told) {
      lines.resize(std::min(lines.size(), most_frames));
      verdict.message +=
          "\n\nWhere it crashed, innermost first:\n" + trim_right(indent(join(lines, "\n"), "  "));
    }
  }
  return result;
}

}  // namespace goro::grader
