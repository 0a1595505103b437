#include "test_run.h"

#include <algorithm>
#include <cstdlib>

#include "channel.h"
#include "symbolize.h"
#include "text.h"

namespace goro::grader {

namespace {

constexpr std::uint64_t memory_bytes = std::uint64_t{16} << 30;
constexpr std::uint64_t file_bytes = std::uint64_t{64} << 20;
constexpr std::size_t most_frames = 8;
constexpr std::size_t most_frames_searched = 24;

}  // namespace

std::vector<std::string> test_environment(const fs::path& scratch) {
  const char* path = std::getenv("PATH");
  return {std::string("PATH=") + (path != nullptr ? path : "/usr/bin:/bin"), "LANG=C.UTF-8",
          "HOME=" + scratch.string(), "TMPDIR=" + scratch.string()};
}

std::chrono::seconds time_limit(const Exercise& exercise, BuildKind written_for,
                                const Workspace& workspace) {
  const int factor = workspace.emulated() ? 10 : workspace.kind() != written_for ? 5 : 1;
  return std::chrono::seconds(exercise.time_limit_s) * factor;
}

TestResult run_test(const Workspace& workspace, const fs::path& program, const Test& test,
                    std::chrono::seconds limit,
                    const std::function<std::string(std::string)>& users_path, const Seeds& seeds) {
  Command command{workspace.launcher(), workspace.scratch(), test_environment(workspace.scratch())};
  if (seeds.seed) {
    command.environment->push_back("GORO_SEED=" + std::to_string(*seeds.seed));
  }
  if (seeds.count) {
    command.environment->push_back("GORO_SEEDS=" + std::to_string(*seeds.count));
  }
  command.arguments.push_back(program.string());
  command.arguments.push_back("--gtest_filter=" + test.name);
  command.arguments.emplace_back("--gtest_color=no");

  Limits limits;
  limits.time = limit;
  limits.file_bytes = file_bytes;
  const bool sanitized = workspace.kind() == BuildKind::tsan || workspace.kind() == BuildKind::asan;
  // Sanitizers and the emulator reserve terabytes of addresses that they never touch.
  if (!sanitized && !workspace.emulated()) {
    limits.memory_bytes = memory_bytes;
  }
  const std::string nonce = make_nonce();
  const Ended ended =
      run_process(command, limits, {.greeting = nonce + "\n", .fixed_addresses = sanitized});

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
