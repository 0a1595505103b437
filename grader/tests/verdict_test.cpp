#include "verdict.h"

#include <gtest/gtest.h>

#include <csignal>

namespace goro::grader {
namespace {

const std::string nonce = "0123456789abcdef";

std::string complete(const std::string& with_nonce, const std::string& test, bool passed) {
  return "{\"nonce\":\"" + with_nonce + "\",\"event\":\"complete\",\"test\":\"" + test +
         "\",\"passed\":" + (passed ? "true" : "false") + ",\"message\":\"what happened\"}\n";
}

Ended exited(int status, const std::string& output = "") {
  Ended ended;
  ended.how = Ended::How::exited;
  ended.status = status;
  ended.output = output;
  return ended;
}

Verdict verdict_of(const Ended& ended, const std::string& channel) {
  return judge(ended, read_channel(channel, nonce, "Suite.Name"), 10);
}

TEST(VerdictRules, PassedNeedsBothStatusZeroAndCompletion) {
  EXPECT_EQ(verdict_of(exited(0), complete(nonce, "Suite.Name", true)).status, Status::passed);
}

TEST(VerdictRules, StatusZeroWithoutCompletionFailed) {
  const Verdict verdict = verdict_of(exited(0), "");
  EXPECT_EQ(verdict.status, Status::failed);
  EXPECT_NE(verdict.message.find("ended early without finishing the test"), std::string::npos);
}

TEST(VerdictRules, CompletionWithAnotherStatusFailed) {
  const Verdict verdict = verdict_of(exited(67, "goodbye"), complete(nonce, "Suite.Name", true));
  EXPECT_EQ(verdict.status, Status::failed);
  EXPECT_NE(verdict.message.find("status 67"), std::string::npos);
  EXPECT_NE(verdict.message.find("goodbye"), std::string::npos);
}

TEST(VerdictRules, ARaceIsSaidToBeOne) {
  const std::string report = "WARNING: ThreadSanitizer: data race (pid=7)\n";
  const Verdict race = verdict_of(exited(66, report), complete(nonce, "Suite.Name", true));
  EXPECT_EQ(race.status, Status::failed);
  EXPECT_EQ(race.message, "ThreadSanitizer found a data race:");
  EXPECT_FALSE(race.broke_off);
  EXPECT_EQ(verdict_of(exited(66, report), complete(nonce, "Suite.Name", false)).message,
            "what happened\n\nThreadSanitizer found a data race:");
}

TEST(VerdictRules, AnotherNonceIsNotBelieved) {
  EXPECT_EQ(verdict_of(exited(0), complete("guessed", "Suite.Name", true)).status, Status::failed);
  EXPECT_EQ(verdict_of(exited(0), complete("", "Suite.Name", true)).status, Status::failed);
}

TEST(VerdictRules, AnotherTestsCompletionDoesNotCount) {
  EXPECT_EQ(verdict_of(exited(0), complete(nonce, "Suite.Other", true)).status, Status::failed);
}

TEST(VerdictRules, OfTwoCompletionsTheWorseCounts) {
  const std::string good = complete(nonce, "Suite.Name", true);
  const std::string bad = complete(nonce, "Suite.Name", false);
  EXPECT_EQ(verdict_of(exited(0), good + bad).status, Status::failed);
  EXPECT_EQ(verdict_of(exited(0), bad + good).status, Status::failed);
}

TEST(VerdictRules, MalformedMessagesAreIgnored) {
  EXPECT_EQ(verdict_of(exited(0), "{\"nonce\":\n[1]\nnull\n" + complete(nonce, "Suite.Name", true))
                .status,
            Status::passed);
  EXPECT_EQ(verdict_of(exited(0), "{\"nonce\":7,\"event\":{}}\n").status, Status::failed);
}

TEST(VerdictRules, FailureCarriesTheHarnesssMessage) {
  const Verdict verdict = verdict_of(exited(1, "noise"), complete(nonce, "Suite.Name", false));
  EXPECT_EQ(verdict.status, Status::failed);
  EXPECT_EQ(verdict.message, "what happened");
}

TEST(VerdictRules, OtherStatusShowsWhatWasPrinted) {
  const Verdict verdict =
      verdict_of(exited(2, "fatal error: all goroutines are asleep - deadlock!\n"), "");
  EXPECT_EQ(verdict.status, Status::failed);
  EXPECT_TRUE(verdict.broke_off);
  EXPECT_TRUE(verdict.message.starts_with(
      "What happened: fatal error: all goroutines are asleep - deadlock!\n"))
      << verdict.message;
}

TEST(VerdictRules, CrashNamesTheSignalAndKeepsTheSteps) {
  Ended ended;
  ended.how = Ended::How::signalled;
  ended.status = SIGSEGV;
  const Verdict verdict = verdict_of(ended, "{\"nonce\":\"" + nonce +
                                                "\",\"event\":\"crash\",\"signal\":11,\"message\":"
                                                "\"1. put\",\"frames\":[\"0x1 /bin/x+0x2\"]}\n");
  EXPECT_EQ(verdict.status, Status::crashed);
  EXPECT_NE(verdict.message.find("SIGSEGV (segmentation fault)"), std::string::npos);
  EXPECT_NE(verdict.message.find("1. put"), std::string::npos);
  EXPECT_EQ(verdict.frames, std::vector<std::string>{"0x1 /bin/x+0x2"});
}

TEST(VerdictRules, ACrashAfterCompletionIsACrash) {
  Ended ended;
  ended.how = Ended::How::signalled;
  ended.status = SIGABRT;
  EXPECT_EQ(verdict_of(ended, complete(nonce, "Suite.Name", true)).status, Status::crashed);
}

TEST(VerdictRules, TimeoutIsNotFailedAndShowsTheDump) {
  Ended ended;
  ended.how = Ended::How::timed_out;
  ended.output = "goroutine 7 [chan receive]:\n";
  const Verdict verdict = verdict_of(ended, complete(nonce, "Suite.Name", true));
  EXPECT_EQ(verdict.status, Status::timeout);
  EXPECT_NE(verdict.message.find("10 seconds"), std::string::npos);
  EXPECT_NE(verdict.message.find("goroutine 7 [chan receive]"), std::string::npos);
}

TEST(VerdictRules, NotImplementedNamesTheStep) {
  const std::string message =
      "{\"nonce\":\"" + nonce +
      "\",\"event\":\"not_implemented\",\"lab\":4,\"step\":2,\"function\":\"runq_put\"}\n";
  const Verdict verdict = verdict_of(exited(not_implemented_status), message);
  EXPECT_EQ(verdict.status, Status::failed);
  EXPECT_EQ(verdict.message, "not implemented: lab 4 step 2: runq_put");
  ASSERT_TRUE(verdict.not_implemented);
  EXPECT_EQ(verdict.not_implemented->step, 2);
}

TEST(VerdictRules, GoogleTestsCommentaryIsLeftOut) {
  const Verdict verdict = verdict_of(
      exited(2,
             "Note: Google Test filter = A.B\n[==========] Running 1 test.\n[ RUN      ] A.B\n"
             "[my own line]\n[  FAILED  ] A.B\n"),
      "");
  EXPECT_TRUE(verdict.message.ends_with("It printed:\n  [my own line]")) << verdict.message;
}

TEST(VerdictRules, StepsComeBeforeWhatHappened) {
  const auto step = [](const std::string& text) {
    return "{\"nonce\":\"" + nonce + "\",\"event\":\"step\",\"text\":\"" + text + "\"}\n";
  };
  const std::string steps = step("put 257 goroutines") + step("take one");
  EXPECT_EQ(verdict_of(exited(1), steps + complete(nonce, "Suite.Name", false)).message,
            "What was done:\n  1. put 257 goroutines\n  2. take one\n\nwhat happened");
  EXPECT_EQ(verdict_of(exited(0), steps + complete(nonce, "Suite.Name", true)).message,
            "what happened");
}

TEST(VerdictRules, ACrashIsToldOnce) {
  Ended ended;
  ended.how = Ended::How::signalled;
  ended.status = SIGSEGV;
  ended.output = "hello\nsignal 11\n0x1 in f\n";
  const Verdict verdict = verdict_of(
      ended,
      "{\"nonce\":\"" + nonce +
          "\",\"event\":\"crash\",\"signal\":11,\"message\":\"\",\"frames\":[\"0x1 x+0x1\"]}\n");
  EXPECT_NE(verdict.message.find("hello"), std::string::npos);
  EXPECT_EQ(verdict.message.find("0x1 in f"), std::string::npos) << verdict.message;
}

TEST(VerdictRules, OutputCannotCommandTheTerminal) {
  EXPECT_EQ(verdict_of(exited(3, "\x1b[2J"), "").message.find('\x1b'), std::string::npos);
}

TEST(Nonce, IsLongAndNeverTheSame) {
  EXPECT_EQ(make_nonce().size(), 32U);
  EXPECT_NE(make_nonce(), make_nonce());
}

}  // namespace
}  // namespace goro::grader
