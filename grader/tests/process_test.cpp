#include "process.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <fstream>
#include <thread>

#include "channel.h"
#include "symbolize.h"
#include "text.h"

namespace goro::grader {
namespace {

Ended shell(const std::string& script, const Limits& limits = {}, const Extras& extras = {}) {
  return run_process({{"/bin/bash", "-c", script}, "/", {}}, limits, extras);
}

TEST(ProcessTest, TellsStatusAndOutput) {
  const Ended ended = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(ended.how, Ended::How::exited);
  EXPECT_EQ(ended.status, 3);
  EXPECT_EQ(ended.output, "out\nerr\n");
}

TEST(ProcessTest, TellsTheSignal) {
  const Ended ended = shell("kill -SEGV $$");
  EXPECT_EQ(ended.how, Ended::How::signalled);
  EXPECT_EQ(ended.status, SIGSEGV);
}

TEST(ProcessTest, TellsThatAProgramIsMissing) {
  const Ended ended = run_process({{"no-such-program-here"}, "/", {}}, {});
  EXPECT_EQ(ended.how, Ended::How::not_started);
  EXPECT_EQ(ended.why_not_started, "cannot run no-such-program-here: No such file or directory");
}

TEST(ProcessTest, AsksForADumpAtTheTimeLimit) {
  const Ended ended =
      shell("trap 'echo the dump; exit 2' QUIT; while :; do :; done",
            {.time = std::chrono::seconds(2), .dump_time = std::chrono::minutes(5)});
  EXPECT_EQ(ended.how, Ended::How::timed_out);
  EXPECT_EQ(ended.output, "the dump\n");
}

TEST(ProcessTest, KillsWhoeverIgnoresTheQuestion) {
  const Ended ended =
      shell("trap '' QUIT; while :; do :; done",
            {.time = std::chrono::seconds(1), .dump_time = std::chrono::milliseconds(1)});
  EXPECT_EQ(ended.how, Ended::How::timed_out);
}

TEST(ProcessTest, LeavesNoGrandchildBehind) {
  const Ended ended = shell("sleep 1000000 & echo $!");
  ASSERT_TRUE(ended.ok());
  const fs::path state = "/proc/" + split_lines(ended.output).at(0) + "/stat";
  // SIGKILL was sent; whoever adopted the process may take a moment to bury it.
  for (;;) {
    std::ifstream file(state);
    std::string id;
    std::string name;
    std::string letter;
    if (!(file >> id >> name >> letter) || letter == "Z") {
      break;
    }
    std::this_thread::yield();
  }
}

TEST(ProcessTest, KeepsBothEndsOfLongOutput) {
  const Ended ended = shell("echo first; yes | head -c 1000000; echo last", {.output_bytes = 1000});
  EXPECT_TRUE(ended.output.starts_with("first\n"));
  EXPECT_TRUE(ended.output.ends_with("last\n"));
  EXPECT_LT(ended.output.size(), 10000U);
}

TEST(ProcessTest, LimitsTheSizeOfFiles) {
  const Ended ended =
      run_process({{"/bin/bash", "-c", "yes > big"}, GORO_TEST_FOLDER, {}}, {.file_bytes = 4096});
  EXPECT_FALSE(ended.ok());
  EXPECT_LE(fs::file_size(fs::path(GORO_TEST_FOLDER) / "big"), 4096U);
}

TEST(ProcessTest, HasAPrivateChannel) {
  const Ended ended =
      shell("eval \"read nonce <&$GORO_TEST_CHANNEL; echo got \\$nonce >&$GORO_TEST_CHANNEL\"", {},
            {.greeting = "secret\n"});
  EXPECT_EQ(ended.channel, "got secret\n");
  EXPECT_EQ(ended.output, "");
}

TEST(ProcessTest, GivesTheEnvironmentItIsToldAndNoMore) {
  const Ended ended = run_process({{"/usr/bin/env"}, "/", std::vector<std::string>{"A=b"}}, {});
  EXPECT_EQ(ended.output, "A=b\n");
}

TEST(ProcessTest, HandsOnLines) {
  std::vector<std::string> lines;
  (void)shell("echo a; echo b", {},
              {.on_line = [&](std::string_view line) { lines.emplace_back(line); }});
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "b"}));
}

TEST(Symbolize, ReadsFrames) {
  const std::vector<RawFrame> frames = parse_frames({"0x7f12 /path/with space/x+0x1a", "0x99"});
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].module, "/path/with space/x");
  EXPECT_EQ(frames[0].offset, "0x1a");
  EXPECT_EQ(frames[1].module, "");
}

TEST(Symbolize, FindsTheFramesOfADump) {
  EXPECT_EQ(frames_in_dump("SIGQUIT: quit\n\ngoroutine 1 [running]:\nput\n\t/a/b+0x1f\n\tgone\n"),
            std::vector<std::string>{"0x0 /a/b+0x1f"});
}

TEST(Symbolize, FindsTheLinesOfADump) {
  const std::string dump =
      "goroutine 1 [chan receive]:\nget(int)\n\t/a/b.cpp:12 +0x1f\nmain\n\t/a/c.cpp:7\n"
      "created by go in goroutine 1\n\t/a/b+0x1f\n\tgoroutine running on other thread\n";
  EXPECT_EQ(lines_in_dump(dump),
            (std::vector<std::string>{"get(int) at /a/b.cpp:12", "main at /a/c.cpp:7"}));
  EXPECT_EQ(frames_in_dump(dump), std::vector<std::string>{"0x0 /a/b+0x1f"});
}

TEST(Symbolize, ReadsAddr2linesAnswer) {
  const auto answers = parse_addr2line(
      "0x1\ninner()\n/a/b.cpp:3 (discriminator 2)\nouter()\n/a/b.cpp:9\n0x2\n??\n??:0\n"
      "0x3\nin_assembly\nother.cpp:?\n");
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0],
            (std::vector<std::string>{"inner() at /a/b.cpp:3", "outer() at /a/b.cpp:9"}));
  EXPECT_TRUE(answers[1].empty());
  EXPECT_EQ(answers[2], std::vector<std::string>{"in_assembly"}) << "that file has no such line";
}

TEST(Symbolize, NamesAFunctionOfAProgram) {
  Dl_info info{};
  ASSERT_NE(::dladdr(reinterpret_cast<void*>(&make_nonce), &info), 0);
  const auto offset = reinterpret_cast<std::uintptr_t>(&make_nonce) -
                      reinterpret_cast<std::uintptr_t>(info.dli_fbase);
  const fs::path program = fs::canonical("/proc/self/exe");
  std::array<char, 64> frame{};
  (void)std::snprintf(frame.data(), frame.size(), "+0x%zx", static_cast<std::size_t>(offset));
  const std::vector<std::string> lines =
      symbolize({"0x1 " + program.string() + frame.data(), "0x2 /lib/libc.so.6+0x77"}, program,
                false, 8, [](std::string text) { return text; });
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[0].find("make_nonce"), std::string::npos) << lines[0];
  EXPECT_EQ(lines[1], "libc.so.6+0x77");
}

}  // namespace
}  // namespace goro::grader
