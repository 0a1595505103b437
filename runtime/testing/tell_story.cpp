// A schedule as text: who ran, what it did to the words that threads share, where it lost its turn.
#if GORO_SIMULATE

#include <cstring>
#include <string>
#include <vector>

#include "frame/dump.h"
#include "testing/schedules.h"

namespace goro::sim {

namespace {

// Of a long turn, so many accesses at its start and at its end are told.
constexpr std::size_t kFirstOfTurn = 4;
constexpr std::size_t kLastOfTurn = 8;
constexpr std::size_t kMostTurns = 24;
constexpr std::size_t kPlaceColumn = 58;

std::string number(std::uint64_t value) {
  constexpr std::int64_t kLargest = std::int64_t{1} << 40;
  const auto as_signed = static_cast<std::int64_t>(value);
  if (as_signed > -kLargest && as_signed < kLargest) return std::to_string(as_signed);
  std::string text;
  TextSink(&text).hex(value);
  return text;
}

bool ends_with(const char* text, const char* end) {
  const std::size_t n = std::strlen(text);
  const std::size_t m = std::strlen(end);
  return n >= m && std::strcmp(text + n - m, end) == 0;
}

std::string shown(const Event& event, std::uint64_t value) {
  if (event.value_is_g) return value == 0 ? "nullptr" : "G" + std::to_string(value);
  if (ends_with(event.name, ".atomicstatus")) {
    return status_name(static_cast<std::uint32_t>(value));
  }
  return number(value);
}

std::string access(const Event& event) {
  const std::string word = event.name;
  const std::string result = event.has_result ? " = " + shown(event, event.result) : "";
  const std::string value = shown(event, event.value);
  switch (event.op) {
    case Op::load:
      return word + ".load()" + result;
    case Op::store:
      return word + ".store(" + value + ")";
    case Op::exchange:
      return word + ".exchange(" + value + ")" + result;
    case Op::compare_exchange:
      return word + ".compare_exchange(" + value + ")" +
             (!event.has_result   ? ""
              : event.result == 1 ? " succeeds"
                                  : " fails");
    case Op::fetch_add:
      return word + ".fetch_add(" + value + ")" + result;
    case Op::fetch_sub:
      return word + ".fetch_sub(" + value + ")" + result;
    case Op::fetch_and:
      return word + ".fetch_and(" + value + ")" + result;
    case Op::fetch_or:
      return word + ".fetch_or(" + value + ")" + result;
    case Op::wait_change:
      return "waits until " + word + " changes";
    case Op::relax:
      return "lets others go first";
    case Op::rest:
      return "rests for " + number(event.value / 1000) + " us";
    case Op::futex_sleep:
      return "sleeps while " + word + " is " + value;
    case Op::futex_wakeup:
      return "wakes who sleeps on " + word;
    case Op::start:
      return "starts " + word;
    case Op::join:
      return "waits for the end of " + word;
    case Op::end:
      return "ends";
    case Op::mark:
      return word;
  }
  return word;
}

std::string place(const Where& where) {
  if (where.file == nullptr) return "";
  const char* slash = std::strrchr(where.file, '/');
  const std::string function = where.function;
  return (function == "operator()" ? "" : function + ", ") +
         (slash != nullptr ? slash + 1 : where.file) + ":" + std::to_string(where.line);
}

std::string line(const Event& event) {
  std::string text = "       " + access(event);
  const std::string at = place(event.where);
  if (!at.empty()) {
    if (text.size() < kPlaceColumn) text.resize(kPlaceColumn, ' ');
    text += "  " + at;
  }
  return text + "\n";
}

// The runtime's own checks look at much and change nothing.
bool is_a_check(const Event& event) {
  return event.where.file != nullptr && ends_with(event.where.file, "invariants.cpp");
}

// A change of a count by which Ms tell each other whether to wake somebody.
bool decides_who_wakes(const Event& event) {
  switch (event.op) {
    case Op::store:
    case Op::exchange:
    case Op::fetch_add:
    case Op::fetch_sub:
      return ends_with(event.name, ".npidle") || ends_with(event.name, ".nmspinning") ||
             ends_with(event.name, ".needspinning");
    default:
      return false;
  }
}

struct StoryTurn {
  std::vector<const Event*> done;
  const Event* stopped = nullptr;
  std::uint16_t thread = 0;
};

std::string tell_turn(const StoryTurn& turn, std::size_t index, const Report& report) {
  std::string text = "  " + std::to_string(index) + ". " + report.names[turn.thread];
  const Event* first = turn.done.empty() ? turn.stopped : turn.done.front();
  if (first != nullptr && first->who[0] != '\0') text += " (" + std::string(first->who) + ")";
  text += "\n";
  const std::size_t n = turn.done.size();
  std::size_t left_out = 0;
  const auto tell_left_out = [&] {
    if (left_out != 0) text += "       … " + std::to_string(left_out) + " more …\n";
    left_out = 0;
  };
  for (std::size_t i = 0; i < n; ++i) {
    const bool in_the_middle = n > kFirstOfTurn + kLastOfTurn + 1 && i >= kFirstOfTurn &&
                               i < n - kLastOfTurn && !decides_who_wakes(*turn.done[i]);
    if (in_the_middle) {
      ++left_out;
      continue;
    }
    tell_left_out();
    text += line(*turn.done[i]);
  }
  if (turn.stopped != nullptr) {
    text += "     and loses its turn before\n" + line(*turn.stopped);
  }
  return text;
}

}  // namespace

std::string tell_story(const Report& report) {
  std::vector<StoryTurn> turns;
  std::uint64_t missing = 0;
  if (report.events > 2 * std::uint64_t{Report::kMostEvents}) {
    missing = report.events - 2 * std::uint64_t{Report::kMostEvents};
  }
  for (std::uint64_t i = 0; i < report.events; ++i) {
    if (i == Report::kMostEvents) i += missing;
    const Event& event =
        i < Report::kMostEvents ? report.first[i] : report.last[i % Report::kMostEvents];
    if (turns.empty() || turns.back().thread != event.thread || turns.back().stopped != nullptr) {
      turns.emplace_back().thread = event.thread;
    }
    if (event.done && is_a_check(event)) continue;
    if (event.done) {
      turns.back().done.push_back(&event);
    } else {
      turns.back().stopped = &event;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    if (turns.size() > kMostTurns && i == kMostTurns / 2) {
      const std::size_t left_out = turns.size() - kMostTurns;
      text += "  … " + std::to_string(left_out) + " more turns …\n";
      i += left_out;
    }
    text += tell_turn(turns[i], i + 1, report);
  }
  return text;
}

}  // namespace goro::sim

#endif
