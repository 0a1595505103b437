// What requests look like, and their answers.
// contracts/kv_server.h is the specification; this file is steps 1 and 3 of this lab's README.
#include "contracts/kv_server.h"
#include "contracts/not_implemented.h"

namespace kv {

namespace {

constexpr std::size_t kMostWords = 3;

struct Words {
  std::string_view at[kMostWords];
  std::size_t count = 0;  // kMostWords + 1: too many
};

// A line's words. Two spaces in a row have an empty word between them.
[[maybe_unused]] Words split(std::string_view line) {
  Words words;
  for (;;) {
    if (words.count == kMostWords) {
      ++words.count;
      return words;
    }
    const std::size_t space = line.find(' ');
    words.at[words.count++] = line.substr(0, space);
    if (space == std::string_view::npos) return words;
    line.remove_prefix(space + 1);
  }
}

[[maybe_unused]] bool is_key(std::string_view word) {
  if (word.empty() || word.size() > kMaxKey) return false;
  for (const char c : word) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

}  // namespace

// Step 1: what do these bytes begin with?
ParseResult parse(std::string_view /*bytes*/) {
  GORO_NOT_IMPLEMENTED(15, 1);
}

// Step 3: does what is asked for, and appends the answer.
void answer(Store* /*store*/, const Request& /*request*/, std::string* /*out*/) {
  GORO_NOT_IMPLEMENTED(15, 3);
}

}  // namespace kv
