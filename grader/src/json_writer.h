#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace goro::grader {

// Points are fractions at times, but 5 is 5 and not 5.0.
nlohmann::ordered_json points_json(double value);

// As a file's text. Messages are printable UTF-8 already; a path in them need not be.
std::string dumped(const nlohmann::ordered_json& json);

}  // namespace goro::grader
