// What backtraces say: functions as the source names them, where they stand, and nothing of the
// runtime's own.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "frame/demangle.h"
#include "frame/dump.h"
#include "frame/lines.h"
#include "frame/settings.h"
#include "frame/symbols.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"

namespace {

using goro::TextSink;
using goro::testing::ChildEnd;
using goro::testing::in_child;

// "lines_test.cpp:12 +0x"
std::string place(int line) {
  return goro::knows_source_lines ? "lines_test.cpp:" + std::to_string(line) + " +0x" : "+0x";
}

// No name of the runtime's or of a library's, and none that only a linker can read.
void expect_only_the_programs(const ChildEnd& end) {
  for (const char* words : {"_ZN", "frame/", "solutions/", "/include/", "libstdc++", "libc.so"}) {
    EXPECT_FALSE(end.says(words)) << words << " is in\n" << end.err;
  }
}

volatile int sink = 0;

constexpr int kThrowLine = __LINE__ + 2;
[[gnu::noinline]] void throw_from_here() {
  throw std::runtime_error("boom");
}

constexpr int kCallLine = __LINE__ + 2;
[[gnu::noinline]] void call_the_thrower() {
  throw_from_here();
  sink = 1;
}

TEST(Lines, APanicTellsWhereItWasThrownAndWhoStartedTheGoroutine) {
  GORO_STEP("a goroutine throws, two functions deep");
  const int go_line = __LINE__ + 3;
  const ChildEnd end = in_child([] {
    goro::run([] {
      goro::go([] { call_the_thrower(); });
      for (;;) goro::yield();
    });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("(anonymous namespace)::throw_from_here()\n\t")) << end.err;
  EXPECT_TRUE(end.says(place(kThrowLine))) << end.err;
  EXPECT_TRUE(end.says("(anonymous namespace)::call_the_thrower()\n\t")) << end.err;
  EXPECT_TRUE(end.says(place(kCallLine))) << end.err;
  EXPECT_TRUE(end.says("created by ")) << end.err;
  EXPECT_TRUE(end.says(" in goroutine 1\n\t")) << end.err;
  EXPECT_TRUE(end.says(place(go_line))) << end.err;
  expect_only_the_programs(end);
}

constexpr int kReceiveLine = __LINE__ + 2;
[[gnu::noinline]] void wait_for(const goro::Channel<int>& never) {
  never.receive();
  sink = 2;
}

TEST(Lines, ADeadlockTellsWhereEachGoroutineWaits) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      const goro::Channel<int> never;
      goro::go([never] { wait_for(never); });
      wait_for(never);
    });
  });
  EXPECT_EQ(end.status, 2);
  std::size_t found = 0;
  for (std::size_t at = 0; (at = end.err.find(place(kReceiveLine), at)) != std::string::npos;
       ++at) {
    ++found;
  }
  EXPECT_GE(found, 2U) << end.err;
  expect_only_the_programs(end);
}

constexpr int kRaiseLine = __LINE__ + 2;
[[gnu::noinline]] void ask_for_a_dump() {
  raise(SIGQUIT);
  sink = 3;
}

TEST(Lines, SigquitTellsThemInsideOfItsHandler) {
  const ChildEnd end = in_child([] { goro::run([] { ask_for_a_dump(); }); });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says("(anonymous namespace)::ask_for_a_dump()\n\t")) << end.err;
  EXPECT_TRUE(end.says(place(kRaiseLine))) << end.err;
  expect_only_the_programs(end);
}

constexpr int kUnlockLine = __LINE__ + 2;
[[gnu::noinline]] void unlock(goro::Mutex& mutex) {
  mutex.unlock();
  sink = 4;
}

TEST(Lines, AFatalErrorTellsWhoIsToBlame) {
  const ChildEnd end = in_child([] {
    goro::run([] {
      goro::go([] {
        goro::Mutex mutex;
        unlock(mutex);
      });
      for (;;) goro::yield();
    });
  });
  EXPECT_TRUE(end.fatal_with("sync: unlock of unlocked mutex")) << end.err;
  EXPECT_TRUE(end.says(place(kUnlockLine))) << end.err;
  expect_only_the_programs(end);
}

TEST(Lines, TheRuntimesFunctionsAreThereForWhoAsks) {
  const ChildEnd end = in_child([] {
    setenv("GORO_TRACEBACK", "system", 1);
    goro::settings_read_again();
    goro::run([] { wait_for(goro::Channel<int>()); });
  });
  EXPECT_EQ(end.status, 2);
  EXPECT_TRUE(end.says(place(kReceiveLine))) << end.err;
  EXPECT_TRUE(end.says("goro::chanrecv(")) << end.err;
  EXPECT_EQ(end.says("runtime/frame/"), goro::knows_source_lines) << end.err;
}

TEST(Lines, AnAddressWithoutDebugInformationIsAnOffsetInItsFile) {
  std::string text;
  {
    TextSink out(&text);
    goro::print_symbol(&out, reinterpret_cast<std::uintptr_t>(&getpid) + 1);
  }
  EXPECT_NE(text.find("getpid\n\t"), std::string::npos) << text;
  EXPECT_NE(text.find("+0x"), std::string::npos) << text;
}

struct Place {
  std::string function;
  int line;
};

constexpr int kCaptureLine = __LINE__ + 3;
[[gnu::noinline]] goro::Backtrace trace_of_here() {
  goro::Backtrace trace;
  goro::capture_backtrace(&trace);
  return trace;
}

TEST(Lines, AreFoundForTheCallAndNotForWhatFollowsIt) {
  const goro::Backtrace trace = trace_of_here();
  ASSERT_GE(trace.count, 2);
  std::vector<Place> places;
  for (int i = 0; i < trace.count && places.empty(); ++i) {
    goro::source_lines(
        trace.pc[i] - 1,
        [](const goro::SourceLine& line, int, void* arg) {
          if (std::string(line.file).find("lines_test.cpp") == std::string::npos) return;
          static_cast<std::vector<Place>*>(arg)->push_back(
              {line.function == nullptr ? "" : line.function, line.line});
        },
        &places);
  }
  ASSERT_EQ(places.empty(), !goro::knows_source_lines);
  if (places.empty()) return;
  EXPECT_EQ(places[0].line, kCaptureLine);
  EXPECT_NE(places[0].function.find("trace_of_here"), std::string::npos) << places[0].function;
}

std::string plain(const std::string& name, std::size_t size = 200) {
  std::string room(size, '\0');
  return goro::demangled(name.c_str(), room.data(), room.size());
}

TEST(Demangled, NamesAreAsInTheSource) {
  EXPECT_EQ(plain("_ZN4goro5yieldEv"), "goro::yield()");
  EXPECT_EQ(plain("_ZNK4goro7ChannelIiE4sendEi"), "goro::Channel<int>::send(int) const");
  EXPECT_EQ(plain("_ZN4goro5yieldEv.constprop.0"), "goro::yield()");
}

TEST(Demangled, WhatIsNoMangledNameStaysAsItIs) {
  EXPECT_EQ(plain("main"), "main");
  EXPECT_EQ(plain("_Z?"), "_Z?");
  EXPECT_EQ(plain(""), "");
}

TEST(Demangled, InASignalHandlerTooWithoutTheHeap) {
  goro::dump_in_signal = true;
  EXPECT_EQ(plain("_ZN4goro5yieldEv"), "goro::yield()");
  const std::string name = "_Z400" + std::string(400, 'a') + "v";
  EXPECT_EQ(plain(name), name) << "there is no stack for it";
  goro::dump_in_signal = false;
}

TEST(Demangled, ANameThatDoesNotFitIsCut) {
  EXPECT_EQ(plain("_ZN4goro5yieldEv", 8), "goro::y");
}

}  // namespace
