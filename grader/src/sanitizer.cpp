#include "sanitizer.h"

#include <array>
#include <cctype>
#include <string_view>
#include <vector>

#include "text.h"

// A report of ThreadSanitizer is a block between lines of equal signs:
//
//     WARNING: ThreadSanitizer: data race (pid=7)
//       Write of size 8 at 0x7b0400000010 by thread T2:
//         #0 goro::gfput(goro::P*, goro::G*) labs/02-…/lifecycle.cpp:44 (lab_02_tests+0x1c2e)
//         #1 std::thread::_State_impl<…>::_M_run() /usr/include/… (lab_02_tests+0x3a11)
//
// AddressSanitizer's begins with "==7==ERROR: AddressSanitizer: heap-use-after-free on address …"
// and its frames have the address and "in" before the function.

namespace goro::grader {

namespace {

constexpr std::size_t most_reports = 3;
constexpr std::size_t most_lines = 40;

struct Frame {
  std::string function;
  std::string place;  // empty if there is no debug information for it
};

bool is_frame(const std::string& line) {
  const std::size_t at = line.find_first_not_of(' ');
  return at != std::string::npos && line[at] == '#' && at + 1 < line.size() &&
         std::isdigit(static_cast<unsigned char>(line[at + 1])) != 0;
}

// The module and build id, in parentheses, say nothing that the place does not.
std::string without_module(const std::string& text) {
  const std::size_t plus = text.rfind("+0x");
  const std::size_t open = plus == std::string::npos ? plus : text.rfind(" (", plus);
  return open == std::string::npos ? text : text.substr(0, open);
}

Frame parse_frame(const std::string& line) {
  std::string rest = line.substr(line.find('#'));
  rest = rest.substr(std::min(rest.size(), rest.find(' ') + 1));
  if (rest.starts_with("0x")) {
    const std::size_t in = rest.find(" in ");
    rest = in == std::string::npos ? "" : rest.substr(in + 4);
  }
  rest = trim_right(without_module(rest));
  // A place is the last word and has a dot and a colon; a function's type may have spaces too.
  const std::size_t space = rest.rfind(' ');
  if (space != std::string::npos) {
    const std::string_view last = std::string_view(rest).substr(space + 1);
    if (last.find('.') != std::string_view::npos && last.find(')') == std::string_view::npos) {
      return {rest.substr(0, space), std::string(last)};
    }
  }
  return {rest, {}};
}

// Of the test library, the standard library, the C library and the harness: how the program came to
// call the code in question, which is the same in every report.
bool machinery(const Frame& frame) {
  if (frame.place.empty() || frame.function == "main") {
    return true;
  }
  for (const std::string_view name : {"testing::", "std::", "__gnu_cxx::", "__invoke", "__tsan",
                                      "__asan", "__interceptor", "__sanitizer"}) {
    if (frame.function.starts_with(name) ||
        frame.function.substr(0, frame.function.find('(')).find(" " + std::string(name)) !=
            std::string::npos) {
      return true;
    }
  }
  for (const std::string_view part : {"/usr/include/", "/usr/src/", "googletest/", "libsanitizer/",
                                      "runtime/testing/", "/sysdeps/", "/nptl/", "/csu/"}) {
    if (frame.place.find(part) != std::string::npos) {
      return true;
    }
  }
  return false;
}

std::string without_column(const std::string& place) {
  const std::size_t last = place.rfind(':');
  return last != std::string::npos && last > 0 &&
                 place.substr(0, last).find(':') != std::string::npos
             ? place.substr(0, last)
             : place;
}

// "data race" of "WARNING: ThreadSanitizer: data race (pid=7)".
std::string kind_in(const std::string& line, std::string_view tool) {
  std::string kind = line.substr(line.find(tool) + tool.size() + 2);
  for (const std::string_view end : {" (pid", " on ", ": "}) {
    kind = kind.substr(0, kind.find(end));
  }
  return kind;
}

struct Reading {
  std::vector<std::string> lines;
  std::string heading;  // of a stack, kept back until a frame of it is kept
  bool inside = false;
  std::size_t reports = 0;
};

bool starts_report(const std::string& line, Reading& reading) {
  for (const std::string_view tool : {"ThreadSanitizer", "AddressSanitizer"}) {
    const std::string warning = "WARNING: " + std::string(tool) + ": ";
    const std::string error = "ERROR: " + std::string(tool) + ": ";
    if (line.find(warning) == std::string::npos && line.find(error) == std::string::npos) {
      continue;
    }
    reading.inside = ++reading.reports <= most_reports;
    reading.heading.clear();
    if (reading.inside) {
      const std::string kind = kind_in(line, tool);
      if (reading.reports > 1) {
        reading.lines.emplace_back();
      }
      reading.lines.push_back(std::string(tool) + " found a " + kind + ":");
    }
    return true;
  }
  return false;
}

void take(const std::string& line, Reading& reading) {
  if (line.starts_with("SUMMARY: ") || line.starts_with("======")) {
    reading.inside = false;
  } else if (is_frame(line)) {
    const Frame frame = parse_frame(line);
    if (machinery(frame)) {
      return;
    }
    if (!reading.heading.empty()) {
      reading.lines.push_back("  " + reading.heading);
      reading.heading.clear();
    }
    reading.lines.push_back("    " + frame.function + " at " + without_column(frame.place));
  } else if (line.ends_with(":")) {
    reading.heading = line.substr(std::min(line.size(), line.find_first_not_of(' ')));
  } else if (line.find(" is located ") != std::string::npos ||
             line.find("Location is ") != std::string::npos) {
    reading.lines.push_back("  " + line.substr(line.find_first_not_of(' ')));
  }
}

}  // namespace

std::string sanitizer_report(const std::string& output) {
  Reading reading;
  for (const std::string& line : split_lines(output)) {
    if (!starts_report(line, reading) && reading.inside) {
      take(line, reading);
    }
  }
  if (reading.reports == 0) {
    return {};
  }
  if (reading.reports > most_reports) {
    reading.lines.push_back("… " + count(reading.reports - most_reports, "more report"));
  }
  return trim_right(head_and_tail(join(reading.lines, "\n") + "\n", most_lines, 5));
}

}  // namespace goro::grader
