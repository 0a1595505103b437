#include "json_reader.h"

#include <algorithm>
#include <utility>

#include "problem.h"
#include "text.h"

namespace goro::grader {

using nlohmann::json;

json JsonReader::parse(const std::string& text, const std::string& file) {
  // nlohmann::json keeps the last of two equal keys silently, which would hide a merge gone wrong.
  std::vector<std::set<std::string>> open_objects;
  std::string twice;
  const json::parser_callback_t watch = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) {
      open_objects.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      open_objects.pop_back();
    } else if (event == json::parse_event_t::key &&
               !open_objects.back().insert(parsed.get<std::string>()).second) {
      twice = parsed.get<std::string>();
    }
    return true;
  };
  try {
    json whole = json::parse(text, watch);
    if (!twice.empty()) {
      throw broken(file + ": the key \"" + twice + "\" stands twice in one object");
    }
    return whole;
  } catch (const json::parse_error& error) {
    const std::size_t end = std::min(error.byte, text.size());
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    std::string what = error.what();
    // The library's text is "[json.exception.parse_error.101] parse error at line 1, column 2:
    // why".
    const std::size_t why = what.find(": ");
    if (why != std::string::npos) {
      what.erase(0, why + 2);
    }
    throw broken(file + ":" + std::to_string(line) +
                 ": not valid JSON: " + replace_all(what, "\n", " "));
  }
}

JsonReader::JsonReader(const json& object, std::string file, std::string where)
    : object_(&object), file_(std::move(file)), where_(std::move(where)) {
  if (!object_->is_object()) {
    throw broken(file_ + ": " + (where_.empty() ? "the file" : where_) + " must be an object, {…}");
  }
}

std::string JsonReader::place(std::string_view key) const {
  return where_.empty() ? std::string(key) : where_ + "." + std::string(key);
}

void JsonReader::fail(std::string_view key, const std::string& what) const {
  throw broken(file_ + ": " + place(key) + ": " + what);
}

bool JsonReader::has(std::string_view key) {
  asked_.emplace(key);

  return object_->contains(key);
}

const json& JsonReader::value(std::string_view key) {
  asked_.emplace(key);
  const auto found = object_->find(key);
  if (found == object_->end()) {
    fail(key, "is missing");
  }
  return *found;
}

std::string JsonReader::text_or_empty(std::string_view key) {
  const json& found = value(key);
  if (!found.is_string()) {
    fail(key, std::string("must be a text, is a ") + found.type_name());
  }
  return found.get<std::string>();
}

std::string JsonReader::text(std::string_view key) {
  std::string content = text_or_empty(key);
  if (content.empty()) {
    fail(key, "must not be empty");
  }
  return content;
}

std::string JsonReader::text_or(std::string_view key, std::string_view otherwise) {
  return has(key) ? text(key) : std::string(otherwise);
}

int JsonReader::integer(std::string_view key, int lowest, int highest) {
  const json& found = value(key);
  if (!found.is_number_integer()) {
    fail(key, std::string("must be a whole number, is ") + found.dump());
  }
  const auto content = found.get<std::int64_t>();
  if (content < lowest || content > highest) {
    fail(key, "must be from " + std::to_string(lowest) + " to " + std::to_string(highest) +
                  ", is " + found.dump());
  }
  return static_cast<int>(content);
}

double JsonReader::positive_number(std::string_view key) {
  const json& found = value(key);
  if (!found.is_number() || found.get<double>() <= 0) {
    fail(key, std::string("must be a number above 0, is ") + found.dump());
  }
  return found.get<double>();
}

std::vector<std::string> JsonReader::texts(std::string_view key) {
  const json& found = value(key);
  if (!found.is_array()) {
    fail(key, std::string("must be a list of texts, is a ") + found.type_name());
  }
  std::vector<std::string> all;
  for (const json& element : found) {
    if (!element.is_string() || element.get<std::string>().empty()) {
      fail(key, "must be a list of texts that are not empty, has " + element.dump());
    }
    all.push_back(element.get<std::string>());
  }
  return all;
}

std::vector<std::string> JsonReader::texts_or_none(std::string_view key) {
  return has(key) ? texts(key) : std::vector<std::string>{};
}

JsonReader JsonReader::object(std::string_view key) {
  return {value(key), file_, place(key)};
}

std::vector<JsonReader> JsonReader::objects(std::string_view key) {
  const json& found = value(key);
  if (!found.is_array()) {
    fail(key, std::string("must be a list of objects, is a ") + found.type_name());
  }
  std::vector<JsonReader> all;
  for (std::size_t i = 0; i < found.size(); ++i) {
    all.emplace_back(found[i], file_, place(key) + "[" + std::to_string(i) + "]");
  }
  return all;
}

std::vector<JsonReader> JsonReader::objects_or_none(std::string_view key) {
  return has(key) ? objects(key) : std::vector<JsonReader>{};
}

void JsonReader::finish() const {
  for (const auto& [key, ignored] : object_->items()) {
    if (!asked_.contains(key)) {
      const std::string meant = nearest(key, {asked_.begin(), asked_.end()});
      fail(key, "is no known key" + (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
    }
  }
}

}  // namespace goro::grader
