// GORO_TRACE: what is recorded of small runs.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "frame/settings.h"
#include "frame/trace.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"

// Other files of this program have short names of their own.
namespace goro::trace_test {
namespace {

using testing::ChildEnd;
using testing::in_child;
using trace::Kind;

struct Event {
  std::int64_t m = 0;
  Kind kind = Kind::time;
  std::uint8_t argument = 0;
  std::uint64_t id = 0;
  std::uint32_t number = 0;
};

struct RecordedRun {
  trace::RunHeader header{};
  std::map<std::int64_t, std::vector<Event>> ms;  // switches are taken apart
  std::size_t left_unfolded = 0;
};

struct Recorded {
  ChildEnd end;
  std::string bytes;
  std::vector<std::string> reasons;
  std::vector<RecordedRun> runs;
};

template <typename T>
bool take(const std::string& bytes, std::size_t* at, T* value) {
  if (bytes.size() - *at < sizeof(T)) return false;
  std::memcpy(value, bytes.data() + *at, sizeof(T));
  *at += sizeof(T);
  return true;
}

// Of one M, in order.
class Stream {
 public:
  void add(std::int64_t m, const trace::Record& record) {
    Kind kind = record.kind();
    std::uint32_t number = record.number();
    if (trace::is_hand_over(kind)) {
      push({m, Kind::readied, 0, record.id(), number++});
    }
    if (trace::is_switch(kind)) {
      push({m, trace::stop_of(kind), record.argument(), running_, 0});
      kind = Kind::starts;
    }
    push({m, kind, record.argument(), record.id(), number});
  }

  std::vector<Event> events;

 private:
  void push(Event event) {
    if (trace::is_stop(event.kind)) event.number = number_;
    events.push_back(event);
    if (event.kind == Kind::starts) running_ = event.id;
    if (event.kind >= Kind::created && event.id == running_) number_ = event.number;
  }

  std::uint64_t running_ = 0;
  std::uint32_t number_ = 0;
};

// Whether the second is the first one's hand-over once more, and both were too quick for the clock.
bool is_once_more(const trace::Record& first, const trace::Record& second) {
  return trace::is_hand_over(first.kind()) && first.what == second.what && first.ticks() == 0 &&
         second.ticks() == 0 && second.number() == first.number() + trace::kNumbersOfHandOver;
}

// How many hand-overs of a buffer should have been counted in the record two before.
std::size_t left_unfolded(const std::vector<trace::Record>& records) {
  std::size_t n = 0;
  for (std::size_t i = 3; i < records.size(); ++i) {
    if (!trace::is_repeated(records[i - 3].kind()) && is_once_more(records[i - 2], records[i])) ++n;
  }
  return n;
}

void parse(Recorded* recorded) {
  const std::string& bytes = recorded->bytes;
  std::size_t at = 0;
  trace::FileHeader header{};
  if (!take(bytes, &at, &header)) return;
  ASSERT_EQ(std::memcmp(header.magic, trace::kMagic, sizeof(header.magic)), 0);
  for (std::uint32_t i = 0; i < header.reasons; ++i, at += trace::kWordSize) {
    recorded->reasons.emplace_back(bytes.c_str() + at);
  }
  for (RecordedRun run; take(bytes, &at, &run.header); run = RecordedRun{}) {
    ASSERT_EQ(run.header.magic, trace::kRunMagic);
    std::map<std::pair<std::int64_t, std::uint32_t>, std::vector<trace::Record>> buffers;
    for (std::uint32_t i = 0; i < run.header.buffers; ++i) {
      trace::BufferHeader buffer{};
      ASSERT_TRUE(take(bytes, &at, &buffer));
      auto& records = buffers[{buffer.m, buffer.serial}];
      records.resize(buffer.count);
      for (trace::Record& record : records) ASSERT_TRUE(take(bytes, &at, &record));
    }
    std::map<std::int64_t, Stream> streams;
    for (const auto& [key, records] : buffers) {
      run.left_unfolded += left_unfolded(records);
      trace::unfold(records.data(), records.size(),
                    [&, m = key.first](const trace::Record& record) { streams[m].add(m, record); });
    }
    for (auto& [m, stream] : streams) run.ms[m] = std::move(stream.events);
    recorded->runs.push_back(std::move(run));
  }
}

// What body() records in a process of its own.
template <typename F>
Recorded record(F&& body, const char* debug = "") {
  Recorded recorded;
  const int file = memfd_create("trace", 0);
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  recorded.end = in_child([&] {
    setenv("GORO_TRACE", path.c_str(), 1);
    setenv("GORO_DEBUG", debug, 1);
    goro::settings_read_again();
    body();
  });
  recorded.bytes.resize(static_cast<std::size_t>(lseek(file, 0, SEEK_END)));
  const ssize_t size = pread(file, recorded.bytes.data(), recorded.bytes.size(), 0);
  close(file);
  EXPECT_EQ(size, static_cast<ssize_t>(recorded.bytes.size()));
  parse(&recorded);
  return recorded;
}

// Each goroutine's events, by number.
std::map<std::uint64_t, std::vector<Event>> lives(const RecordedRun& run) {
  std::map<std::uint64_t, std::vector<Event>> all;
  for (const auto& [m, events] : run.ms) {
    for (const Event& event : events) {
      if (trace::is_of_goroutine(event.kind)) all[event.id].push_back(event);
    }
  }
  for (auto& [id, events] : all) {
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return std::pair(a.number, trace::is_stop(a.kind)) <
             std::pair(b.number, trace::is_stop(b.kind));
    });
  }
  return all;
}

bool may_follow(Kind before, Kind next) {
  switch (before) {
    case Kind::created:
    case Kind::readied:
    case Kind::yields:
    case Kind::preempted:
    case Kind::requeued:
      return next == Kind::starts;
    case Kind::starts:
    case Kind::returns:
      return trace::is_stop(next) || next == Kind::calls;
    case Kind::calls:
      return next == Kind::returns || next == Kind::requeued;
    case Kind::parks:
      return next == Kind::readied || next == Kind::starts;
    default:
      return false;
  }
}

// Does the run tell one story, whatever its Ms' clocks say?
void expect_sound(const RecordedRun& run) {
  for (const auto& [id, events] : lives(run)) {
    EXPECT_EQ(events.front().kind, Kind::created) << "of goroutine " << id;
    std::int64_t m = 0;
    Kind before = Kind::created;
    for (std::size_t i = 1; i < events.size(); ++i) {
      const Event& event = events[i];
      ASSERT_EQ(event.number, events[i - 1].number + (trace::is_stop(event.kind) ? 0U : 1U))
          << "of goroutine " << id;
      if (event.kind == Kind::stack_moved) continue;  // while it runs, or has just parked
      ASSERT_TRUE(may_follow(before, event.kind))
          << "goroutine " << id << ": kind " << static_cast<int>(event.kind) << " after kind "
          << static_cast<int>(before) << ", number " << event.number;
      before = event.kind;
      if (event.kind == Kind::starts) m = event.m;
      if (event.kind != Kind::readied) {
        ASSERT_EQ(event.m, m) << "goroutine " << id << " is on two Ms";
      }
    }
  }
  for (const auto& [m, events] : run.ms) {
    std::uint64_t running = 0;
    for (const Event& event : events) {
      if (event.kind == Kind::starts) {
        ASSERT_EQ(running, 0U) << "two goroutines run on M" << m;
        running = event.id;
      } else if (trace::is_stop(event.kind) || event.kind == Kind::requeued) {
        ASSERT_EQ(running, event.id) << "on M" << m;
        running = 0;
      }
    }
  }
}

std::size_t count(const RecordedRun& run, Kind kind) {
  std::size_t n = 0;
  for (const auto& [m, events] : run.ms) {
    for (const Event& event : events) n += event.kind == kind ? 1U : 0U;
  }
  return n;
}

bool parks_for(const Recorded& recorded, const RecordedRun& run, const std::string& reason) {
  for (const auto& [m, events] : run.ms) {
    for (const Event& event : events) {
      if (event.kind == Kind::parks && recorded.reasons.at(event.argument) == reason) return true;
    }
  }
  return false;
}

void ping_pong(int times) {
  goro::Channel<int> there;
  goro::Channel<int> back;
  goro::WaitGroup both;
  both.go([there, back] {
    for (const int value : there) back.send(value);
  });
  both.go([there, back, times] {
    for (int i = 0; i < times; ++i) {
      there.send(i);
      back.receive();
    }
    there.close();
  });
  both.wait();
}

TEST(Trace, IsOffUnlessAskedFor) {
  GORO_STEP("a run without GORO_TRACE");
  goro::run([] { EXPECT_FALSE(goro::trace_is_on()); });
  GORO_STEP("GORO_TRACE=file, read again; those that the process starts do not get it");
  const Recorded recorded = record([] {
    if (std::getenv("GORO_TRACE") != nullptr) _exit(7);
  });
  EXPECT_EQ(recorded.end.status, 0) << recorded.end.told();
  EXPECT_EQ(recorded.bytes, "") << "without a run there is nothing to write";
}

TEST(Trace, WithQueuesItSaysWhatMovesWhenTheRingIsFull) {
  GORO_STEP("300 goroutines are created on one P; the 258th finds the ring full");
  const Recorded recorded = record(
      [] {
        goro::run(
            [] {
              goro::WaitGroup all;
              for (int i = 0; i < 300; ++i) all.go([] {});
              all.wait();
            },
            {.procs = 1});
      },
      "tracequeues=1");
  ASSERT_EQ(recorded.runs.size(), 1U) << recorded.end.told();
  expect_sound(recorded.runs[0]);
  std::uint32_t head = 0;
  std::uint32_t most = 0;
  bool overflowed = false;
  bool in_order = true;
  std::map<std::uint32_t, std::uint64_t> ring;
  for (const Event& event : recorded.runs[0].ms.at(0)) {
    if (event.kind == Kind::lrq_has) {
      // A new buffer begins with all of the ring.
      in_order = in_order && ring.emplace(event.number, event.id).first->second == event.id;
    } else if (event.kind == Kind::lrq_ends) {
      most = std::max(most, static_cast<std::uint32_t>(event.id) - event.number);
      overflowed = overflowed || event.number - head == kRunqSize / 2;
      head = event.number;
    } else if (event.kind == Kind::grq_length && event.number != 0) {
      EXPECT_LE(event.number, 129U) << "half of the ring and one more go to the GRQ";
    }
  }
  EXPECT_TRUE(in_order) << "two goroutines were told to be in one place of the ring";
  EXPECT_EQ(most, kRunqSize) << "so full was the ring";
  EXPECT_TRUE(overflowed) << "the head did not go on by half a ring at once";
}

TEST(Trace, EveryGoroutineHasALifeInOrder) {
  GORO_STEP("fifty pairs play ping-pong on four Ps; others sleep, yield, make system calls");
  const Recorded recorded = record([] {
    goro::run(
        [] {
          goro::WaitGroup all;
          for (int i = 0; i < 50; ++i) {
            all.go([] { ping_pong(20); });
            all.go([] { goro::sleep(std::chrono::microseconds(200)); });
            all.go([] { goro::yield(); });
            all.go([] { goro::system_call([] { ::usleep(100); }); });
          }
          all.wait();
        },
        {.procs = 4});
  });
  ASSERT_EQ(recorded.end.status, 0) << recorded.end.told();
  ASSERT_EQ(recorded.runs.size(), 1U);
  const RecordedRun& run = recorded.runs.front();
  expect_sound(run);
  EXPECT_EQ(run.header.procs, 4U);
  EXPECT_EQ(run.header.lost, 0U);
  EXPECT_EQ(run.header.cut_off, 0U);
  EXPECT_EQ(count(run, Kind::created), 301U) << "goroutine 1, 200, and two for each game";
  EXPECT_GE(count(run, Kind::ends), 100U) << "all but those that the end of the run overtook";
  EXPECT_GE(count(run, Kind::yields), 50U);
  EXPECT_EQ(count(run, Kind::calls), 50U);
  EXPECT_EQ(count(run, Kind::returns) + count(run, Kind::requeued), 50U);
  EXPECT_TRUE(parks_for(recorded, run, "sleep"));
  const auto all = lives(run);
  const auto main = all.find(1);
  ASSERT_NE(main, all.end());
  EXPECT_EQ(main->second.front().argument, 0U) << "nobody created goroutine 1";
  EXPECT_EQ(main->second.back().kind, Kind::ends);
}

// Goroutines that yield in turns: each time is a record.
void yield_in_turns(int times) {
  goro::WaitGroup all;
  for (int i = 0; i < 3; ++i) {
    all.go([times] {
      for (int n = 0; n < times; ++n) goro::yield();
    });
  }
  all.wait();
}

TEST(Trace, AFullBufferIsFollowedByAnother) {
  GORO_STEP("three goroutines yield 5,000 times: more than one buffer holds");
  const Recorded recorded = record([] { goro::run([] { yield_in_turns(5'000); }, {.procs = 2}); });
  ASSERT_EQ(recorded.end.status, 0) << recorded.end.told();
  ASSERT_EQ(recorded.runs.size(), 1U);
  expect_sound(recorded.runs.front());
  EXPECT_EQ(recorded.runs.front().header.lost, 0U);
  EXPECT_GT(recorded.runs.front().header.buffers, 10U);
}

TEST(Trace, KeepsTheEndWhenAllBuffersAreFull) {
  GORO_STEP("the same with room for eight buffers");
  const Recorded recorded =
      record([] { goro::run([] { yield_in_turns(5'000); }, {.procs = 1}); }, "tracebuffers=8");
  ASSERT_EQ(recorded.end.status, 0) << recorded.end.told();
  ASSERT_EQ(recorded.runs.size(), 1U);
  const RecordedRun& run = recorded.runs.front();
  EXPECT_EQ(run.header.buffers, 8U);
  EXPECT_GT(run.header.lost, 1'000U);
  const auto all = lives(run);
  const auto main = all.find(1);
  ASSERT_NE(main, all.end());
  EXPECT_EQ(main->second.back().kind, Kind::ends);
}

TEST(Trace, HandOversInTurnsAreCountedAndLoseNothing) {
  GORO_STEP("50,000 rounds of ping-pong on one P, in the middle of which a third one runs");
  const Recorded recorded = record([] {
    goro::run(
        [] {
          goro::WaitGroup third;
          third.go([] {
            for (int i = 0; i < 100; ++i) goro::sleep(std::chrono::microseconds(20));
          });
          ping_pong(50'000);
          third.wait();
        },
        {.procs = 1});
  });
  ASSERT_EQ(recorded.end.status, 0) << recorded.end.told();
  ASSERT_EQ(recorded.runs.size(), 1U);
  const RecordedRun& run = recorded.runs.front();
  expect_sound(run);
  EXPECT_GE(count(run, Kind::readied), 100'000U) << "each value readies whoever waits for it";
  EXPECT_EQ(run.header.lost, 0U);
  EXPECT_EQ(run.left_unfolded, 0U) << "hand-overs that have a record each";
}

TEST(Trace, OneFileForAllRunsOfAProcess) {
  GORO_STEP("three runs");
  const Recorded recorded = record([] {
    for (int i = 0; i < 3; ++i) goro::run([] { ping_pong(3); }, {.procs = 2});
  });
  ASSERT_EQ(recorded.end.status, 0) << recorded.end.told();
  ASSERT_EQ(recorded.runs.size(), 3U);
  for (const RecordedRun& run : recorded.runs) {
    expect_sound(run);
    EXPECT_EQ(count(run, Kind::created), 3U);
  }
}

TEST(Trace, ADeadlockIsInIt) {
  GORO_STEP("goroutine 1 receives from a channel to which nobody sends");
  const Recorded recorded =
      record([] { goro::run([] { goro::Channel<int>().receive(); }, {.procs = 2}); });
  EXPECT_TRUE(recorded.end.fatal_with("all goroutines are asleep - deadlock!"))
      << recorded.end.told();
  ASSERT_EQ(recorded.runs.size(), 1U);
  EXPECT_EQ(recorded.runs.front().header.cut_off, 1U);
  expect_sound(recorded.runs.front());
  const auto all = lives(recorded.runs.front());
  const auto main = all.find(1);
  ASSERT_NE(main, all.end());
  EXPECT_EQ(main->second.back().kind, Kind::parks);
  EXPECT_TRUE(parks_for(recorded, recorded.runs.front(), "chan receive"));
}

TEST(Trace, ASignalThatEndsTheProcessLeavesIt) {
  for (const int signal : {SIGQUIT, SIGINT, SIGTERM}) {
    GORO_STEP("goroutines run; signal " + std::to_string(signal));
    const Recorded recorded = record([signal] {
      goro::run(
          [signal] {
            ping_pong(10);
            goro::system_call([signal] { raise(signal); });
          },
          {.procs = 2});
    });
    EXPECT_EQ(recorded.end.status, signal == SIGQUIT ? 2 : 128 + signal) << recorded.end.told();
    ASSERT_EQ(recorded.runs.size(), 1U);
    EXPECT_EQ(recorded.runs.front().header.cut_off, 1U);
    expect_sound(recorded.runs.front());
  }
}

}  // namespace
}  // namespace goro::trace_test
