#include "sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "process.h"
#include "process_table.h"
#include "test_folder.h"
#include "text.h"
#include "unique_fd.h"

namespace goro::grader {
namespace {

// Each test runs with limits alone, and with namespaces where this machine allows them.
class SandboxTest : public ::testing::TestWithParam<Sandbox> {
 protected:
  void SetUp() override { folder_ = fresh_folder(); }

  Ended shell(const std::string& script, const Limits& limits = {},
              std::vector<fs::path> readable = {}) const {
    Confinement confinement;
    confinement.sandbox = GetParam();
    confinement.user = unused_user();
    confinement.processes = 50;
    confinement.readable = std::move(readable);
    fs::create_directories(folder_ / "scratch");
    const RunFolder scratch(GetParam(), folder_ / "scratch", confinement.user);
    confinement.scratch = scratch.path();
    return run_process({{"/bin/bash", "-c", script},
                        scratch.path(),
                        std::vector<std::string>{"PATH=/usr/bin:/bin"}},
                       limits, {.confinement = confinement});
  }

  fs::path folder_;
};

std::vector<Sandbox> those_here() {
  std::string why_not;
  std::vector<Sandbox> all{Sandbox::limits};
  if (best_sandbox(why_not) == Sandbox::namespaces) {
    all.push_back(Sandbox::namespaces);
  }
  return all;
}

bool runs_somewhere(const std::string& argument) {
  const std::vector<ProcessEntry> all = process_table();
  return std::any_of(all.begin(), all.end(), [&](const ProcessEntry& entry) {
    std::error_code error;
    const fs::path file = "/proc/" + std::to_string(entry.id) + "/cmdline";
    const std::optional<std::string> words =
        fs::exists(file, error) ? read_file_if_present(file) : std::nullopt;
    return !entry.zombie && words && words->find(argument) != std::string::npos;
  });
}

TEST_P(SandboxTest, TellsStatusAndOutput) {
  const Ended ended = shell("echo out; exit 3");
  EXPECT_EQ(ended.how, Ended::How::exited);
  EXPECT_EQ(ended.status, 3);
  EXPECT_EQ(ended.output, "out\n");
}

TEST_P(SandboxTest, TellsTheSignalThatAProgramSendsToItself) {
  const Ended ended = shell("kill -SEGV $$");
  EXPECT_EQ(ended.how, Ended::How::signalled);
  EXPECT_EQ(ended.status, SIGSEGV);
}

TEST_P(SandboxTest, TellsThatAProgramIsMissing) {
  Confinement confinement;
  confinement.sandbox = GetParam();
  confinement.scratch = folder_;
  const Ended ended =
      run_process({{"/no/such/program"}, "/", {}}, {}, {.confinement = confinement});
  EXPECT_EQ(ended.how, Ended::How::not_started);
  EXPECT_EQ(ended.why_not_started, "cannot run /no/such/program: No such file or directory");
}

TEST_P(SandboxTest, AsksTheProgramForADump) {
  const Ended ended =
      shell("trap 'echo the dump; exit 2' QUIT; while :; do :; done",
            {.time = std::chrono::seconds(2), .dump_time = std::chrono::minutes(5)});
  EXPECT_EQ(ended.how, Ended::How::timed_out);
  EXPECT_EQ(ended.output, "the dump\n");
}

TEST_P(SandboxTest, HandsDownNoFileThatTheGraderHasOpen) {
  const fs::path file = folder_ / "log";
  const UniqueFd left_open(::open(file.c_str(), O_WRONLY | O_CREAT, 0666));
  ASSERT_TRUE(left_open.valid());
  const std::string fd = std::to_string(left_open.get());
  EXPECT_TRUE(shell("echo mine >&" + fd + "; echo done").output.ends_with("done\n"));
  EXPECT_EQ(read_file(file), "") << "a submission wrote to a file of the grader's caller";
}

TEST_P(SandboxTest, LeavesNoDaemonBehind) {
  const std::string mark = "31415926" + std::to_string(::getpid());
  const Ended ended = shell("setsid setsid sleep " + mark +
                            " </dev/null >/dev/null 2>&1 & trap '' TERM; echo started");
  EXPECT_EQ(ended.output, "started\n");
  EXPECT_FALSE(runs_somewhere(mark)) << "a process that left its session outlived the run";
}

TEST_P(SandboxTest, LimitsProcesses) {
  const Ended ended = shell(
      "exec perl -e 'for (1..200) { my $p = fork; if (!defined $p) { print \"no more\"; exit 0; } "
      "if ($p == 0) { sleep 1000; exit; } } print \"all of them\"'");
  EXPECT_EQ(ended.output, "no more");
}

TEST_P(SandboxTest, EndsWhatGoesOnStartingProcesses) {
  const Ended ended = shell(
      "exec perl -e 'for (;;) { my $p = fork; if (defined $p && $p == 0) { sleep 1000; exit; } "
      "select(undef, undef, undef, 0.01); }'",
      {.time = std::chrono::seconds(60)});
  EXPECT_EQ(ended.how, Ended::How::over_limit);
  EXPECT_EQ(ended.limit, "had 50 processes and threads, more than which there cannot be,");
}

TEST_P(SandboxTest, LimitsWhatIsPrintedAndTheMemoryOfAllProcesses) {
  Ended ended = shell("yes", {.most_output = 1 << 20});
  EXPECT_EQ(ended.how, Ended::How::over_limit);
  EXPECT_EQ(ended.limit, "printed more than 1 MB");
  ended = shell(
      // Not the last command: a shell becomes that, and its memory is gone.
      "(x=$(head -c 90000000 /dev/zero | tr '\\0' x); sleep 1000; :) & "
      "x=$(head -c 90000000 /dev/zero | tr '\\0' x); sleep 1000; :",
      {.time = std::chrono::seconds(60), .resident_bytes = std::uint64_t{128} << 20});
  EXPECT_EQ(ended.how, Ended::How::over_limit);
  EXPECT_EQ(ended.limit, "used more than 128 MB of memory");
}

TEST_P(SandboxTest, TheGradersOwnMemoryDoesNotCount) {
  const std::vector<char> own(std::size_t{160} << 20, 'x');
  for (int i = 0; i < 20; ++i) {
    const Ended ended = shell(
        "true", {.time = std::chrono::seconds(60), .resident_bytes = std::uint64_t{128} << 20});
    ASSERT_EQ(ended.how, Ended::How::exited) << ended.limit << ", " << own.size() << " are its own";
  }
}

TEST_P(SandboxTest, CanBeUsedByTheProgramButIsEmptyAfterwards) {
  EXPECT_EQ(shell("echo text > file && cat file").output, "text\n");
  EXPECT_TRUE(fs::is_empty(folder_ / "scratch")) << "a file outlived the run";
}

INSTANTIATE_TEST_SUITE_P(Each, SandboxTest, ::testing::ValuesIn(those_here()),
                         [](const ::testing::TestParamInfo<Sandbox>& info) {
                           return std::string(name_of(info.param));
                         });

class NamespacesTest : public SandboxTest {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NamespacesTest);

TEST_P(NamespacesTest, ShowOnlyTheFilesThatAreNamed) {
  write_file_atomically(folder_ / "shown" / "file", "shown\n");
  write_file_atomically(folder_ / "secret", "secret\n");
  const std::string shown = (folder_ / "shown" / "file").string();
  const std::string secret = (folder_ / "secret").string();
  const Ended ended = shell("cat " + shown + "; cat " + secret + "; echo more >> " + shown +
                                "; ls /home /root /work; ls /proc | grep -c '^[0-9]'",
                            {}, {folder_ / "shown"});
  EXPECT_TRUE(ended.output.starts_with("shown\n")) << ended.output;
  EXPECT_EQ(ended.output.find("secret\n"), std::string::npos) << ended.output;
  EXPECT_EQ(read_file(shown), "shown\n");
  EXPECT_LE(std::stoi(split_lines(ended.output).back()), 5) << "other processes are visible";
}

TEST_P(NamespacesTest, HaveNoNetworkButTheirOwn) {
  const Ended ended = shell("cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '");
  EXPECT_EQ(ended.output, "lo\n");
}

TEST_P(NamespacesTest, KeepTheirFirstProcessToThemselves) {
  const Ended ended =
      shell("kill -KILL 1; kill -TERM 1; cat /proc/1/environ; ls /proc/1/fd; echo still here");
  EXPECT_NE(ended.output.find("still here"), std::string::npos) << ended.output;
  EXPECT_NE(ended.output.find("/proc/1/fd': Permission denied"), std::string::npos) << ended.output;
}

INSTANTIATE_TEST_SUITE_P(Each, NamespacesTest, ::testing::ValuesIn([] {
                           std::vector<Sandbox> all = those_here();
                           std::erase(all, Sandbox::limits);
                           return all;
                         }()));

}  // namespace
}  // namespace goro::grader
