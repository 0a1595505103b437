#include <algorithm>

#include "commands.h"
#include "last_check.h"
#include "text.h"

namespace goro::grader {

ExitStatus status(const Course& course, Terminal& terminal) {
  const Style& style = terminal.style();
  const LastCheck last(course);
  std::size_t widest = 0;
  const std::vector<const Lab*> labs = course.select("");
  for (const Lab* lab : labs) {
    widest = std::max(widest, lab->title.size());
  }
  std::string board;
  const Lab* next = nullptr;
  bool next_checked = false;
  bool any_checked = false;
  const Lab* to_read = nullptr;
  for (const Lab* each : labs) {
    const Lab& lab = *each;
    const std::optional<LabScore> score = last.of(lab);
    std::string state = style.quiet("not checked yet");
    bool done = false;
    if (!lab.has_exercises()) {
      state = style.quiet("to read; nothing to check");
      done = true;
      to_read = &lab;
    } else if (score) {
      any_checked = true;
      done = score->all_points() && !last.outdated(lab);
      state = number(score->score()) + " of " + number(score->max_score()) + " points";
      if (score->all_points()) {
        state = style.good(state);
      }
      if (last.outdated(lab)) {
        state += style.warning("  changed since then");
      }
    }
    if (!done && next == nullptr) {
      next = &lab;
      next_checked = score.has_value();
    }
    std::string title = lab.title;
    title.resize(widest, ' ');
    board += "  " + lab.number_text() + "  " + title + "  " + state + "\n";
  }
  terminal.print(style.strong("Labs, as of their last check") + "\n\n" + board + "\n");
  if (next == nullptr) {
    terminal.print(
        "Every lab has all its points. ./course grade --own runs them all on each other.");
    return ExitStatus::all_points;
  }
  const std::string number_text = std::to_string(next->number);
  if (!any_checked && to_read != nullptr) {
    terminal.print("New here? Start with labs/" + to_read->folder + "/README.md.");
  }
  terminal.print("Next: read labs/" + next->folder + "/README.md, then ./course check " +
                 number_text + (next_checked ? "; stuck? ./course hint " + number_text : ""));
  return ExitStatus::all_points;
}

}  // namespace goro::grader
