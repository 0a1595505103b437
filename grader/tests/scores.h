// Scores that reports are made of.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "score.h"

namespace goro::grader {

inline TestScore graded(const std::string& name, Status status, double points,
                        const std::string& message = "") {
  TestScore score;
  score.name = name;
  score.status = status;
  score.max_points = points;
  score.points = status == Status::passed ? points : 0;
  score.message = message;
  score.concept_name = "the idea";
  score.section = "labs/01-sum/README.md#step-1";
  score.again = "./course check 1 --test " + name;
  score.debug = "./course debug 1 " + name;
  score.seconds = 0.5;
  return score;
}

inline LabScore graded_lab(int number, const std::string& folder, std::vector<TestScore> tests) {
  LabScore score;
  score.number = number;
  score.lab = folder;
  score.title = folder.substr(3);
  score.tests = std::move(tests);
  return score;
}

inline Score score_of(std::vector<LabScore> labs) {
  Score score;
  score.submission = "labs";
  score.architecture = "x86_64";
  score.compiler = "g++ 12";
  score.seconds = 3.5;
  score.labs = std::move(labs);
  return score;
}

// 60 of 90 points in one lab, and all of another's.
inline Score example_score() {
  Score score =
      score_of({graded_lab(1, "01-sum",
                           {graded("Sum.OfTwo", Status::passed, 60),
                            graded("Sum.OfNegatives", Status::failed, 30, "want -3\ngot 3"),
                            graded("BM_Sum", Status::inconclusive, 10, "too noisy")}),
                graded_lab(2, "02-ring", {graded("Ring.Next", Status::passed, 100)})});
  score.labs[0].tests[2].benchmark = true;
  return score;
}

}  // namespace goro::grader
