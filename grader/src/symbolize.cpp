#include "symbolize.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "process.h"
#include "text.h"

namespace goro::grader {

namespace {

std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty()
             ? std::optional(value)
             : std::nullopt;
}

std::string hexadecimal_text(std::uint64_t value) {
  std::string digits(16, '0');
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  digits.resize(static_cast<std::size_t>(end - digits.data()));
  return "0x" + digits;
}

bool in_crash_handler(const std::string& frame) {
  return frame.find("::on_crash(") != std::string::npos;
}

// GoogleTest's own frames, outside the test's body.
bool in_test_library(const std::string& frame) {
  return frame.find(" testing::internal::Handle") != std::string::npos ||
         frame.starts_with("testing::");
}

std::string fallback(const RawFrame& frame) {
  return printable((frame.module.empty() ? "?" : fs::path(frame.module).filename().string()) + "+" +
                   frame.offset);
}

}  // namespace

std::vector<RawFrame> parse_frames(const std::vector<std::string>& frames) {
  std::vector<RawFrame> parsed;
  for (const std::string& frame : frames) {
    const std::size_t space = frame.find(' ');
    const std::size_t plus = frame.rfind('+');
    if (space == std::string::npos || plus == std::string::npos || plus < space) {
      parsed.push_back({"", frame.substr(0, space)});
    } else {
      parsed.push_back({frame.substr(space + 1, plus - space - 1), frame.substr(plus + 1)});
    }
  }
  return parsed;
}

std::vector<std::string> frames_in_dump(const std::string& output) {
  std::vector<std::string> frames;
  for (const std::string& line : split_lines(output)) {
    const std::size_t offset = line.find("+0x");
    if (line.starts_with("\t") && offset != std::string::npos && line[offset - 1] != ' ') {
      frames.push_back("0x0 " + line.substr(1));
    }
  }
  return frames;
}

std::vector<std::string> lines_in_dump(const std::string& output) {
  std::vector<std::string> frames;
  std::string function;
  for (const std::string& line : split_lines(output)) {
    if (!line.starts_with("\t")) {
      function = line;
      continue;
    }
    const std::string place = line.substr(1, line.find(" +0x") - 1);
    const std::size_t colon = place.rfind(':');
    if (!function.empty() && colon != std::string::npos && colon + 1 < place.size() &&
        place.find_first_not_of("0123456789", colon + 1) == std::string::npos) {
      frames.push_back(function + " at " + place);
    }
    function.clear();
  }
  return frames;
}

std::vector<std::vector<std::string>> parse_addr2line(const std::string& output) {
  std::vector<std::vector<std::string>> all;
  std::string function;
  for (const std::string& line : split_lines(output)) {
    if (line.starts_with("0x")) {
      all.emplace_back();
      function.clear();
    } else if (all.empty()) {
      continue;
    } else if (function.empty()) {
      function = line;
    } else {
      const std::string place = line.substr(0, line.find(" (discriminator"));
      // Without a line, as in assembly, the file is a guess: that of some symbol before it.
      const bool known = !place.starts_with("??") && !place.ends_with(":?");
      if (function != "??" || known) {
        all.back().push_back(known ? function + " at " + place : function);
      }
      function.clear();
    }
  }
  return all;
}

std::vector<std::string> symbolize(const std::vector<std::string>& frames, const fs::path& program,
                                   bool arm64, std::size_t most,
                                   const std::function<std::string(std::string)>& users_path) {
  const std::vector<RawFrame> raw = parse_frames(frames);
  const std::string tool = arm64 && program_exists("aarch64-linux-gnu-addr2line")
                               ? "aarch64-linux-gnu-addr2line"
                               : "addr2line";
  Command command{{tool, "-aCfie", program.string()}, program.parent_path(), {}};
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < raw.size() && i < 4 * most; ++i) {
    const std::optional<std::uint64_t> offset = hexadecimal(raw[i].offset);
    if (offset && fs::path(raw[i].module).filename() == program.filename()) {
      command.arguments.push_back(hexadecimal_text(*offset));
      asked.push_back(i);
    }
  }
  std::vector<std::vector<std::string>> answers;
  if (!asked.empty()) {
    const Ended ended = run_process(command, {.time = std::chrono::seconds(60)});
    if (ended.ok()) {
      answers = parse_addr2line(ended.output);
    }
  }
  std::vector<std::string> lines;
  bool after_handler = false;
  for (std::size_t i = 0; i < raw.size() && lines.size() < most; ++i) {
    const auto at = std::find(asked.begin(), asked.end(), i);
    const auto index = static_cast<std::size_t>(at - asked.begin());
    if (at == asked.end() || index >= answers.size() || answers[index].empty()) {
      // Right outside the handler lies the system's own return from a signal.
      if (!std::exchange(after_handler, false)) {
        lines.push_back(fallback(raw[i]));
      }
      continue;
    }
    after_handler = std::any_of(answers[index].begin(), answers[index].end(), in_crash_handler);
    if (after_handler) {
      lines.clear();  // what comes before the crash is the handler that told of it
      continue;
    }
    for (const std::string& answer : answers[index]) {
      if (in_test_library(answer)) {
        return lines;
      }
      if (lines.size() < most) {
        lines.push_back(printable(users_path(answer)));
      }
    }
  }
  return lines;
}

}  // namespace goro::grader
