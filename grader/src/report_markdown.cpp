#include "report_markdown.h"

#include <algorithm>

#include "text.h"

namespace goro::grader {

namespace {

// Text that Markdown and HTML leave alone, also in a table's cell.
std::string markdown_text(const std::string& text) {
  std::string all;
  for (const char letter : printable(text)) {
    if (letter == '<') {
      all += "&lt;";
    } else if (letter == '>') {
      all += "&gt;";
    } else if (letter == '&') {
      all += "&amp;";
    } else if (letter == '\n') {
      all += ' ';
    } else {
      if (std::string_view("\\`*_{}[]()#|~@").find(letter) != std::string_view::npos) {
        all += '\\';
      }
      all += letter;
    }
  }
  return all;
}

// A fenced block whose fence is longer than any run of backticks in the text.
std::string fenced(const std::string& text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char letter : text) {
    run = letter == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<std::size_t>(3, longest + 1), '`');
  return fence + "text\n" + trim_right(printable(text)) + "\n" + fence + "\n";
}

std::string what_is_left(const LabScore& lab) {
  if (!lab.problem.empty()) {
    return "not run: " + markdown_text(lab.problem.substr(0, lab.problem.find('\n')));
  }
  std::vector<std::string> names;
  std::size_t left = 0;
  for (const TestScore& test : lab.tests) {
    if (test.status != Status::passed) {
      ++left;
      if (names.size() < 3) {
        names.push_back(markdown_text(test.name) + " (" +
                        markdown_text(std::string(name_of(test.status))) + ")");
      }
    }
  }
  if (left > names.size()) {
    names.push_back("and " + std::to_string(left - names.size()) + " more");
  }
  return join(names, ", ");
}

}  // namespace

std::string report_markdown(const Score& score) {
  std::string all =
      "## Score: " + number(score.score()) + " of " + number(score.max_score()) + "\n\n";
  all += "| lab | points | of | not passed |\n|---|---:|---:|---|\n";
  for (const LabScore& lab : score.labs) {
    all += "| " + markdown_text(lab.lab) + " | " + number(lab.score()) + " | " +
           number(lab.max_score()) + " | " + what_is_left(lab) + " |\n";
  }
  all += "\n" + markdown_text(score.architecture) + ", " + markdown_text(score.compiler) + ", " +
         duration(score.seconds) + "\n";
  for (const LabScore& lab : score.labs) {
    if (!lab.problem.empty()) {
      all += "\n### " + markdown_text(lab.lab) + "\n\n" + fenced(lab.problem);
      continue;
    }
    if (lab.untouched()) {
      continue;
    }
    for (const TestScore& test : lab.tests) {
      if (test.status == Status::passed) {
        continue;
      }
      all += "\n<details><summary>" + markdown_text(lab.lab) + ": " + markdown_text(test.name) +
             " " + markdown_text(std::string(name_of(test.status))) + " (" +
             markdown_text(test.concept_name) + ")</summary>\n\n" + fenced(test.message) +
             "\nRead " + markdown_text(test.section) + "; check it alone with\n\n" +
             fenced(test.again) + "\n</details>\n";
    }
  }
  return all;
}

}  // namespace goro::grader
