// Keys and values.
// contracts/kv_server.h is the specification; this file is step 2 of this lab's README.
#include <charconv>
#include <system_error>

#include "contracts/kv_server.h"
#include "contracts/not_implemented.h"

namespace kv {

namespace {

[[maybe_unused]] std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

}  // namespace

// Step 2: each takes one shard's lock, for a moment.
Value Store::get(std::string_view /*key*/) {
  GORO_NOT_IMPLEMENTED(15, 2);
}

void Store::set(std::string_view /*key*/, std::string_view /*value*/) {
  GORO_NOT_IMPLEMENTED(15, 2);
}

bool Store::del(std::string_view /*key*/) {
  GORO_NOT_IMPLEMENTED(15, 2);
}

std::optional<std::int64_t> Store::incr(std::string_view /*key*/) {
  GORO_NOT_IMPLEMENTED(15, 2);
}

}  // namespace kv
