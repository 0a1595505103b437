// What requests look like, and their answers.
#include <initializer_list>

#include "contracts/kv_server.h"

namespace kv {

namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::size_t kMostDigits = 9;
constexpr std::size_t kMostWords = 3;

struct Form {
  std::string_view name;
  Verb verb;
  std::size_t words;
};
constexpr Form kForms[] = {
    {"GET", Verb::get, 2},   {"SET", Verb::set, 3},   {"DEL", Verb::del, 2},
    {"INCR", Verb::incr, 2}, {"PING", Verb::ping, 1}, {"QUIT", Verb::quit, 1},
};

struct Words {
  std::string_view at[kMostWords];
  std::size_t count = 0;  // kMostWords + 1: too many
};

Words split(std::string_view line) {
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

bool is_key(std::string_view word) {
  if (word.empty() || word.size() > kMaxKey) return false;
  for (const char c : word) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

std::optional<std::size_t> length_of(std::string_view word) {
  if (word.empty() || word.size() > kMostDigits) return std::nullopt;
  std::size_t length = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') return std::nullopt;
    length = length * 10 + static_cast<std::size_t>(c - '0');
  }
  return length;
}

ParseResult incomplete(std::size_t needed) {
  return {Parsed::incomplete, needed, {}, {}};
}

ParseResult fatal(std::string_view why) {
  return {Parsed::fatal, 0, {}, why};
}

// The value behind a SET's line of `line` bytes.
ParseResult parse_value(std::string_view bytes, std::size_t line, std::string_view key,
                        std::string_view length) {
  const std::optional<std::size_t> n = length_of(length);
  if (!n) return fatal("bad length");
  if (*n > kMaxValue) return fatal("value too large");
  const std::size_t whole = line + *n + kEnd.size();
  if (bytes.size() < whole) return incomplete(whole);
  if (bytes.substr(line + *n, kEnd.size()) != kEnd) return fatal("bad value");
  return {Parsed::request, whole, {Verb::set, key, bytes.substr(line, *n)}, {}};
}

void append(std::string* out, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) *out += part;
  *out += kEnd;
}

}  // namespace

ParseResult parse(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, kMaxLine).find(kEnd);
  if (end == std::string_view::npos) {
    return bytes.size() < kMaxLine ? incomplete(bytes.size() + 1) : fatal("line too long");
  }
  const std::size_t line = end + kEnd.size();
  const Words words = split(bytes.substr(0, end));
  for (const Form& form : kForms) {
    if (form.name != words.at[0]) continue;
    const auto wrong = [&](std::string_view why) -> ParseResult {
      if (form.verb == Verb::set) return fatal(why);
      return {Parsed::error, line, {}, why};
    };
    if (words.count != form.words) return wrong("wrong number of words");
    if (form.words > 1 && !is_key(words.at[1])) return wrong("bad key");
    if (form.verb == Verb::set) return parse_value(bytes, line, words.at[1], words.at[2]);
    return {Parsed::request, line, {form.verb, words.at[1], {}}, {}};
  }
  return {Parsed::error, line, {}, "unknown verb"};
}

void answer(Store* store, const Request& request, std::string* out) {
  switch (request.verb) {
    case Verb::get:
      if (const Value value = store->get(request.key); value != nullptr) {
        append(out, {"VALUE ", std::to_string(value->size())});
        append(out, {*value});
      } else {
        append(out, {"NONE"});
      }
      return;
    case Verb::set:
      store->set(request.key, request.value);
      return append(out, {"OK"});
    case Verb::del:
      return append(out, {store->del(request.key) ? "OK" : "NONE"});
    case Verb::incr:
      if (const std::optional<std::int64_t> number = store->incr(request.key)) {
        append(out, {"NUMBER ", std::to_string(*number)});
      } else {
        append(out, {"ERROR not a number"});
      }
      return;
    case Verb::ping:
      return append(out, {"PONG"});
    case Verb::quit:
      return append(out, {"BYE"});
  }
}

}  // namespace kv
