#include "bench_stats.h"

#include <gtest/gtest.h>

namespace goro::grader {
namespace {

std::vector<BenchSample> samples(const std::vector<double>& ratios) {
  std::vector<BenchSample> all;
  for (const double ratio : ratios) {
    all.push_back({100 * ratio, 100});
  }
  return all;
}

TEST(BenchVerdict, ClearlyBelowTheBoundPasses) {
  EXPECT_EQ(decide(estimate(samples({1.0, 1.1, 0.9, 1.05, 1.0})), 1.5), Status::passed);
}

TEST(BenchVerdict, TooFewRoundsDecideNothing) {
  EXPECT_EQ(decide(estimate(samples({1, 1, 1, 1})), 1.5), Status::inconclusive);
  EXPECT_EQ(decide(estimate({}), 1.5), Status::inconclusive);
}

TEST(BenchVerdict, FailingTakesMoreRoundsThanPassing) {
  EXPECT_EQ(decide(estimate(samples({3, 3, 3, 3, 3})), 1.5), Status::inconclusive);
  EXPECT_EQ(decide(estimate(samples({3, 3, 3, 3, 3, 3, 3})), 1.5), Status::failed);
}

TEST(BenchVerdict, ARangeAcrossTheBoundIsInconclusive) {
  EXPECT_EQ(decide(estimate(samples({1.0, 2.0, 1.2, 1.9, 1.4, 1.6, 1.5})), 1.5),
            Status::inconclusive);
}

TEST(BenchVerdict, AFewDisturbedRoundsDoNotMatterOnceThereAreEnough) {
  EXPECT_EQ(decide(estimate(samples({1, 1, 1, 1, 9})), 1.5), Status::inconclusive);
  EXPECT_EQ(decide(estimate(samples({1, 1, 1, 1, 9, 1, 1, 1})), 1.5), Status::passed);
}

TEST(BenchVerdict, NoiseThatHitsBothOfARoundCancels) {
  EXPECT_EQ(decide(estimate({{100, 100}, {500, 480}, {120, 125}, {900, 880}, {101, 99}}), 1.5),
            Status::passed);
}

TEST(BenchEstimate, RangeHoldsTheRatioOfTheMedians) {
  const RatioEstimate known = estimate({{100, 50}, {110, 60}, {90, 40}, {105, 55}, {95, 45}});
  EXPECT_DOUBLE_EQ(known.student_ns, 100);
  EXPECT_DOUBLE_EQ(known.reference_ns, 50);
  EXPECT_DOUBLE_EQ(known.ratio, 2);
  EXPECT_LE(known.low, known.ratio);
  EXPECT_GE(known.high, known.ratio);
}

TEST(BenchEstimate, MedianOfEvenCountIsTheMean) {
  EXPECT_DOUBLE_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_DOUBLE_EQ(median({}), 0);
}

TEST(BenchReport, FindsTheRunAndItsUnit) {
  std::string problem;
  const std::string json = R"({"benchmarks":[
    {"name":"BM_A","run_type":"aggregate","cpu_time":1,"time_unit":"ns"},
    {"name":"BM_A","run_type":"iteration","cpu_time":2,"real_time":7,"time_unit":"us"},
    {"name":"BM_A/real_time","run_type":"iteration","cpu_time":2,"real_time":7,"time_unit":"ms"}]})";
  EXPECT_DOUBLE_EQ(time_from_report(json, "BM_A", problem), 2000);
  EXPECT_DOUBLE_EQ(time_from_report(json, "BM_A/real_time", problem), 7e6);
  EXPECT_EQ(problem, "");
}

TEST(BenchReport, FindsACounter) {
  std::string problem;
  const std::string json = R"({"benchmarks":[
    {"name":"BM_A","run_type":"iteration","cpu_time":2,"time_unit":"us","bytes":8192.5,"none":0}]})";
  EXPECT_DOUBLE_EQ(counter_from_report(json, "BM_A", "bytes", problem), 8192.5);
  EXPECT_EQ(problem, "");
  EXPECT_EQ(counter_from_report(json, "BM_A", "threads", problem), 0);
  EXPECT_EQ(problem, "it reported no threads");
  EXPECT_EQ(counter_from_report(json, "BM_A", "none", problem), 0);
  EXPECT_EQ(problem, "it reported no none") << "there is no ratio to nothing";
}

TEST(BenchReport, SaysWhatIsWrong) {
  std::string problem;
  EXPECT_EQ(time_from_report("", "BM_A", problem), 0);
  EXPECT_EQ(problem, "it wrote no benchmark report");
  EXPECT_EQ(time_from_report(R"({"benchmarks":[]})", "BM_A", problem), 0);
  EXPECT_EQ(problem, "its report has no run named BM_A");
  EXPECT_EQ(
      time_from_report(
          R"({"benchmarks":[{"name":"BM_A","error_occurred":true,"error_message":"lost one"}]})",
          "BM_A", problem),
      0);
  EXPECT_EQ(problem, "lost one");
}

TEST(BenchFilter, MatchesOneNameOnly) {
  EXPECT_EQ(exact_filter("BM_Put<int>/64"), "^BM_Put<int>/64$");
  EXPECT_EQ(exact_filter("BM.x"), "^BM\\.x$");
}

}  // namespace
}  // namespace goro::grader
