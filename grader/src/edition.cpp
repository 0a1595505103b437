#include "edition.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "json_reader.h"
#include "problem.h"

namespace goro::grader {

namespace {

constexpr int edition_format = 1;

// A path below the edition's root that names an ordinary place in it.
bool plain_path(const std::string& text) {
  const fs::path path = text;
  return !text.empty() && path.is_relative() && path.lexically_normal() == path &&
         path.has_filename() && *path.begin() != ".." && *path.begin() != "." &&
         *path.begin() != ".git" && *path.begin() != "build";
}

}  // namespace

std::optional<Edition> edition_in(const fs::path& root) {
  const std::optional<std::string> text = read_file_if_present(root / edition_file);
  if (!text) {
    return std::nullopt;
  }
  const std::string shown = (root / edition_file).string();
  const nlohmann::json whole = JsonReader::parse(*text, shown);
  JsonReader reader(whole, shown, "");
  Edition edition;
  (void)reader.integer("format", edition_format, edition_format);
  edition.commit = reader.text("commit");
  edition.date = reader.text("date");
  edition.compiler = reader.text_or("sealed_with", "");
  if (!reader.has("files") || !whole.at("files").is_object()) {
    reader.fail("files", "must be an object");
  }
  for (const auto& [path, id] : whole.at("files").items()) {
    if (!plain_path(path) || !id.is_string()) {
      reader.fail("files", "\"" + path + "\" is no path of an edition");
    }
    edition.files[path] = id;
  }
  reader.finish();
  return edition;
}

std::string edition_to_json(const Edition& edition) {
  nlohmann::ordered_json json;
  json["format"] = edition_format;
  json["commit"] = edition.commit;
  json["date"] = edition.date;
  if (!edition.compiler.empty()) {
    json["sealed_with"] = edition.compiler;
  }
  json["files"] = edition.files;
  return json.dump(1) + "\n";
}

std::string shown_edition(const Edition& edition) {
  return "the edition of " + edition.date.substr(0, 10) + " (" + edition.commit.substr(0, 10) + ")";
}

void require_course(const Course& course, const std::string& command) {
  if (fs::exists(course.root() / edition_file)) {
    throw wrong_use("this is a students' edition of the course, without the solutions that " +
                    command + " needs; ./course check 1 checks your work");
  }
}

void require_reference(const Course& course, const std::vector<const Lab*>& labs, bool own,
                       bool benchmarks) {
  const bool slots =
      std::any_of(labs.begin(), labs.end(), [](const Lab* lab) { return lab->slot.has_value(); });
  const bool measured = std::any_of(labs.begin(), labs.end(), [](const Lab* lab) {
    return lab->slot && !lab->benchmarks.empty();
  });
  if (!fs::exists(course.root() / edition_file) || fs::exists(course.root() / edition_sealed)) {
    return;
  }
  if (!own && slots) {
    throw wrong_use(
        "this edition holds no reference for the slots of other labs; --own takes all slots from "
        "your files");
  }
  if (benchmarks && measured) {
    throw wrong_use("this edition holds no reference to measure against, so it has no benchmarks");
  }
}

}  // namespace goro::grader
