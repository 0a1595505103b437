#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "text.h"

namespace goro::grader {

namespace {

constexpr std::size_t widest = 100;
constexpr std::size_t narrowest = 20;  // that text is broken for

bool capable_terminal(std::FILE* out) {
  const char* kind = std::getenv("TERM");
  return ::isatty(::fileno(out)) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

bool colour_wanted() {
  const char* refused = std::getenv("NO_COLOR");
  return refused == nullptr || *refused == '\0';
}

// As it is at this moment; a window may change its size.
std::size_t columns_of(std::FILE* out) {
  winsize size{};
  const bool known = ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::min<std::size_t>(size.ws_col, widest) : widest;
}

}  // namespace

std::string Style::paint(std::string_view code, std::string_view text) const {
  if (!colour_) {
    return std::string(text);
  }
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

Terminal::Terminal(std::FILE* out)
    : out_(out),
      interactive_(capable_terminal(out)),
      style_(interactive_ && colour_wanted()),
      width_(std::max(columns_of(out), narrowest)) {}

Terminal::~Terminal() {
  clear_progress();
}

void Terminal::print(std::string_view text) {
  const std::lock_guard hold(lock_);
  erase_line();
  (void)std::fwrite(text.data(), 1, text.size(), out_);
  if (!text.ends_with('\n')) {
    (void)std::fputc('\n', out_);
  }
  (void)std::fflush(out_);
}

void Terminal::phase(std::string_view text) {
  if (interactive_) {
    progress(text);
  } else {
    print("… " + std::string(text));
  }
}

void Terminal::progress(std::string_view text) {
  if (!interactive_) {
    return;
  }
  const std::lock_guard hold(lock_);
  erase_line();
  // Of a line that wraps only the last part could be erased. A terminal shows ^C behind it.
  constexpr std::size_t room_for_interrupt = 3;
  const std::size_t columns = columns_of(out_);
  const std::string whole = "… " + std::string(text.substr(0, text.find('\n')));
  const std::string line =
      style_.quiet(cut(whole, columns - std::min(columns, room_for_interrupt)));
  (void)std::fwrite(line.data(), 1, line.size(), out_);
  (void)std::fflush(out_);
  line_shown_ = true;
}

void Terminal::clear_progress() {
  const std::lock_guard hold(lock_);
  erase_line();
  (void)std::fflush(out_);
}

void Terminal::erase_line() {
  if (line_shown_) {
    (void)std::fputs("\r\x1b[K", out_);
    line_shown_ = false;
  }
}

}  // namespace goro::grader
