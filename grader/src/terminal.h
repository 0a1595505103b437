#pragma once

#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace goro::grader {

// Colours, or nothing at all where they would only be noise.
class Style {
 public:
  explicit Style(bool colour) : colour_(colour) {}

  [[nodiscard]] std::string good(std::string_view text) const { return paint("32", text); }
  [[nodiscard]] std::string bad(std::string_view text) const { return paint("31", text); }
  [[nodiscard]] std::string warning(std::string_view text) const { return paint("33", text); }
  [[nodiscard]] std::string strong(std::string_view text) const { return paint("1", text); }
  [[nodiscard]] std::string quiet(std::string_view text) const { return paint("2", text); }

 private:
  [[nodiscard]] std::string paint(std::string_view code, std::string_view text) const;

  bool colour_;
};

// Where the user reads along. On a terminal the last line is a progress line that comes and goes;
// elsewhere each phase is one line. Safe to use from several threads.
class Terminal {
 public:
  explicit Terminal(std::FILE* out);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Text that stays. A missing line end is added.
  void print(std::string_view text);
  // A new phase of work: the progress line on a terminal, a line that stays elsewhere.
  void phase(std::string_view text);
  // News from within the phase: only on a terminal.
  void progress(std::string_view text);
  void clear_progress();

  [[nodiscard]] const Style& style() const { return style_; }
  [[nodiscard]] bool interactive() const { return interactive_; }
  [[nodiscard]] std::size_t width() const { return width_; }

 private:
  void erase_line();

  std::FILE* out_;
  bool interactive_;
  Style style_;
  std::size_t width_;
  std::mutex lock_;
  bool line_shown_ = false;
};

}  // namespace goro::grader
