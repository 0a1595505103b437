#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace goro::grader {

// Lines without their line ends; a final line end makes no empty last line.
std::vector<std::string> split_lines(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

std::string trim_right(std::string text);
std::string replace_all(std::string text, std::string_view from, std::string_view to);
std::string lower(std::string text);

// Each line behind `prefix`; empty lines stay empty.
std::string indent(std::string_view text, std::string_view prefix);

// Breaks at spaces so that no line is longer than `width`; words longer than that stay whole.
// Later lines of a paragraph keep the indentation of its first line.
std::string wrap(std::string_view text, std::size_t width);

// The first `head` and the last `tail` lines, and how many were left out between them.
std::string head_and_tail(std::string_view text, std::size_t head, std::size_t tail);

// Its first line, without the line end.
std::string first_line(std::string_view text);

// Text that is longer than so many bytes loses its middle, and says so.
std::string bounded(std::string_view text, std::size_t bytes);

// Makes text from a program that is not trusted printable: valid UTF-8, no control characters
// besides newline and tab, so that it can move no cursor and forge no colours, none that turn the
// direction of what follows, and none that XML forbids.
std::string printable(std::string_view text);

// How many columns a terminal needs for a line, which is UTF-8; and what of it fits into so many.
std::size_t columns_of(std::string_view text);
std::string_view cut(std::string_view text, std::size_t columns);

// Text in so many columns, at their left or their right end; longer text stays whole.
std::string left(const std::string& text, std::size_t columns);
std::string right(const std::string& text, std::size_t columns);

// "3 tests", "1 test"
std::string count(std::size_t number, std::string_view noun);
// "0.42 s", "12 s", "3 min 20 s"
std::string duration(double seconds);
// "1.00": always two digits behind the point.
std::string ratio_text(double value);
// A number with as few digits as say it: "5", "2.5", "93.33".
std::string number(double value);

// The candidate that a mistyped `word` most probably meant; empty if none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

std::string shell_quoted(const std::string& word);

}  // namespace goro::grader
