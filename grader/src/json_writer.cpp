#include "json_writer.h"

namespace goro::grader {

using Json = nlohmann::ordered_json;

Json points_json(double value) {
  const auto whole = static_cast<long>(value);
  return static_cast<double>(whole) == value ? Json(whole) : Json(value);
}

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace goro::grader
