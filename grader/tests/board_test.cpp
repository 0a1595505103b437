#include "board.h"

#include <gtest/gtest.h>

#include "problem.h"

namespace goro::grader {
namespace {

Lab ring() {
  Lab lab;
  lab.number = 4;
  lab.folder = "04-ring";
  lab.title = "The ring";
  Benchmark put;
  put.name = "BM_Put";
  put.points = 5;
  put.max_ratio = 1.5;
  Benchmark get = put;
  get.name = "BM_Get";
  lab.benchmarks = {put, get};
  return lab;
}

BoardEntry entry(const std::string& name, Status status, double ratio) {
  BoardEntry made{"04-ring", name, status, status == Status::passed ? 5.0 : 0.0, 5, {}, {}};
  made.ratio = Ratio{ratio, ratio - 0.1, ratio + 0.1};
  return made;
}

BoardRun run(const std::string& date, std::vector<BoardEntry> entries) {
  return {date, "the machine", "g++ 12", std::move(entries), {}, {}};
}

std::string table(const Board& board) {
  const Lab lab = ring();
  return board_table(board, {&lab}, "the machine", Style(false));
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

#define EXPECT_HAS(text, part) EXPECT_TRUE(has(text, part)) << (part) << " is not in\n" << (text)

TEST(BoardOfResults, ShowsTheLatestAndTheBestOfEachBenchmark) {
  Board board;
  board.runs.push_back(run("2026-01-01T10:00:00Z", {entry("BM_Put", Status::passed, 0.95)}));
  board.runs.push_back(run("2026-01-02T10:00:00Z", {entry("BM_Put", Status::failed, 1.9)}));
  const std::string text = table(board);
  EXPECT_HAS(text, "0/5    1.90  1.80 to 2.00    \u2264 1.50    0.95  2026-01-01, of 2 runs");
  EXPECT_HAS(text, "BM_Get");
  EXPECT_HAS(text, "not measured");
  EXPECT_HAS(text, "0 of 10 points for speed");
  EXPECT_HAS(text, "the machine, g++ 12: 2 runs, the latest 2026-01-02 10:00 UTC");
}

TEST(BoardOfResults, ARunOfSomeLabsLeavesTheOthersResultsStanding) {
  Board board;
  board.runs.push_back(run("2026-01-01T10:00:00Z", {entry("BM_Put", Status::passed, 1)}));
  board.runs.push_back(run("2026-01-02T10:00:00Z", {entry("BM_Get", Status::passed, 1.2)}));
  EXPECT_HAS(table(board), "10 of 10 points for speed");
}

TEST(BoardOfResults, AnInconclusiveOneIsInNeitherSum) {
  Board board;
  board.runs.push_back(run("2026-01-01T10:00:00Z", {entry("BM_Put", Status::inconclusive, 1.5),
                                                    entry("BM_Get", Status::passed, 1)}));
  EXPECT_HAS(table(board), "5 of 5 points for speed");
}

TEST(BoardOfResults, AnotherMachinesFiguresAreLeftOut) {
  Board board;
  board.runs.push_back(run("2026-01-01T10:00:00Z", {entry("BM_Put", Status::passed, 0.5)}));
  board.runs.back().machine = "another";
  const std::string text = table(board);
  EXPECT_FALSE(has(text, "0.50")) << text;
  EXPECT_HAS(text, "no run yet");
}

TEST(BoardOfResults, SaysWhyOneCouldNotBeMeasured) {
  Score score;
  LabScore& lab = score.labs.emplace_back();
  lab.lab = "04-ring";
  TestScore& test = lab.tests.emplace_back();
  test.name = "BM_Put";
  test.benchmark = true;
  test.status = Status::failed;
  test.message = "not implemented: lab 4 step 1\nmore";
  lab.tests.emplace_back().name = "Ring.Put";
  Board board;
  board.runs.push_back(run("2026-01-01T10:00:00Z", board_entries(score)));
  ASSERT_EQ(board.runs[0].entries.size(), 1U);
  EXPECT_HAS(table(board), "not implemented: lab 4 step");
}

TEST(BoardOfResults, HasThePeersOfTheLatestRunThatMeasuredThem) {
  Board board;
  board.runs.push_back(run("2026-01-01T10:00:00Z", {}));
  read_peers(
      "{\"versions\": {\"go\": \"go1.26\"}, \"rows\": ["
      "{\"name\": \"ping-pong\", \"unit\": \"ns\", \"procs\": 2,"
      "\"medians\": {\"goro\": 60.0, \"go\": 200.0, \"boost\": 300.0},"
      "\"ratios\": {\"go\": [0.2, 0.3, 0.4], \"boost\": [0.1, 0.2, 0.3]},"
      "\"bars\": [{\"against\": \"go\", \"limit\": 0.33, \"holds\": true},"
      "{\"against\": \"boost\", \"limit\": 1, \"holds\": true}]},"
      "{\"name\": \"parked\", \"unit\": \"bytes\", \"procs\": 1,"
      "\"medians\": {\"goro\": 2520.4, \"go\": 2700.0}, \"ratios\": {\"go\": [0.9, 0.93, 1.0]},"
      "\"bars\": []},"
      "{\"name\": \"alone\", \"unit\": \"ns\", \"procs\": 1, \"medians\": {\"goro\": 1.0},"
      "\"ratios\": {}, \"bars\": []}]}",
      board.runs.back());
  board.runs.push_back(run("2026-01-02T10:00:00Z", {}));
  const std::string text = table(board);
  EXPECT_HAS(text, "2026-01-01 10:00 UTC, go1.26");
  EXPECT_HAS(text, "✓ ping-pong, 2 P");
  EXPECT_HAS(text, "60.0 ns");
  EXPECT_HAS(text, "200 ns");
  EXPECT_HAS(text, "2520 bytes");
  EXPECT_HAS(text, "0.30");
}

TEST(BoardOfResults, IsReadAsItWasWritten) {
  Board board;
  board.runs.push_back(run("2026-01-01T10:00:00Z", {entry("BM_Put", Status::passed, 0.95)}));
  board.runs.back().go = "go1.26";
  board.runs.back().peers.push_back({"ping-pong", "ns", "Go", 60, 200, 0.3, true});
  const std::string text = board_to_json(board);
  EXPECT_EQ(board_to_json(board_from_json(text, "x")), text);
  EXPECT_THROW(board_from_json("{\"runs\": [1]}", "x"), Problem);
}

}  // namespace
}  // namespace goro::grader
