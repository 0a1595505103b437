#include "report_junit.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "report_limits.h"
#include "text.h"

namespace goro::grader {

namespace {

std::string xml_text(const std::string& text) {
  std::string all;
  for (const char letter : printable(text)) {
    switch (letter) {
      case '&':
        all += "&amp;";
        break;
      case '<':
        all += "&lt;";
        break;
      case '>':
        all += "&gt;";
        break;
      case '"':
        all += "&quot;";
        break;
      case '\n':
        all += "&#10;";  // a bare one in an attribute is read as a space
        break;
      default:
        all += letter;
    }
  }
  return all;
}

std::string seconds(double value) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.3f", value);
  return text.data();
}

// JUnit knows failures, errors and skipped; the status stands in the type.
std::string outcome(const TestScore& test) {
  const std::string type(name_of(test.status));
  if (test.status == Status::passed) {
    return {};
  }
  if (test.status == Status::inconclusive) {
    return "      <skipped message=\"" + xml_text(bounded(first_line(test.message), title_bytes)) +
           "\"/>\n";
  }
  const std::string element = test.status == Status::failed ? "failure" : "error";
  return "      <" + element + " type=\"" + type + "\" message=\"" +
         xml_text(bounded(first_line(test.message), title_bytes)) + "\">" +
         replace_all(xml_text(bounded(test.message, kept_message_bytes)), "&#10;", "\n") + "</" +
         element + ">\n";
}

struct Counts {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
  double seconds = 0;

  // Those that a suite and all suites together may have; only a suite may count the skipped.
  [[nodiscard]] std::string attributes() const {
    return " tests=\"" + std::to_string(tests) + "\" failures=\"" + std::to_string(failures) +
           "\" errors=\"" + std::to_string(errors) + "\" time=\"" + goro::grader::seconds(seconds) +
           "\"";
  }
};

void add(Counts& counts, const LabScore& lab) {
  for (const TestScore& test : lab.tests) {
    ++counts.tests;
    counts.seconds += test.seconds;
    if (test.status == Status::failed) {
      ++counts.failures;
    } else if (test.status == Status::inconclusive) {
      ++counts.skipped;
    } else if (test.status != Status::passed) {
      ++counts.errors;
    }
  }
}

}  // namespace

std::string report_junit(const Score& score) {
  Counts all;
  std::string suites;
  for (const LabScore& lab : score.labs) {
    Counts counts;
    add(counts, lab);
    add(all, lab);
    suites += "  <testsuite name=\"" + xml_text(lab.lab) + "\"" + counts.attributes() +
              " skipped=\"" + std::to_string(counts.skipped) + "\">\n";
    for (const TestScore& test : lab.tests) {
      suites += "    <testcase classname=\"" + xml_text(lab.lab) + "\" name=\"" +
                xml_text(test.name) + "\" time=\"" + seconds(test.seconds) + "\"";
      const std::string inside = outcome(test);
      suites += inside.empty() ? "/>\n" : ">\n" + inside + "    </testcase>\n";
    }
    suites += "  </testsuite>\n";
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"goro\"" +
         all.attributes() + ">\n" + suites + "</testsuites>\n";
}

}  // namespace goro::grader
