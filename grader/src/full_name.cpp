#include "full_name.h"

#include "problem.h"
#include "text.h"

namespace goro::grader {

std::string full_name(const Lab& lab, const std::string& wanted) {
  std::vector<std::string> all;
  for (const Test& test : lab.tests) {
    all.push_back(test.name);
  }
  for (const Benchmark& benchmark : lab.benchmarks) {
    all.push_back(benchmark.name);
  }
  std::vector<std::string> containing;
  for (const std::string& name : all) {
    if (name == wanted) {
      return name;
    }
    if (lower(name).find(lower(wanted)) != std::string::npos) {
      containing.push_back(name);
    }
  }
  if (containing.size() == 1) {
    return containing.front();
  }
  const std::string start = "lab " + lab.number_text() + " has no test \"" + wanted + "\"";
  if (containing.size() > 1) {
    throw wrong_use(start + "; it could mean\n  " + join(containing, "\n  "));
  }
  const std::string meant = nearest(wanted, all);
  throw wrong_use(
      start + "; " +
      (meant.empty() ? "its tests are\n  " + join(all, "\n  ") : "did you mean " + meant + "?"));
}

std::vector<std::string> full_names(const Lab& lab, const std::string& wanted) {
  std::vector<std::string> of_suite;
  for (const Test& test : lab.tests) {
    if (lower(test.name).starts_with(lower(wanted) + ".")) {
      of_suite.push_back(test.name);
    }
  }
  return of_suite.empty() ? std::vector{full_name(lab, wanted)} : of_suite;
}

}  // namespace goro::grader
