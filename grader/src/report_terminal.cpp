#include "report_terminal.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "text.h"

namespace goro::grader {

namespace {

std::string status_text(const TestScore& test) {
  if (test.missing_lab) {
    return test.message;  // one line, with the lab, the function and its file
  }
  if (test.missing_step) {
    return "not implemented: step " + std::to_string(*test.missing_step);
  }
  switch (test.status) {
    case Status::timeout:
      return test.time_limit_s ? "timed out after " + std::to_string(*test.time_limit_s) + " s"
                               : "timed out";
    case Status::not_run:
      return test.message.starts_with("not run: ") ? test.message : "not run";
    case Status::inconclusive:
      return "inconclusive, not counted";
    default:
      return std::string(name_of(test.status));
  }
}

std::string percent(double part, double whole) {
  return whole > 0 ? number(static_cast<double>(static_cast<long>(100 * part / whole))) + " %"
                   : "-";
}

// Of the tests that met a function of an earlier lab unimplemented, the one that met the first.
const TestScore* first_of_another_lab(const LabScore& score) {
  const TestScore* first = nullptr;
  const auto place = [](const TestScore& test) {
    return std::pair(test.missing_lab.value_or(0), test.missing_step.value_or(0));
  };
  for (const TestScore& test : score.tests) {
    if (test.missing_lab && (first == nullptr || place(test) < place(*first))) {
      first = &test;
    }
  }
  return first;
}

// The first step that a test met unimplemented, with its function and file if lab.json names them.
std::string where_to_start(const Lab& lab, const LabScore& score) {
  if (const TestScore* missing = first_of_another_lab(score)) {
    const std::string other = std::to_string(*missing->missing_lab);
    return missing->message + "\nDo lab " + other + " first (./course check " + other +
           "), or check lab " + std::to_string(lab.number) + " without --own";
  }
  int first = std::numeric_limits<int>::max();
  for (const TestScore& test : score.tests) {
    first = std::min(first, test.missing_step.value_or(first));
  }
  std::string text = "start with step " + std::to_string(first);
  if (const Step* step = lab.find_step(first); step != nullptr) {
    text += ": " + step->function + " in labs/" + lab.folder + "/" + step->file + "  (" +
            step->title + ")";
  }
  return text;
}

// One line for all the tests that were not run, with the reason if it is not said elsewhere.
std::string not_run_line(const LabScore& score, std::size_t how_many) {
  std::string line = count(how_many, "test") + " not run";
  if (score.problem.empty()) {
    for (const TestScore& test : score.tests) {
      if (test.status == Status::not_run) {
        const std::string_view message = test.message;
        line += ": " + std::string(message.substr(message.starts_with("not run: ") ? 9 : 0));
        break;
      }
    }
  }
  return line + "\n";
}

std::string elsewhere(const LabScore& score) {
  return number(score.of_other_architectures) + " more are for another architecture only";
}

std::string points_line(const LabScore& score, const Style& style) {
  const std::string text = number(score.score()) + " of " + number(score.max_score()) + " points";
  std::string line = score.all_points() ? style.good(text) : style.strong(text);
  if (const std::size_t left_out = score.inconclusive(); left_out > 0) {
    line += "  (" + count(left_out, "inconclusive benchmark") + " not counted)";
  }
  if (score.of_other_architectures > 0) {
    line += "  (" + elsewhere(score) + ")";
  }
  return line;
}

}  // namespace

std::string marked(Status status, const Style& style) {
  switch (status) {
    case Status::passed:
      return style.good("✓");
    case Status::inconclusive:
      return style.warning("?");
    case Status::not_run:
      return style.warning("-");
    default:
      return style.bad("✗");
  }
}

std::size_t name_columns(const std::vector<const Lab*>& labs, std::size_t width) {
  // Besides the name: the mark, the points and a duration or a status.
  constexpr std::size_t others = 28;
  std::size_t columns = 30;
  for (const Lab* lab : labs) {
    for (const Test& test : lab->tests) {
      columns = std::max(columns, test.name.size());
    }
    for (const Benchmark& benchmark : lab->benchmarks) {
      columns = std::max(columns, benchmark.name.size());
    }
  }
  return std::min(columns, width > others + 10 ? width - others : 10);
}

std::string result_line(const TestScore& test, const Style& style, std::size_t columns) {
  const std::string points = number(test.points) + "/" + number(test.max_points);
  const std::string detail =
      test.status == Status::passed ? duration(test.seconds) : status_text(test);
  const std::string name =
      test.name.size() <= columns
          ? left(test.name, columns)
          : test.name + "\n" + std::string(columns + std::string_view("  - ").size(), ' ');
  return "  " + marked(test.status, style) + " " + name + " " + right(points, 6) + "  " +
         (test.status == Status::passed ? style.quiet(detail) : detail);
}

std::string failure_prose(const LabScore& lab, const TestScore& test, const Style& style,
                          std::size_t width) {
  std::string all = style.bad("✗ " + test.name) +
                    (test.is_private && !test.withheld ? " (private)" : "") + "  " +
                    status_text(test) + ", " + number(test.points) + " of " +
                    number(test.max_points) + " points\n\n";
  all += indent(wrap(trim_right(test.message), width - 4), "    ") + "\n";
  const auto row = [&](std::string_view label, const std::string& content) {
    if (!content.empty()) {
      all += "    " + style.quiet(left(std::string(label), 11)) + content + "\n";
    }
  };
  // What a test is about explains what it found wrong, not why something else got in its way.
  if (test.broke_off) {
    row("in", test.innermost);
  } else {
    row("idea", test.concept_name);
  }
  row("read", test.section);
  row("run again", test.again);
  row(test.benchmark ? "run alone" : "debug", test.debug);
  if (test.status != Status::inconclusive && !test.is_private) {
    row("hint", "./course hint " + std::to_string(lab.number) + " " + test.name);
  }
  return all;
}

std::string check_summary(const Lab& lab, const LabScore& score, std::size_t most,
                          const Style& style, std::size_t width) {
  if (!score.problem.empty()) {
    return "\n" + indent(score.problem, "  ") + "\n" +
           not_run_line(
               score, static_cast<std::size_t>(std::count_if(
                          score.tests.begin(), score.tests.end(),
                          [](const TestScore& test) { return test.status == Status::not_run; }))) +
           points_line(score, style) + "\n";
  }
  if (score.untouched()) {
    return "\n" + style.strong("0 of " + number(score.max_score())) + "; " +
           where_to_start(lab, score) +
           (first_of_another_lab(score) != nullptr
                ? "\n"
                : "\nRead labs/" + lab.folder + "/README.md first.\n");
  }
  std::string all = "\n";
  std::size_t shown = 0;
  std::size_t more = 0;
  std::size_t not_run = 0;
  for (const TestScore* test : score.most_telling()) {
    if (test->missing_step) {
      continue;
    }
    if (test->status == Status::not_run) {
      ++not_run;
    } else if (shown < most) {
      ++shown;
      all += failure_prose(score, *test, style, width) + "\n";
    } else {
      ++more;
    }
  }
  if (not_run > 0) {
    all += not_run_line(score, not_run);
  }
  if (more > 0) {
    all += count(more, "more test") + " did not pass; see --verbose or --test NAME\n";
  }
  all += points_line(score, style);
  if (std::any_of(score.tests.begin(), score.tests.end(),
                  [](const TestScore& test) { return test.missing_step.has_value(); })) {
    const std::string start = where_to_start(lab, score);
    all += first_of_another_lab(score) != nullptr ? "\n" + start
           : shown == 0                           ? "; " + start
                        : "\nAfter that: " + start.substr(std::string("start with ").size());
  }
  return all + "\n";
}

std::string score_table(const Score& score, const Style& style) {
  std::string all;
  std::size_t widest = std::string("total").size();
  for (const LabScore& lab : score.labs) {
    widest = std::max(widest, lab.lab.size());
  }
  const auto row = [&](const std::string& name, double points, double of, const std::string& note) {
    const std::string figures =
        right(number(points), 7) + " of " + right(number(of), 5) + right(percent(points, of), 7);
    all += "  " + left(name, widest) + " " + (points >= of ? style.good(figures) : figures) +
           (note.empty() ? "" : "  " + note) + "\n";
  };
  for (const LabScore& lab : score.labs) {
    std::string note;
    if (!lab.problem.empty()) {
      note = lab.problem.substr(0, lab.problem.find('\n'));
    } else if (lab.untouched()) {
      const TestScore* elsewhere = first_of_another_lab(lab);
      note = elsewhere != nullptr ? elsewhere->message : "not implemented";
    } else {
      const auto failed =
          std::count_if(lab.tests.begin(), lab.tests.end(), [](const TestScore& test) {
            return test.status != Status::passed && test.status != Status::inconclusive;
          });
      note = failed == 0 ? "" : count(static_cast<std::size_t>(failed), "test") + " not passed";
      if (lab.inconclusive() > 0) {
        note += (note.empty() ? "" : ", ") + count(lab.inconclusive(), "inconclusive benchmark") +
                " not counted";
      }
    }
    if (lab.of_other_architectures > 0) {
      note += (note.empty() ? "" : "; ") + elsewhere(lab);
    }
    row(lab.lab, lab.score(), lab.max_score(), note);
  }
  all += "  " + std::string(widest + 24, '-') + "\n";
  row("total", score.score(), score.max_score(), "");
  return all +
         style.quiet("  " + score.architecture + ", " + score.compiler + ", " +
                     duration(score.seconds)) +
         "\n";
}

}  // namespace goro::grader
