#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace goro::grader {

// What reports and lab.json call an enumeration's values.
template <typename Value, std::size_t n>
using ValueNames = std::array<std::pair<Value, std::string_view>, n>;

template <typename Value, std::size_t n>
std::string_view name_in(const ValueNames<Value, n>& names, Value wanted) {
  for (const auto& [value, name] : names) {
    if (value == wanted) {
      return name;
    }
  }
  return "";
}

template <typename Value, std::size_t n>
std::optional<Value> value_in(const ValueNames<Value, n>& names, std::string_view wanted) {
  for (const auto& [value, name] : names) {
    if (name == wanted) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace goro::grader
