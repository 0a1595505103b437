#include "build_errors.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "text.h"

namespace goro::grader {

namespace {

constexpr std::string_view file_letters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.";

// Takes ":123" from the end of `text`. Nothing: there is none.
std::optional<int> take_number(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view digits = text.substr(colon + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
      number < 1) {
    return std::nullopt;
  }
  text.remove_suffix(text.size() - colon);
  return number;
}

bool plain_name(std::string_view name) {
  return !name.empty() && name.front() != '.' &&
         name.find_first_not_of(file_letters) == std::string_view::npos;
}

// Where a compiler's or an assembler's line says that something is an error, and what.
std::optional<std::pair<std::string_view, std::string_view>> split_at_error(std::string_view line) {
  for (const std::string_view mark : {": error: ", ": fatal error: ", ": Error: "}) {
    if (const std::size_t at = line.find(mark); at != std::string_view::npos) {
      return std::pair(line.substr(0, at), line.substr(at + mark.size()));
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Place> place_in(const Score& score, std::string_view text) {
  Place place;
  const std::optional<int> last = take_number(text);
  if (!last) {
    return std::nullopt;
  }
  if (const std::optional<int> before = take_number(text)) {
    place.line = *before;
    place.column = *last;
  } else {
    place.line = *last;
  }
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos || !plain_name(text.substr(slash + 1))) {
    return std::nullopt;
  }
  const std::string_view folder = text.substr(0, slash);
  const std::string_view lab = folder.substr(folder.rfind('/') + 1);
  if (std::none_of(score.labs.begin(), score.labs.end(),
                   [&](const LabScore& known) { return known.lab == lab; })) {
    return std::nullopt;
  }
  place.file = (text.starts_with("solutions/") ? "solutions/" : "labs/") + std::string(lab) +
               std::string(text.substr(slash));
  return place;
}

std::vector<BuildError> build_errors(const Score& score, const LabScore& lab) {
  std::vector<BuildError> errors;
  for (const std::string& line : split_lines(lab.problem)) {
    if (const auto found = split_at_error(line)) {
      errors.push_back({place_in(score, found->first), std::string(found->second)});
    }
  }
  if (errors.empty() && !lab.problem.empty()) {
    errors.push_back({std::nullopt, lab.problem});
  }
  return errors;
}

}  // namespace goro::grader
