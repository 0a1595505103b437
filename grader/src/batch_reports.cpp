#include "batch_reports.h"

#include <algorithm>

#include "report_json.h"
#include "report_markdown.h"
#include "text.h"

namespace goro::grader {

namespace {

std::string line_of(const std::vector<std::string>& cells) {
  std::vector<std::string> safe;
  std::transform(cells.begin(), cells.end(), std::back_inserter(safe), csv_cell);
  return join(safe, ",") + "\r\n";
}

// Which of them did not pass; of a lab that is not begun all of them, which says nothing.
void note_private_tests(const Lab& lab, const LabScore& score, std::vector<std::string>& notes) {
  std::vector<std::string> names;
  for (const TestScore& test : score.tests) {
    if (test.is_private && test.status != Status::passed) {
      names.push_back(test.name + " (" + std::string(name_of(test.status)) + ")");
    }
  }
  if (!names.empty() && !score.untouched()) {
    notes.push_back("lab " + lab.number_text() + ": private tests: " + join(names, ", "));
  }
}

}  // namespace

std::string csv_cell(const std::string& text) {
  std::string safe = printable(text);
  if (!safe.empty() && std::string_view("=+-@\t\n").find(safe.front()) != std::string_view::npos) {
    safe.insert(0, 1, '\'');
  }
  if (safe.find_first_of(",\"\n'") == std::string::npos && safe == trim_right(safe)) {
    return safe;
  }
  return '"' + replace_all(std::move(safe), "\"", "\"\"") + '"';
}

std::string batch_table(const BatchPlan& plan, const std::vector<const Lab*>& labs,
                        const PrivateTests& private_tests,
                        const std::vector<BatchRecord>& records) {
  std::vector<std::string> head{"submission", "status", "points", "max_points"};
  for (const Lab* lab : labs) {
    head.push_back("lab_" + lab->number_text());
    if (!private_tests.of(*lab).empty()) {
      head.push_back(head.back() + "_private");
    }
  }
  head.emplace_back("note");
  std::string table = line_of(head);
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    const BatchRecord& record = records[i];
    std::vector<std::string> cells{plan.entries[i].name, std::string(name_of(record.outcome))};
    std::vector<std::string> notes;
    if (!record.reason.empty()) {
      notes.push_back(record.reason);
    }
    if (record.outcome == BatchRecord::Outcome::graded) {
      cells.push_back(number(record.score.score()));
      cells.push_back(number(record.score.max_score()));
    } else {
      cells.emplace_back(record.outcome == BatchRecord::Outcome::refused ? "0" : "");
      cells.emplace_back();
    }
    for (const Lab* lab : labs) {
      const auto found =
          std::find_if(record.score.labs.begin(), record.score.labs.end(),
                       [&](const LabScore& score) { return score.lab == lab->folder; });
      const bool graded = found != record.score.labs.end();
      const std::string none = record.outcome == BatchRecord::Outcome::refused ? "0" : "";
      cells.push_back(graded ? number(found->score()) : none);
      if (!private_tests.of(*lab).empty()) {
        cells.push_back(graded ? number(found->private_score()) : none);
      }
      if (graded && !found->problem.empty()) {
        notes.push_back("lab " + lab->number_text() + ": " +
                        found->problem.substr(0, found->problem.find('\n')));
      } else if (graded && found->inconclusive() > 0) {
        notes.push_back("lab " + lab->number_text() + ": " +
                        count(found->inconclusive(), "inconclusive benchmark") + " not counted");
      }
      if (graded && found->problem.empty()) {
        note_private_tests(*lab, *found, notes);
      }
    }
    cells.push_back(join(notes, "; "));
    table += line_of(cells);
  }
  return table;
}

void write_reports(const BatchFolder& folder, const BatchEntry& entry, const BatchRecord& record) {
  if (record.outcome == BatchRecord::Outcome::not_graded) {
    return;
  }
  Score score = for_students(record.score);
  score.submission = record.name;
  const std::string refused = "# Not graded\n\n```text\n" + printable(record.reason) + "\n```\n";
  (void)write_file_if_different(
      folder.report(entry, ".md"),
      record.outcome == BatchRecord::Outcome::graded ? report_markdown(score) : refused);
  (void)write_file_if_different(folder.report(entry, ".json"), report_json(score));
}

}  // namespace goro::grader
