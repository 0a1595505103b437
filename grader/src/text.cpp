#include "text.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cwchar>
#include <numeric>
#include <utility>

namespace goro::grader {

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    lines.emplace_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string all;
  for (const std::string& part : parts) {
    if (&part != &parts.front()) {
      all += separator;
    }
    all += part;
  }
  return all;
}

std::string trim_right(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.pop_back();
  }
  return text;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  if (from.empty()) {
    return text;
  }
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

std::string indent(std::string_view text, std::string_view prefix) {
  std::string all;
  for (const std::string& line : split_lines(text)) {
    if (!line.empty()) {
      all += prefix;
      all += line;
    }
    all += '\n';
  }
  return all;
}

std::string wrap(std::string_view text, std::size_t width) {
  std::string all;
  for (const std::string& line : split_lines(text)) {
    const std::size_t first = std::min(line.find_first_not_of(' '), line.size());
    const std::string margin = line.substr(0, first);
    std::string current = margin;
    for (const std::string& word : split(std::string_view(line).substr(first), ' ')) {
      if (current.size() > margin.size() && current.size() + 1 + word.size() > width) {
        all += trim_right(current) + '\n';
        current = margin;
      }
      if (current.size() > margin.size()) {
        current += ' ';
      }
      current += word;
    }
    all += trim_right(current) + '\n';
  }
  return all;
}

std::string head_and_tail(std::string_view text, std::size_t head, std::size_t tail) {
  const std::vector<std::string> lines = split_lines(text);
  if (lines.size() <= head + tail + 1) {
    return std::string(text);
  }
  std::string all;
  for (std::size_t i = 0; i < head; ++i) {
    all += lines[i] + '\n';
  }
  all += "… " + count(lines.size() - head - tail, "line") + " left out …\n";
  for (std::size_t i = lines.size() - tail; i < lines.size(); ++i) {
    all += lines[i] + '\n';
  }
  return all;
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string bounded(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return std::string(text);
  }
  const auto inside = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  std::size_t head = bytes / 2;
  std::size_t tail = text.size() - bytes / 2;
  while (head > 0 && inside(head)) {
    --head;
  }
  while (tail < text.size() && inside(tail)) {
    ++tail;
  }
  return std::string(text.substr(0, head)) + "\n… " + count(tail - head, "byte") + " left out …\n" +
         std::string(text.substr(tail));
}

namespace {

// Characters that turn the direction of text (U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069)
// and two that are no characters (U+FFFE, U+FFFF).
bool deceives(std::string_view character) {
  if (character.size() != 3) {
    return false;
  }
  const std::string_view start = character.substr(0, 2);
  const auto last = static_cast<unsigned char>(character[2]);
  return (start == "\xE2\x80" &&
          (last == 0x8E || last == 0x8F || (last >= 0xAA && last <= 0xAE))) ||
         (start == "\xE2\x81" && last >= 0xA6 && last <= 0xA9) ||
         (start == "\xEF\xBF" && last >= 0xBE);
}

// The length of the valid UTF-8 sequence that `text` starts with, 0 if it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  std::size_t length = 0;
  unsigned lowest_second = 0x80;
  unsigned highest_second = 0xBF;
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    lowest_second = first == 0xE0 ? 0xA0 : 0x80;
    highest_second = first == 0xED ? 0x9F : 0xBF;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    lowest_second = first == 0xF0 ? 0x90 : 0x80;
    highest_second = first == 0xF4 ? 0x8F : 0xBF;
  } else {
    return 0;
  }
  if (text.size() < length || byte(1) < lowest_second || byte(1) > highest_second) {
    return 0;
  }
  for (std::size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) {
      return 0;
    }
  }
  // C1 control characters (U+0080 to U+009F) are terminal commands too.
  if (first == 0xC2 && byte(1) < 0xA0) {
    return 0;
  }
  return deceives(text.substr(0, length)) ? 0 : length;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string all;
  all.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const bool control =
        length == 1 && ((first < 0x20 && first != '\n' && first != '\t') || first == 0x7F);
    if (length == 0 || (control && first != '\r')) {
      std::array<char, 8> escaped{};
      (void)std::snprintf(escaped.data(), escaped.size(), "\\x%02x", first);
      all += escaped.data();
    } else if (!control) {
      all += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return all;
}

namespace {

// While it lives, this thread reads characters as UTF-8, whatever the user's locale is.
class Utf8 {
 public:
  Utf8() : before_(::uselocale(locale())) {}
  ~Utf8() { ::uselocale(before_); }
  Utf8(const Utf8&) = delete;
  Utf8& operator=(const Utf8&) = delete;

 private:
  static locale_t locale() {
    static locale_t made = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return made;  // null leaves the locale as it is
  }

  locale_t before_;
};

// The bytes of the first character, and the columns that a terminal gives it: Korean letters get
// two.
std::pair<std::size_t, std::size_t> first_character(std::string_view text) {
  wchar_t character = 0;
  std::mbstate_t state{};
  const std::size_t bytes = std::mbrtowc(&character, text.data(), text.size(), &state);
  if (bytes == 0 || bytes > text.size()) {
    return {1, 1};  // no UTF-8
  }
  return {bytes, static_cast<std::size_t>(std::max(0, ::wcwidth(character)))};
}

}  // namespace

std::string_view cut(std::string_view text, std::size_t columns) {
  const Utf8 utf8;
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size();) {
    const auto [bytes, wide] = first_character(text.substr(at));
    seen += wide;
    if (seen > columns) {
      break;
    }
    at += bytes;
  }
  return text.substr(0, at);
}

std::size_t columns_of(std::string_view text) {
  const Utf8 utf8;
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto [bytes, wide] = first_character(text);
    columns += wide;
    text.remove_prefix(bytes);
  }
  return columns;
}

std::string left(const std::string& text, std::size_t columns) {
  return text + std::string(columns - std::min(columns, columns_of(text)), ' ');
}

std::string right(const std::string& text, std::size_t columns) {
  return std::string(columns - std::min(columns, columns_of(text)), ' ') + text;
}

std::string count(std::size_t number, std::string_view noun) {
  return std::to_string(number) + ' ' + std::string(noun) + (number == 1 ? "" : "s");
}

std::string duration(double seconds) {
  std::array<char, 64> text{};
  if (seconds < 9.995) {
    (void)std::snprintf(text.data(), text.size(), "%.2f s", seconds);
  } else if (seconds < 99.5) {
    (void)std::snprintf(text.data(), text.size(), "%.0f s", seconds);
  } else {
    const auto whole = std::lround(seconds);
    (void)std::snprintf(text.data(), text.size(), "%ld min %ld s", whole / 60, whole % 60);
  }
  return text.data();
}

std::string ratio_text(double value) {
  std::array<char, 64> text{};
  (void)std::snprintf(text.data(), text.size(), "%.2f", value);
  return text.data();
}

std::string number(double value) {
  std::string digits = ratio_text(value);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) {
    digits.pop_back();
  }
  return digits;
}

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string wanted = lower(word);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::string name = lower(candidate);
    // Levenshtein's distance, one row at a time.
    std::vector<std::size_t> row(name.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= wanted.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= name.size(); ++j) {
        const std::size_t above = row[j];
        const std::size_t replaced = diagonal + (wanted[i - 1] == name[j - 1] ? 0 : 1);
        row[j] = std::min({above + 1, row[j - 1] + 1, replaced});
        diagonal = above;
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

std::string shell_quoted(const std::string& word) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_-./=:+,@%").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) {
    return word;
  }
  return "'" + replace_all(word, "'", "'\\''") + "'";
}

}  // namespace goro::grader
