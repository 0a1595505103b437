// How programs end that must not go on: Go's words, status 2.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "frame/end.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"

namespace {

using goro::testing::ChildEnd;
using goro::testing::in_child;

struct Odd {};

TEST(Failing, AnExceptionThatLeavesAGoroutineIsAPanic) {
  GORO_STEP("throw std::runtime_error(\"boom\") in a goroutine, with nobody to catch it");
  const ChildEnd end = in_child([] {
    goro::run([] {
      goro::go([] { throw std::runtime_error("boom"); });
      for (;;) goro::yield();
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("panic: boom\n\ngoroutine 2 [running]:\n")) << end.err;
}

TEST(Failing, AnExceptionOfAnyTypeIsAPanicWithItsName) {
  const ChildEnd end = in_child([] { goro::run([] { throw Odd{}; }); });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("Odd")) << end.err;
  EXPECT_TRUE(end.says("goroutine 1 [running]:")) << end.err;
}

TEST(Failing, EverybodyAsleepIsADeadlockWithEachWaitReason) {
  GORO_STEP("goroutine 2 sends to nobody, goroutine 1 receives from nobody");
  const ChildEnd end = in_child([] {
    goro::run([] {
      const goro::Channel<int> out;
      const goro::Channel<int> in;
      goro::go([out] { out.send(1); });
      in.receive();
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("fatal error: all goroutines are asleep - deadlock!\n")) << end.err;
  EXPECT_TRUE(end.says("goroutine 1 [chan receive]:")) << end.err;
  EXPECT_TRUE(end.says("goroutine 2 [chan send]:")) << end.err;
}

TEST(Failing, NobodyLeftAfterMainsGoexitIsADeadlockOfItsOwn) {
  const ChildEnd end = in_child([] { goro::run([] { goro::exit_goroutine(); }); });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n"))
      << end.err;
}

TEST(Failing, NilChannelsAreNamedInTheDump) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      goro::go([] { goro::Channel<int>(nullptr).send(1); });
      goro::Channel<int>(nullptr).receive();
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("goroutine 1 [chan receive (nil chan)]:")) << end.err;
  EXPECT_TRUE(end.says("goroutine 2 [chan send (nil chan)]:")) << end.err;
}

TEST(Failing, SigquitDumpsGoroutinesAndQueues) {
  GORO_STEP("park goroutine 2, leave goroutine 3 in the queue, and raise SIGQUIT");
  const ChildEnd end = in_child([] {
    goro::run(
        [] {
          const goro::Channel<int> never;
          goro::go([never] { never.receive(); });
          for (int i = 0; i < 3; ++i) goro::yield();
          goro::go([] {});
          raise(SIGQUIT);
        },
        {.procs = 1});
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("goroutine 1 [running]:")) << end.err;
  EXPECT_TRUE(end.says("goroutine 2 [chan receive]:")) << end.err;
  EXPECT_TRUE(end.says("goroutine 3 [runnable]:")) << end.err;
  EXPECT_TRUE(end.says("P0: status=running")) << end.err;
  EXPECT_TRUE(end.says("runnext=G3")) << end.err;
}

void tell_a_story() {
  constexpr std::string_view kStory = "the story\n";
  if (write(STDERR_FILENO, kStory.data(), kStory.size()) < 0) _exit(9);
}

TEST(Failing, WhatATestHadDoneIsToldBeforeAnyEndThatIsNoSuccess) {
  const auto end_of = [](void (*body)()) {
    return in_child([body] {
      goro_before_end = tell_a_story;
      goro::run([body] { body(); });
    });
  };
  const ChildEnd deadlock = end_of([] { goro::Channel<int>().receive(); });
  EXPECT_EQ(deadlock.err.find("the story\nfatal error: all goroutines"), 0U) << deadlock.err;
  const ChildEnd panic = end_of([] { throw Odd{}; });
  EXPECT_EQ(panic.err.find("the story\npanic: "), 0U) << panic.err;
  const ChildEnd quit = end_of([] { raise(SIGQUIT); });
  EXPECT_EQ(quit.err.find("the story\nSIGQUIT: quit\n"), 0U) << quit.err;
}

TEST(Failing, TheSeedThatIsAskedForIsTheOneThatATestGets) {
  setenv("GORO_SEED", "4711", 1);
  EXPECT_EQ(goro::testing::seed(), 4711U);
  unsetenv("GORO_SEED");
}

TEST(Failing, ChannelMisuseThrowsGosWords) {
  std::string closed_twice;
  std::string sent;
  std::string nil;
  std::string size;
  goro::run([&] {
    const goro::Channel<int> ch(1);
    ch.close();
    try {
      ch.close();
    } catch (const goro::Panic& panic) {
      closed_twice = panic.what();
    }
    try {
      ch.send(1);
    } catch (const goro::Panic& panic) {
      sent = panic.what();
    }
    try {
      goro::Channel<int>(nullptr).close();
    } catch (const goro::Panic& panic) {
      nil = panic.what();
    }
    try {
      const goro::Channel<int> negative(-1);
    } catch (const goro::Panic& panic) {
      size = panic.what();
    }
  });
  EXPECT_EQ(closed_twice, "close of closed channel");
  EXPECT_EQ(sent, "send on closed channel");
  EXPECT_EQ(nil, "close of nil channel");
  EXPECT_EQ(size, "makechan: size out of range");
}

}  // namespace
