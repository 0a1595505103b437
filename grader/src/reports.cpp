#include "reports.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "files.h"
#include "problem.h"
#include "report_annotations.h"
#include "report_gradescope.h"
#include "report_json.h"
#include "report_junit.h"
#include "report_markdown.h"
#include "report_sarif.h"
#include "text.h"

namespace goro::grader {

namespace {

struct Format {
  std::string_view name;
  std::string (*text)(const Score&);
};

constexpr std::string_view classroom50 = "classroom50";

constexpr std::array<Format, 8> known{{
    {"annotations", report_annotations},
    {classroom50, nullptr},  // needs more than the score
    {"gradescope", report_gradescope},
    {"json", report_json},
    {"junit", report_junit},
    {"markdown", report_markdown},
    {"sarif", report_sarif},
    {"summary", report_summary},
}};

void write_to_stdout(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw broken(std::string("cannot write the report to stdout: ") + std::strerror(errno));
  }
}

}  // namespace

Reports::Reports(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    if (equals == std::string::npos || equals + 1 == argument.size() ||
        std::none_of(known.begin(), known.end(),
                     [&](const Format& format) { return format.name == name; })) {
      throw wrong_use("--report " + argument + ": write FORMAT=FILE, FORMAT one of " + formats() +
                      ", FILE - for stdout");
    }
    const Wanted wanted{name, argument.substr(equals + 1)};
    for (const Wanted& other : wanted_) {
      if (other.file == wanted.file) {
        throw wrong_use("--report " + argument + ": " + other.format + " goes to " +
                        (wanted.file == "-" ? "stdout" : "that file") + " already");
      }
    }
    if (name == classroom50 && !classroom_) {
      classroom_ = ClassroomSubmission::from_environment();
    }
    wanted_.push_back(wanted);
  }
  for (const Wanted& wanted : wanted_) {
    if (wanted.file != "-") {
      expect_writable(wanted.file);
    }
  }
}

std::vector<std::string> Reports::write(const Score& score) const {
  std::vector<std::string> failed;
  for (const Wanted& wanted : wanted_) {
    try {
      const std::string text = text_of(wanted, score);
      if (wanted.file == "-") {
        write_to_stdout(text);
      } else {
        write_file_atomically(wanted.file, text);
      }
    } catch (const Problem& problem) {
      failed.emplace_back(problem.what());
    }
  }
  return failed;
}

std::string Reports::text_of(const Wanted& wanted, const Score& score) const {
  if (wanted.format == classroom50) {
    return report_classroom50(score, classroom_.value());
  }
  return std::find_if(known.begin(), known.end(),
                      [&](const Format& format) { return format.name == wanted.format; })
      ->text(score);
}

std::string Reports::formats() {
  std::vector<std::string> names;
  for (const Format& format : known) {
    names.emplace_back(format.name);
  }
  return join(names, ", ");
}

bool Reports::to_stdout(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const std::string& argument) { return argument.ends_with("=-"); });
}

}  // namespace goro::grader
