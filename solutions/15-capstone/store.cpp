// Keys and values. Values are made and destroyed outside of the locks.
#include <charconv>
#include <limits>
#include <mutex>
#include <system_error>
#include <utility>

#include "contracts/kv_server.h"

namespace kv {

namespace {

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

}  // namespace

Value Store::get(std::string_view key) {
  Shard& shard = shard_of(key);
  const std::lock_guard hold(shard.lock);
  const auto found = shard.values.find(key);
  return found == shard.values.end() ? nullptr : found->second;
}

void Store::set(std::string_view key, std::string_view value) {
  Value stored = std::make_shared<const std::string>(value);
  Shard& shard = shard_of(key);
  const std::lock_guard hold(shard.lock);
  if (const auto found = shard.values.find(key); found != shard.values.end()) {
    found->second.swap(stored);  // declared before the lock: the old one goes after it
  } else {
    shard.values.emplace(key, std::move(stored));
  }
}

bool Store::del(std::string_view key) {
  Value old;
  Shard& shard = shard_of(key);
  const std::lock_guard hold(shard.lock);
  const auto found = shard.values.find(key);
  if (found == shard.values.end()) return false;
  old = std::move(found->second);
  shard.values.erase(found);
  return true;
}

std::optional<std::int64_t> Store::incr(std::string_view key) {
  Shard& shard = shard_of(key);
  const std::lock_guard hold(shard.lock);
  const auto found = shard.values.find(key);
  std::int64_t number = 0;
  if (found != shard.values.end()) {
    const std::optional<std::int64_t> old = number_of(*found->second);
    if (!old || *old == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    number = *old;
  }
  Value stored = std::make_shared<const std::string>(std::to_string(++number));
  if (found != shard.values.end()) {
    found->second = std::move(stored);
  } else {
    shard.values.emplace(key, std::move(stored));
  }
  return number;
}

}  // namespace kv
