#include <algorithm>
#include <cctype>

#include "commands.h"
#include "last_check.h"
#include "text.h"

namespace goro::grader {

namespace {

std::vector<const Exercise*> exercises(const Lab& lab) {
  std::vector<const Exercise*> all;
  for (const Test& test : lab.tests) {
    all.push_back(&test);
  }
  for (const Benchmark& benchmark : lab.benchmarks) {
    all.push_back(&benchmark);
  }
  return all;
}

// A handout's sections are named after the steps: "step-3-overflow".
bool belongs_to_step(const Exercise& exercise, const std::string& step) {
  const std::string start = "step-" + step;
  return exercise.section == start || exercise.section.starts_with(start + "-");
}

bool passed(const std::optional<LabScore>& last, const Exercise& exercise) {
  if (!last) {
    return false;
  }
  return std::any_of(last->tests.begin(), last->tests.end(), [&](const TestScore& test) {
    return test.name == exercise.name && test.status == Status::passed;
  });
}

// The first of `candidates` that has not passed, else the first.
const Exercise* first_open(const std::vector<const Exercise*>& candidates,
                           const std::optional<LabScore>& last) {
  for (const Exercise* candidate : candidates) {
    if (!passed(last, *candidate)) {
      return candidate;
    }
  }
  return candidates.empty() ? nullptr : candidates.front();
}

const Exercise& choose(const Lab& lab, const std::string& what,
                       const std::optional<LabScore>& last) {
  const std::vector<const Exercise*> all = exercises(lab);
  std::vector<const Exercise*> candidates;
  if (what.empty()) {
    candidates = all;
  } else if (std::all_of(what.begin(), what.end(),
                         [](unsigned char c) { return std::isdigit(c) != 0; })) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(candidates),
                 [&](const Exercise* exercise) { return belongs_to_step(*exercise, what); });
    if (candidates.empty()) {
      throw wrong_use("lab " + lab.number_text() + " has no test for a step " + what +
                      "; its handout lists the steps");
    }
  } else {
    std::vector<std::string> names;
    for (const Exercise* exercise : all) {
      names.push_back(exercise->name);
      if (exercise->name == what) {
        candidates = {exercise};
        break;
      }
      if (lower(exercise->name).find(lower(what)) != std::string::npos) {
        candidates.push_back(exercise);
      }
    }
    if (candidates.empty()) {
      const std::string meant = nearest(what, names);
      throw wrong_use("lab " + lab.number_text() + " has no test \"" + what + "\"" +
                      (meant.empty()
                           ? "; ./course check " + std::to_string(lab.number) + " lists them"
                           : "; did you mean " + meant + "?"));
    }
  }
  return *first_open(candidates, last);
}

}  // namespace

ExitStatus hint(const Course& course, const HintOptions& options, Terminal& terminal) {
  const Lab& lab = course.lab(options.lab);
  const std::string number_text = std::to_string(lab.number);
  if (lab.problem.empty() && !lab.has_exercises()) {
    terminal.print("Lab " + lab.number_text() +
                   " has nothing to check, so there are no hints: read labs/" + lab.folder +
                   "/README.md and try what it says.");
    return ExitStatus::all_points;
  }
  const LastCheck last(course);
  const std::optional<LabScore> score = last.of(lab);
  if (options.what.empty() && !score) {
    terminal.print("Lab " + lab.number_text() + " was not checked yet; run ./course check " +
                   number_text + " first, then ask for a hint.");
    return ExitStatus::all_points;
  }
  const std::vector<const Exercise*> all = exercises(lab);
  if (options.what.empty() && std::all_of(all.begin(), all.end(), [&](const Exercise* exercise) {
        return passed(score, *exercise) ||
               std::none_of(score->tests.begin(), score->tests.end(),
                            [&](const TestScore& test) { return test.name == exercise->name; });
      })) {
    terminal.print("Everything passed at the last check of lab " + lab.number_text() +
                   "; there is nothing to hint at.");
    return ExitStatus::all_points;
  }
  const Exercise& exercise = choose(lab, options.what, score);
  const Style& style = terminal.style();
  const std::size_t given = last.hints_given(lab, exercise.name);
  const std::size_t show =
      std::min(std::max<std::size_t>(1, given + (options.more ? 1 : 0)), exercise.hints.size());
  std::string text =
      style.strong(exercise.name) + "  " + style.quiet(exercise.concept_name) + "\n\n";
  for (std::size_t i = 0; i < show; ++i) {
    const std::string mark = "  " + std::to_string(i + 1) + ". ";
    std::string wrapped = indent(wrap(exercise.hints[i], terminal.width() - mark.size()), "     ");
    text += mark + wrapped.substr(mark.size());
  }
  text += "\n  The handout: labs/" + lab.folder + "/README.md#" + exercise.section + "\n";
  if (show < exercise.hints.size()) {
    text += "  " + count(exercise.hints.size() - show, "more hint") + ": ./course hint " +
            number_text + " " + exercise.name + " --more\n";
  } else if (exercise.hints.empty()) {
    text += "  This test has no hints; its handout section says it all.\n";
  }
  terminal.print(text);
  last.keep_hints_given(lab, exercise.name, show);
  return ExitStatus::all_points;
}

}  // namespace goro::grader
