// The least that speaks the grader's protocol.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>

namespace harness {

inline int channel = -1;
inline std::string nonce;

inline void say(const std::string& fields) {
  const std::string line = "{\"nonce\":\"" + nonce + "\"," + fields + "}\n";
  if (::write(channel, line.data(), line.size()) < 0) {
    std::_Exit(99);
  }
}

inline void open_channel() {
  channel = std::atoi(std::getenv("GORO_TEST_CHANNEL"));
  ::unsetenv("GORO_TEST_CHANNEL");
  ::fcntl(channel, F_SETFD, FD_CLOEXEC);
  for (char letter = 0; ::read(channel, &letter, 1) == 1 && letter != '\n';) {
    nonce += letter;
  }
}

inline void complete(const std::string& test, bool passed, const std::string& message) {
  say("\"event\":\"complete\",\"test\":\"" + test + "\",\"passed\":" + (passed ? "true" : "false") +
      ",\"message\":\"" + message + "\"");
}

[[noreturn]] inline void not_implemented(int lab, int step, const std::string& function) {
  if (channel >= 0) {
    say("\"event\":\"not_implemented\",\"lab\":" + std::to_string(lab) +
        ",\"step\":" + std::to_string(step) + ",\"function\":\"" + function + "\"");
  }
  std::fprintf(stderr, "not implemented: lab %d step %d (%s)\n", lab, step, function.c_str());
  std::_Exit(4);
}

// Runs the one test that --gtest_filter= names; it returns "" or what went wrong.
inline int run(int argc, char** argv,
               const std::map<std::string, std::function<std::string()>>& tests) {
  std::string name;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::string filter = "--gtest_filter=";
    if (argument.rfind(filter, 0) == 0) {
      name = argument.substr(filter.size());
    }
  }
  open_channel();
  std::signal(SIGQUIT, [](int) {
    const char dump[] = "goroutine 1 [running]: the dump\n";
    (void)!::write(2, dump, sizeof dump - 1);
    std::_Exit(2);
  });
  const auto found = tests.find(name);
  if (found == tests.end()) {
    return 0;
  }
  say("\"event\":\"start\",\"test\":\"" + name + "\"");
  const std::string trouble = found->second();
  complete(name, trouble.empty(), trouble);
  return trouble.empty() ? 0 : 1;
}

// GoogleTest's way to name a test, for private ones, whose names are read from their sources.
inline std::map<std::string, std::function<std::string()>>& tests() {
  static std::map<std::string, std::function<std::string()>> all;
  return all;
}

struct Registered {
  Registered(const std::string& name, std::function<std::string()> test) { tests()[name] = test; }
};

}  // namespace harness

#define TEST(suite, name)                                                                          \
  static std::string suite##_##name();                                                             \
  static const harness::Registered registered_##suite##_##name(#suite "." #name, &suite##_##name); \
  static std::string suite##_##name()
