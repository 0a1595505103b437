#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace goro::grader {

namespace {

constexpr std::size_t widest = 100;

bool capable_terminal(std::FILE* out) {
  const char* kind = std::getenv("TERM");
  return ::isatty(::fileno(out)) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

bool colour_wanted() {
  const char* refused = std::getenv("NO_COLOR");
  return refused == nullptr || *refused == '\0';
}

std::size_t width_of(std::FILE* out) {
  winsize size{};
  if (::ioctl(::fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col < 20) {
    return widest;
  }
  return std::min<std::size_t>(size.ws_col, widest);
}

// The first `columns` characters, counting UTF-8 sequences and not bytes.
std::string_view cut(std::string_view text, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80;
    if (starts_character && seen++ == columns) {
      return text.substr(0, i);
    }
  }
  return text;
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
      width_(width_of(out)) {}

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
  const std::string line = style_.quiet("… " + std::string(cut(text, width_ - 3)));
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
