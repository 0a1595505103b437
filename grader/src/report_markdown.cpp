#include "report_markdown.h"

#include <algorithm>

#include "report_limits.h"
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

// Text of the submission's within a line: code, where nobody is mentioned and nothing is linked.
std::string inline_code(const std::string& text) {
  std::string all = printable(bounded(first_line(text), title_bytes));
  all = replace_all(replace_all(std::move(all), "`", "'"), "|", "¦");
  return "`" + replace_all(std::move(all), "\n", " ") + "`";
}

// A fenced block whose fence is longer than any run of backticks in the text.
std::string fenced(const std::string& message) {
  const std::string text = trim_right(printable(message));
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char letter : text) {
    run = letter == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<std::size_t>(3, longest + 1), '`');
  return fence + "text\n" + text + "\n" + fence + "\n";
}

std::string what_is_left(const LabScore& lab) {
  if (!lab.problem.empty()) {
    return "not run: " + inline_code(lab.problem);
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

struct Limits {
  std::size_t message;  // bytes of one test's message
  std::size_t whole;    // bytes after which failures are only counted
};

std::string failure(const LabScore& lab, const TestScore& test, const Limits& limits) {
  return "\n<details><summary>" + markdown_text(lab.lab) + ": " + markdown_text(test.name) + " " +
         markdown_text(std::string(name_of(test.status))) +
         (test.withheld ? "" : " (" + markdown_text(test.concept_name) + ")") + "</summary>\n\n" +
         fenced(bounded(test.message, limits.message)) +
         (test.withheld ? ""
                        : "\nRead " + markdown_text(test.section) + "; check it alone with\n\n" +
                              fenced(test.again)) +
         "\n</details>\n";
}

std::string markdown(const Score& score, const Limits& limits) {
  std::string all =
      "## Score: " + number(score.score()) + " of " + number(score.max_score()) + "\n\n";
  all += "| lab | points | of | not passed |\n|---|---:|---:|---|\n";
  for (const LabScore& lab : score.labs) {
    all += "| " + markdown_text(lab.lab) + " | " + number(lab.score()) + " | " +
           number(lab.max_score()) + " | " + what_is_left(lab) + " |\n";
  }
  all += "\n" + markdown_text(score.architecture) + ", " + markdown_text(score.compiler) + ", " +
         duration(score.seconds) + ", sandbox: " + std::string(name_of(score.sandbox)) + "\n";
  std::size_t left_out = 0;
  const auto add = [&](const std::string& block) {
    if (all.size() + block.size() > limits.whole) {
      ++left_out;
    } else {
      all += block;
    }
  };
  for (const LabScore& lab : score.labs) {
    if (!lab.problem.empty()) {
      add("\n### " + markdown_text(lab.lab) + "\n\n" +
          fenced(bounded(lab.problem, limits.message)));
      continue;
    }
    if (lab.untouched()) {
      continue;
    }
    for (const TestScore& test : lab.tests) {
      if (test.status != Status::passed) {
        add(failure(lab, test, limits));
      }
    }
  }
  if (left_out > 0) {
    all += "\n" + count(left_out, "more failure") + " left out here.\n";
  }
  return all;
}

}  // namespace

std::string report_markdown(const Score& score) {
  return markdown(score, {.message = kept_message_bytes, .whole = page_bytes});
}

std::string report_summary(const Score& score) {
  return markdown(score, {.message = shown_message_bytes, .whole = summary_bytes});
}

}  // namespace goro::grader
