// A function that may end the process, run in a child: how the child ended is for the test to
// judge.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace goro::testing {

struct ChildEnd {
  int status = -1;  // of its exit; 128 + signal if a signal ended it
  std::string err;  // what it wrote to stderr

  [[nodiscard]] bool says(std::string_view words) const {
    return err.find(words) != std::string::npos;
  }
  [[nodiscard]] bool fatal_with(const std::string& words) const {
    return status == 2 && says("fatal error: " + words);
  }
  // For a failure's text: how it ended and the first line it wrote. A dump may follow that.
  [[nodiscard]] std::string told() const;
};

// What in_child is made of.
ChildEnd run_in_child(void (*body)(void* arg), void* arg, unsigned seconds);

// Runs body() in a copy of this process that exits with 0 if body returns; it is killed after
// `seconds`, and when this process ends. body may replace the child's program. No other thread may
// be running. A child that ends because something is not implemented ends this process likewise.
template <typename F>
ChildEnd in_child(F&& body, unsigned seconds = 60) {
  return run_in_child([](void* arg) { (*static_cast<std::remove_reference_t<F>*>(arg))(); }, &body,
                      seconds);
}

}  // namespace goro::testing
