#pragma once

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace goro::grader {

// Reads one JSON object strictly. Every complaint is a Problem of one line: "FILE: KEY: what".
class JsonReader {
 public:
  // Text that is no JSON, or has a key twice in one object, is refused here.
  static nlohmann::json parse(const std::string& text, const std::string& file);

  // `where` is the object's own place, such as "tests[3]"; empty for the whole file.
  JsonReader(const nlohmann::json& object, std::string file, std::string where);

  [[nodiscard]] bool has(std::string_view key);
  std::string text(std::string_view key);
  std::string text_or_empty(std::string_view key);  // must be there, may be ""
  std::string text_or(std::string_view key, std::string_view otherwise);
  int integer(std::string_view key, int lowest, int highest);
  double positive_number(std::string_view key);
  std::vector<std::string> texts(std::string_view key);
  std::vector<std::string> texts_or_none(std::string_view key);
  JsonReader object(std::string_view key);
  std::vector<JsonReader> objects(std::string_view key);
  std::vector<JsonReader> objects_or_none(std::string_view key);

  // To be called last: a key that nobody asked for, with has() or by reading it, is unknown.
  void finish() const;

  [[noreturn]] void fail(std::string_view key, const std::string& what) const;

 private:
  const nlohmann::json& value(std::string_view key);
  [[nodiscard]] std::string place(std::string_view key) const;

  const nlohmann::json* object_;
  std::string file_;
  std::string where_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace goro::grader
