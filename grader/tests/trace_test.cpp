#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "problem.h"
#include "test_folder.h"
#include "trace_json.h"

namespace goro::grader {
namespace {

using trace::Kind;
using trace::Record;

template <typename T>
void put(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

Record record(Kind kind, std::uint64_t id, std::uint32_t ticks, std::uint32_t number,
              std::uint8_t argument = 0) {
  return {static_cast<std::uint64_t>(kind) | std::uint64_t{argument} << 8 | id << 16,
          ticks | std::uint64_t{number} << 32};
}

Record at(std::uint64_t ticks) {
  return {static_cast<std::uint64_t>(Kind::time), ticks};
}

// A file of one run that lasts from 1,000 to 11,000 ns, with two ticks a nanosecond.
class TraceText {
 public:
  TraceText() {
    trace::FileHeader header{};
    std::memcpy(header.magic, trace::kMagic, sizeof(header.magic));
    header.reasons = 2;
    put(bytes_, header);
    for (const char* word : {"", "chan receive"}) {
      char text[trace::kWordSize] = {};
      std::strncpy(text, word, sizeof(text) - 1);
      bytes_.append(text, sizeof(text));
    }
  }

  TraceText& m(std::int64_t m, const std::vector<Record>& records) {
    put(buffers_, trace::BufferHeader{m, count_++, static_cast<std::uint32_t>(records.size())});
    for (const Record& each : records) put(buffers_, each);
    return *this;
  }

  [[nodiscard]] std::string bytes() const {
    trace::RunHeader run{};
    run.magic = trace::kRunMagic;
    run.procs = 2;
    run.first_ticks = 50'000;
    run.last_ticks = 70'000;
    run.first_ns = 1'000;
    run.last_ns = 11'000;
    run.buffers = count_;
    std::string all = bytes_;
    put(all, run);
    return all + buffers_;
  }

 private:
  std::string bytes_;
  std::string buffers_;
  std::uint32_t count_ = 0;
};

class Traces : public testing::Test {
 protected:
  void SetUp() override { folder_ = fresh_folder(); }

  TraceFile read(const std::string& bytes) {
    write_file_atomically(folder_ / "records", bytes);
    return read_trace(folder_ / "records");
  }

  nlohmann::json json(const std::string& bytes) {
    std::ostringstream out;
    summary_ = write_trace_json(read(bytes), out);
    return nlohmann::json::parse(out.str()).at("traceEvents");
  }

  fs::path folder_;
  TraceSummary summary_;
};

// Goroutine 7 receives on M1, where 8 follows it; 9 on M2 sends it something, and 7 goes on there.
TraceText example_trace() {
  TraceText text;
  text.m(1, {at(50'000), record(Kind::m_begins, 0, 0, 0), record(Kind::p_taken, 0, 0, 0),
             record(Kind::created, 7, 100, 1), record(Kind::created, 8, 100, 1),
             record(Kind::created, 9, 100, 1), record(Kind::starts, 7, 100, 2),
             record(Kind::parks_for, 8, 1'600, 2, 1), record(Kind::calls, 8, 1'000, 3),
             record(Kind::returns, 8, 1'000, 4), record(Kind::ends, 8, 1'000, 0),
             record(Kind::m_sleeps, 0, 100, 0)});
  text.m(2, {at(51'000), record(Kind::m_begins, 0, 0, 0), record(Kind::p_taken, 1, 0, 0),
             record(Kind::starts, 9, 500, 2), record(Kind::readied, 7, 2'500, 3),
             record(Kind::yields_for, 7, 500, 4), record(Kind::ends, 7, 500, 0)});
  return text;
}

std::size_t place(const TraceRun& run, Kind kind, std::uint64_t id) {
  for (std::size_t i = 0; i < run.events.size(); ++i) {
    if (run.events[i].kind == kind && run.events[i].id == id) return i;
  }
  ADD_FAILURE() << "no kind " << static_cast<int>(kind) << " of " << id;
  return 0;
}

TEST_F(Traces, SwitchesAreAStopAndAStart) {
  const TraceFile file = read(example_trace().bytes());
  ASSERT_EQ(file.runs.size(), 1U);
  const TraceRun& run = file.runs.front();
  const std::size_t stop = place(run, Kind::parks, 7);
  const std::size_t start = place(run, Kind::starts, 8);
  EXPECT_EQ(run.events[stop].argument, 1);
  EXPECT_EQ(run.events[stop].ns, 1'000);
  EXPECT_EQ(run.events[start].ns, 1'000);
  EXPECT_LT(stop, start);
  EXPECT_LT(place(run, Kind::readied, 7), place(run, Kind::yields, 9));
}

TEST_F(Traces, NumbersDecideNotClocks) {
  TraceText text;
  // M2's clock is behind: by its time, 7 was readied before it parked and before it existed.
  text.m(1, {at(60'000), record(Kind::created, 7, 2, 1), record(Kind::starts, 7, 2, 2),
             record(Kind::parks, 7, 2, 0, 1)});
  text.m(2, {at(50'000), record(Kind::readied, 7, 2, 3), record(Kind::starts, 7, 2, 4)});
  const TraceFile file = read(text.bytes());
  const std::vector<TraceEvent>& events = file.runs.at(0).events;
  ASSERT_EQ(events.size(), 5U);
  const Kind expected[] = {Kind::created, Kind::starts, Kind::parks, Kind::readied, Kind::starts};
  double last = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].kind, expected[i]) << i;
    EXPECT_GE(events[i].ns, last);
    last = events[i].ns;
  }
}

TEST_F(Traces, WhatHasNoTimeIsSpreadEvenly) {
  TraceText text;
  text.m(1, {at(50'000), record(Kind::created, 1, 200, 1), record(Kind::created, 2, 0, 1),
             record(Kind::created, 3, 0, 1), record(Kind::created, 4, 600, 1)});
  const TraceFile file = read(text.bytes());
  const std::vector<TraceEvent>& events = file.runs.at(0).events;
  ASSERT_EQ(events.size(), 4U);
  EXPECT_DOUBLE_EQ(events[0].ns, 100);
  EXPECT_DOUBLE_EQ(events[1].ns, 200);
  EXPECT_DOUBLE_EQ(events[2].ns, 300);
  EXPECT_DOUBLE_EQ(events[3].ns, 400);
}

TEST_F(Traces, WhatIsRepeatedIsToldInTurns) {
  TraceText text;
  text.m(1, {at(50'000), record(Kind::created, 1, 2, 1), record(Kind::created, 2, 2, 1),
             record(Kind::starts, 1, 2, 2),
             // 2 is readied three times: as its number 3, 5 and 7; 1 in between.
             record(Kind::readies_and_parks_for_repeated, 2, 2, 7, 1),
             record(Kind::readies_and_parks_for_repeated, 1, 1, 5, 1),
             record(Kind::ends, 2, 1'000, 0)});
  const TraceFile file = read(text.bytes());
  std::string told;
  double last = 0;
  for (const TraceEvent& event : file.runs.at(0).events) {
    EXPECT_GE(event.ns, last);
    last = event.ns;
    if (event.kind == Kind::readied) {
      told += std::to_string(event.id) + " as " + std::to_string(event.number) + ", ";
    }
  }
  EXPECT_EQ(told, "2 as 3, 1 as 3, 2 as 5, 1 as 5, 2 as 7, ");
}

TEST_F(Traces, AnythingIsReadAsFarAsItGoes) {
  const std::string whole = example_trace().bytes();
  EXPECT_THROW(read("a text that is no trace at all"), Problem);
  EXPECT_THROW(read(""), Problem);
  for (std::size_t size = sizeof(trace::FileHeader); size < whole.size(); size += 7) {
    EXPECT_NO_THROW(json(whole.substr(0, size))) << size;
  }
  // A goroutine whose steps contradict each other ends no reader.
  TraceText text;
  text.m(1, {at(50'000), record(Kind::readied, 7, 2, 5), record(Kind::starts, 8, 2, 2)});
  text.m(2, {at(50'000), record(Kind::readied, 8, 2, 3), record(Kind::starts, 7, 2, 4)});
  EXPECT_EQ(read(text.bytes()).runs.at(0).events.size(), 4U);
}

TEST_F(Traces, TheJsonHasSlicesThatDoNotOverlap) {
  const nlohmann::json events = json(example_trace().bytes());
  EXPECT_EQ(summary_.goroutines, 3U);
  EXPECT_EQ(summary_.runs, 1U);
  // On a P, where nothing is inside of something else.
  std::map<std::pair<int, int>, double> ends;
  std::map<std::string, int> names;
  for (const nlohmann::json& event : events) {
    if (event.at("ph") != "X") continue;
    ++names[event.at("name")];
    EXPECT_GE(event.at("dur").get<double>(), 0);
    if (event.at("pid") != 1) continue;
    double& end = ends[{event.at("pid"), event.at("tid")}];
    EXPECT_GE(event.at("ts").get<double>() + 1e-9, end) << event;
    end = event.at("ts").get<double>() + event.at("dur").get<double>();
  }
  EXPECT_EQ(names["G7"], 4) << "twice, on an M and on a P each";
  EXPECT_EQ(names["G8"], 3) << "on an M, and on a P before and after its system call";
  EXPECT_EQ(names["G9"], 2);
  EXPECT_EQ(names["syscall"], 1);
  EXPECT_EQ(names["G8 syscall"], 1);
  EXPECT_EQ(names["sleeps"], 1);
}

TEST_F(Traces, TheJsonSaysWhoMadeWhomRunnableAndWhy) {
  const nlohmann::json events = json(example_trace().bytes());
  std::map<int, nlohmann::json> left;
  int arrived = 0;
  bool parks = false;
  for (const nlohmann::json& event : events) {
    if (event.at("ph") == "s") left[event.at("id")] = event;
    if (event.at("ph") == "f") {
      ++arrived;
      ASSERT_EQ(left.count(event.at("id")), 1U);
      EXPECT_LE(left[event.at("id")].at("ts").get<double>(), event.at("ts").get<double>());
    }
    parks = parks || (event.at("ph") == "i" && event.at("name") == "parks: chan receive");
  }
  EXPECT_EQ(left.size(), 1U) << "9 readied 7; what no goroutine did has no arrow";
  EXPECT_EQ(arrived, 1);
  EXPECT_TRUE(parks);
}

}  // namespace
}  // namespace goro::grader
