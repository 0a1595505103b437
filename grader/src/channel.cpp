#include "channel.h"

#include <sys/random.h>
#include <nlohmann/json.hpp>

#include <array>

#include "problem.h"
#include "text.h"

namespace goro::grader {

using nlohmann::json;

namespace {

std::string text_of(const json& message, const char* key) {
  const auto found = message.find(key);
  return found != message.end() && found->is_string() ? found->get<std::string>() : "";
}

int number_of(const json& message, const char* key) {
  const auto found = message.find(key);
  return found != message.end() && found->is_number_integer() ? found->get<int>() : 0;
}

bool truth_of(const json& message, const char* key) {
  const auto found = message.find(key);
  return found != message.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace

std::string make_nonce() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw broken("the system gives no random numbers");
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string nonce;
  for (const unsigned char byte : bytes) {
    nonce += digits[byte >> 4U];
    nonce += digits[byte & 15U];
  }
  return nonce;
}

Report read_channel(std::string_view bytes, std::string_view nonce, std::string_view test) {
  Report report;
  for (const std::string& line : split_lines(bytes)) {
    const json message = json::parse(line, nullptr, false);
    if (!message.is_object() || text_of(message, "nonce") != nonce) {
      continue;
    }
    const std::string event = text_of(message, "event");
    if (event == "start" && text_of(message, "test") == test) {
      report.started = true;
    } else if (event == "step") {
      report.steps.push_back(text_of(message, "text"));
    } else if (event == "complete" && text_of(message, "test") == test) {
      const Report::Completion completion{truth_of(message, "passed"), text_of(message, "message")};
      if (!report.completion || report.completion->passed) {
        report.completion = completion;
      }
    } else if (event == "not_implemented") {
      report.not_implemented = {number_of(message, "lab"), number_of(message, "step"),
                                text_of(message, "function")};
    } else if (event == "measured" && !report.measured) {
      report.measured = text_of(message, "report");
    } else if (event == "crash") {
      Report::Crash crash{number_of(message, "signal"), text_of(message, "message"), {}};
      if (const auto frames = message.find("frames");
          frames != message.end() && frames->is_array()) {
        for (const json& frame : *frames) {
          if (frame.is_string()) {
            crash.frames.push_back(frame.get<std::string>());
          }
        }
      }
      report.crash = crash;
    }
  }
  return report;
}

}  // namespace goro::grader
