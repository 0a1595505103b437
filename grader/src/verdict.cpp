#include "verdict.h"

#include <csignal>
#include <cstring>

#include "sanitizer.h"
#include "text.h"
#include "value_names.h"

namespace goro::grader {

namespace {

constexpr ValueNames<Status, 6> status_names{{
    {Status::passed, "passed"},
    {Status::failed, "failed"},
    {Status::timeout, "timeout"},
    {Status::crashed, "crashed"},
    {Status::not_run, "not_run"},
    {Status::inconclusive, "inconclusive"},
}};

std::string signal_text(int signal) {
  const char* name = ::sigabbrev_np(signal);
  const char* what = ::sigdescr_np(signal);
  if (name == nullptr || what == nullptr) {
    return "signal " + std::to_string(signal);
  }
  return "SIG" + std::string(name) + " (" + lower(what) + ")";
}

// GoogleTest's running commentary, of which the grader says the same better.
bool commentary(const std::string& line) {
  constexpr std::size_t mark = std::string_view("[ RUN      ]").size();
  return line.starts_with("Note: Google Test filter") ||
         (line.size() >= mark && line.front() == '[' && line[mark - 1] == ']' &&
          line.find_first_not_of(" -=ADEFGIKLNOPRSU", 1) == mark - 1);
}

std::string without_commentary(const std::string& output) {
  std::string all;
  for (const std::string& line : split_lines(output)) {
    if (!commentary(line)) {
      all += line + "\n";
    }
  }
  return all;
}

// What the program printed, below a heading; nothing if it printed nothing.
std::string output_part(const std::string& heading, const std::string& output, std::size_t head,
                        std::size_t tail) {
  const std::string text = trim_right(printable(without_commentary(output)));
  return text.empty()
             ? ""
             : "\n\n" + heading + "\n" + trim_right(indent(head_and_tail(text, head, tail), "  "));
}

// The numbered steps that the test reported before it failed.
std::string story(const Report& report) {
  std::string all;
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    all += "  " + std::to_string(i + 1) + ". " + trim_right(printable(report.steps[i])) + "\n";
  }
  return all.empty() ? "" : "What was done:\n" + all + "\n";
}

// What a crashed program printed before its own account of the crash, which is reported better.
std::string before_crash(const std::string& output, const Report& report) {
  const std::string account =
      "signal " + std::to_string(report.crash ? report.crash->signal : 0) + "\n";
  if (!report.crash || report.crash->frames.empty()) {
    return output;
  }
  const std::size_t at = output.starts_with(account) ? 0 : output.find("\n" + account);
  return at == std::string::npos ? output : output.substr(0, at);
}

Verdict judge_timeout(const Ended& ended, int time_limit_s) {
  Verdict verdict{Status::timeout, {}, {}, {}, true};
  verdict.message = "It did not end within its time limit of " +
                    count(static_cast<std::size_t>(time_limit_s), "second") + ".";
  const std::string dump =
      output_part("At that moment (SIGQUIT's dump of every G, M and P):", ended.output, 60, 140);
  verdict.message +=
      dump.empty() ? "\nIt answered SIGQUIT with no dump: the signal handler did not get to run."
                   : dump;
  return verdict;
}

Verdict judge_crash(const Ended& ended, const Report& report) {
  Verdict verdict{Status::crashed, {}, {}, {}, true};
  const int signal = ended.how == Ended::How::signalled ? ended.status : report.crash->signal;
  verdict.message = "It crashed: " + signal_text(signal) + ".";
  if (signal == SIGKILL) {
    verdict.message += " Nobody here sent that signal; most likely the machine ran out of memory.";
  }
  if (signal == SIGXFSZ) {
    verdict.message += " It wrote a file that is larger than the limit.";
  }
  if (report.crash) {
    verdict.frames = report.crash->frames;
    if (!report.crash->message.empty()) {
      verdict.message += "\n\n" + trim_right(printable(report.crash->message));
    }
  }
  verdict.message += output_part("It printed:", before_crash(ended.output, report), 10, 40);
  return verdict;
}

// "fatal error: all goroutines are asleep - deadlock!", or nothing.
std::string fatal_error(const std::string& output) {
  for (const std::string& line : split_lines(output)) {
    if (line.starts_with("fatal error: ") || line.starts_with("panic: ")) {
      return trim_right(printable(line));
    }
  }
  return {};
}

Verdict judge_end(const Ended& ended, const Report& report) {
  const bool complete = report.completion && report.completion->passed;
  if (complete && ended.status == 0) {
    return {Status::passed, trim_right(printable(report.completion->message)), {}, {}, false};
  }
  const std::string found = sanitizer_report(ended.output);
  Verdict verdict{Status::failed, {}, {}, {}, false};
  if (report.completion && !complete) {
    verdict.message = trim_right(printable(report.completion->message));
    if (verdict.message.empty()) {
      verdict.message = "The test failed." + output_part("It printed:", ended.output, 10, 60);
    }
    if (!found.empty()) {
      verdict.message += "\n\n" + printable(found);
    }
    return verdict;
  }
  if (!found.empty()) {
    verdict.message = printable(found);
    return verdict;
  }
  verdict.broke_off = !complete;
  if (complete) {
    verdict.message = "Every check of the test passed, but then the program ended with status " +
                      std::to_string(ended.status) + " instead of 0.";
  } else if (const std::string fatal = fatal_error(ended.output); !fatal.empty()) {
    verdict.message = fatal + "\nThat ended the program before the test was finished.";
  } else if (ended.status == 0) {
    verdict.message = "The program ended early without finishing the test.";
  } else {
    verdict.message = "The program ended with status " + std::to_string(ended.status) +
                      " before the test was finished.";
  }
  verdict.message += output_part("It printed:", ended.output, 40, 80);
  return verdict;
}

Verdict with_story(Verdict verdict, const Report& report) {
  if (verdict.broke_off) {
    verdict.message = "What happened: " + verdict.message;
  }
  if (verdict.status != Status::passed) {
    verdict.message = story(report) + verdict.message;
  }
  return verdict;
}

}  // namespace

std::string_view name_of(Status status) {
  return name_in(status_names, status);
}

std::optional<Status> status_from(std::string_view wanted) {
  return value_in(status_names, wanted);
}

Verdict judge(const Ended& ended, const Report& report, int time_limit_s) {
  if (ended.how == Ended::How::not_started) {
    return {Status::not_run, ended.why_not_started, {}, {}, false};
  }
  if (ended.how == Ended::How::timed_out) {
    return with_story(judge_timeout(ended, time_limit_s), report);
  }
  if (ended.how == Ended::How::over_limit) {
    Verdict verdict{Status::failed, "It " + ended.limit + " and was ended.", {}, {}, false};
    verdict.message += output_part("It printed:", ended.output, 10, 10);
    return with_story(verdict, report);
  }
  if (report.not_implemented && ended.how == Ended::How::exited &&
      ended.status == not_implemented_status) {
    const Report::NotImplemented& missing = *report.not_implemented;
    return {Status::failed,
            "not implemented: lab " + std::to_string(missing.lab) + " step " +
                std::to_string(missing.step) +
                (missing.function.empty() ? "" : ": " + printable(missing.function)),
            {},
            missing,
            false};
  }
  if (ended.how == Ended::How::signalled || report.crash) {
    return with_story(judge_crash(ended, report), report);
  }
  return with_story(judge_end(ended, report), report);
}

}  // namespace goro::grader
