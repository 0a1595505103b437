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

const TestScore* result_of(const std::optional<LabScore>& last, const std::string& name) {
  if (!last) {
    return nullptr;
  }
  const auto found = std::find_if(last->tests.begin(), last->tests.end(),
                                  [&](const TestScore& test) { return test.name == name; });
  return found == last->tests.end() ? nullptr : &*found;
}

bool passed(const std::optional<LabScore>& last, const Exercise& exercise) {
  const TestScore* result = result_of(last, exercise.name);
  return result != nullptr && result->status == Status::passed;
}

// The first of `candidates` that has not passed, in the order in which a check explains them, else
// the first.
const Exercise* first_open(const std::vector<const Exercise*>& candidates,
                           const std::optional<LabScore>& last) {
  for (const TestScore* test : last ? last->most_telling() : std::vector<const TestScore*>{}) {
    for (const Exercise* candidate : candidates) {
      if (candidate->name == test->name) {
        return candidate;
      }
    }
  }
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
  if (!lab.has_exercises()) {
    terminal.print("Lab " + lab.number_text() +
                   " has nothing to check, so there are no hints: read labs/" + lab.folder +
                   "/README.md and try what it says.");
    return ExitStatus::all_points;
  }
  // The check that the user made last is the one that the question is about.
  const LastCheck own(course, true);
  const LastCheck alone(course);
  const bool with_own = own.newer_than(alone, lab);
  const LastCheck& last = with_own ? own : alone;
  const std::string flag = with_own ? " --own" : "";
  const std::optional<LabScore> score = last.of(lab);
  if (options.what.empty() && !score) {
    terminal.print("Lab " + lab.number_text() + " was not checked yet; run ./course check " +
                   number_text + " first, then ask for a hint.");
    return ExitStatus::all_points;
  }
  if (score && !score->problem.empty()) {
    terminal.print("At the last check lab " + lab.number_text() +
                   " could not be built, so no test ran and there is nothing to hint at yet.\n" +
                   indent(score->problem, "  ") + "Mend that, then: ./course check " + number_text +
                   flag);
    return ExitStatus::all_points;
  }
  const std::vector<const Exercise*> all = exercises(lab);
  if (options.what.empty() && std::all_of(all.begin(), all.end(), [&](const Exercise* exercise) {
        return passed(score, *exercise) ||
               std::none_of(score->tests.begin(), score->tests.end(),
                            [&](const TestScore& test) { return test.name == exercise->name; });
      })) {
    const auto unchecked = static_cast<std::size_t>(
        std::count_if(lab.tests.begin(), lab.tests.end(),
                      [&](const Test& test) { return result_of(score, test.name) == nullptr; }));
    terminal.print("Everything " + std::string(unchecked > 0 ? "that was checked " : "") +
                   "passed at the last check of lab " + lab.number_text() +
                   (with_own ? " on your own earlier labs (--own)" : "") +
                   "; there is nothing to hint at." +
                   (unchecked > 0 ? " " + count(unchecked, "test") + " not checked yet." : ""));
    return ExitStatus::all_points;
  }
  const Exercise& exercise = choose(lab, options.what, score);
  if (const TestScore* result = result_of(score, exercise.name);
      options.what.empty() && result != nullptr && result->missing_lab) {
    const std::string other = std::to_string(*result->missing_lab);
    terminal.print("At the last check, with --own, " + result->name +
                   " met what is missing in lab " + other + ":\n  " + result->message +
                   "\nDo lab " + other + " first (./course hint " + other +
                   " helps), or check lab " + number_text + " without --own.");
    return ExitStatus::all_points;
  }
  const Style& style = terminal.style();
  const std::size_t given = last.hints_given(lab, exercise.name);
  const std::size_t show = std::min(given + 1, exercise.hints.size());
  std::string text =
      style.strong(exercise.name) + "  " + style.quiet(exercise.concept_name) + "\n\n";
  for (std::size_t i = 0; i < show; ++i) {
    const std::string mark = "  " + std::to_string(i + 1) + ". ";
    std::string wrapped = indent(wrap(exercise.hints[i], terminal.width() - mark.size()), "     ");
    text += mark + wrapped.substr(mark.size());
  }
  text += "\n  The handout: labs/" + lab.folder + "/README.md#" + exercise.section + "\n";
  if (show < exercise.hints.size()) {
    text += "  " + count(exercise.hints.size() - show, "more hint") +
            "; ask again for the next: ./course hint " + number_text +
            (options.what.empty() ? "" : " " + options.what) + "\n";
  } else if (exercise.hints.empty()) {
    text += "  This test has no hints; its handout section says it all.\n";
  }
  if (last.outdated(lab)) {
    text += "  Your files changed since that check; ./course check " + number_text + flag +
            " tells what fails now.\n";
  }
  terminal.print(text);
  last.keep_hints_given(lab, exercise.name, show);
  return ExitStatus::all_points;
}

}  // namespace goro::grader
