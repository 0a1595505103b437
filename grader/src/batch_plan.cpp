#include "batch_plan.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "problem.h"
#include "text.h"

namespace goro::grader {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::array<std::string_view, 7> archive_ends{".zip",    ".tar",     ".tar.gz", ".tgz",
                                                       ".tar.xz", ".tar.zst", ".txz"};

// The name without the end that makes it an archive's; nothing if it has none.
std::string without_archive_end(const std::string& name) {
  for (const std::string_view end : archive_ends) {
    if (name.size() > end.size() && lower(name).ends_with(end)) {
      return name.substr(0, name.size() - end.size());
    }
  }
  return {};
}

// Bytes that `keep`, asked by their place, does not want become %XX.
template <typename Keep>
std::string escaped(const std::string& text, Keep&& keep) {
  std::string all;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (keep(i)) {
      all += text[i];
    } else {
      std::array<char, 4> code{};
      (void)std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned char>(text[i]));
      all += code.data();
    }
  }
  return all;
}

// A path may be bytes that are no text, which JSON cannot hold.
std::string source_to_json(const std::string& source) {
  const bool text = printable(source) == source;
  return escaped(source, [&](std::size_t at) {
    return source[at] != '%' && (text || static_cast<unsigned char>(source[at]) < 0x80);
  });
}

std::string source_from_json(const std::string& json) {
  std::string source;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '%' && i + 2 < json.size()) {
      source += static_cast<char>(std::stoi(json.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      source += json[i];
    }
  }
  return source;
}

// A name that says nothing to a terminal and is one line.
std::string shown_name(const std::string& name) {
  return replace_all(replace_all(printable(name), "\n", "\\n"), "\t", "\\t");
}

bool is_lab(const std::string& name, const Course& course) {
  return name == "labs" ||
         std::any_of(course.labs().begin(), course.labs().end(),
                     [&](const Lab& lab) { return lab.slot && lab.folder == name; });
}

std::vector<BatchEntry> in_folder(const fs::path& place, const Course& course, const fs::path& out,
                                  std::vector<std::string>& left_out) {
  std::map<std::string, std::vector<std::string>> by_name;  // short name, file names
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(place, error)) {
    const std::string file = entry.path().filename();
    if (file.starts_with('.') || fs::equivalent(entry.path(), out, error)) {
      continue;
    }
    if (is_lab(file, course)) {
      throw wrong_use(place.string() + " is a submission itself, not a folder of them; for one, " +
                      "run ./course grade --submission " + shell_quoted(place.string()));
    }
    const std::string name = without_archive_end(file);
    if (entry.is_directory()) {
      by_name[file].push_back(file);
    } else if (!name.empty()) {
      by_name[name].push_back(file);
    } else {
      left_out.push_back(shown_name(file));
    }
  }
  if (error) {
    throw wrong_use("cannot read the folder " + place.string() + ": " + error.message());
  }
  std::vector<BatchEntry> entries;
  for (const auto& [name, files] : by_name) {
    for (const std::string& file : files) {
      // A folder and an archive of one name, or two archives, keep their whole names.
      entries.push_back({files.size() == 1 ? name : file, (place / file).string()});
    }
  }
  return entries;
}

std::vector<BatchEntry> in_list(const fs::path& list) {
  std::vector<BatchEntry> entries;
  std::size_t number = 0;
  for (const std::string& line : split_lines(read_file(list))) {
    ++number;
    const std::string text = trim_right(line);
    if (text.empty() || text.starts_with('#')) {
      continue;
    }
    const std::size_t tab = text.find('\t');
    const std::string source = tab == std::string::npos ? text : text.substr(tab + 1);
    if (source.empty() || tab == 0) {
      throw wrong_use(list.string() + ":" + std::to_string(number) +
                      ": write a submission, or its name, a tab and the submission");
    }
    BatchEntry entry;
    entry.source = source.starts_with("git:") || fs::path(source).is_absolute()
                       ? source
                       : (list.parent_path() / source).string();
    if (tab != std::string::npos) {
      entry.name = text.substr(0, tab);
    } else {
      const std::size_t last = source.find_last_not_of('/');
      const std::string file = source.starts_with("git:")
                                   ? source
                                   : fs::path(source.substr(0, last + 1)).filename().string();
      const std::string name = without_archive_end(file);
      entry.name = name.empty() ? file : name;
    }
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace

std::string BatchPlan::settings() const {
  return Json{{"labs", labs},     {"benchmarks", benchmarks},
              {"own", own},       {"sandbox_required", sandbox_required},
              {"preset", preset}, {"tests", tests_digest}}
      .dump();
}

std::string plan_to_json(const BatchPlan& plan) {
  Json json{{"out", plan.out.string()},
            {"labs", plan.labs},
            {"benchmarks", plan.benchmarks},
            {"own", plan.own},
            {"sandbox_required", plan.sandbox_required},
            {"preset", plan.preset},
            {"tests", plan.tests},
            {"tests_digest", plan.tests_digest},
            {"course", plan.course},
            {"entries", Json::array()}};
  for (const BatchEntry& entry : plan.entries) {
    json["entries"].push_back({{"name", entry.name}, {"source", source_to_json(entry.source)}});
  }
  return json.dump(2) + "\n";
}

BatchPlan plan_from_json(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    BatchPlan plan;
    plan.out = json.at("out").get<std::string>();
    plan.labs = json.at("labs").get<std::string>();
    plan.benchmarks = json.at("benchmarks").get<bool>();
    plan.own = json.at("own").get<bool>();
    plan.sandbox_required = json.at("sandbox_required").get<bool>();
    plan.preset = json.at("preset").get<std::string>();
    plan.tests = json.at("tests").get<std::string>();
    plan.tests_digest = json.at("tests_digest").get<std::string>();
    plan.course = json.at("course").get<std::string>();
    for (const Json& entry : json.at("entries")) {
      plan.entries.push_back({entry.at("name").get<std::string>(),
                              source_from_json(entry.at("source").get<std::string>())});
    }
    return plan;
  } catch (const Json::exception& error) {
    throw broken(std::string("the batch's plan cannot be read: ") + error.what());
  }
}

std::vector<BatchEntry> find_submissions(const fs::path& place, const Course& course,
                                         const fs::path& out, std::vector<std::string>& left_out) {
  std::error_code error;
  const fs::file_status status = fs::status(place, error);
  if (!fs::exists(status)) {
    throw wrong_use(place.string() + " does not exist; name a folder of submissions or a list");
  }
  std::vector<BatchEntry> entries =
      fs::is_directory(status) ? in_folder(place, course, out, left_out) : in_list(place);
  for (BatchEntry& entry : entries) {
    entry.name = shown_name(entry.name);
  }
  std::sort(entries.begin(), entries.end(),
            [](const BatchEntry& a, const BatchEntry& b) { return a.name < b.name; });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    constexpr std::size_t longest = 200;  // of 255, with room for the ends of names
    if (file_name_of(entries[i].name).size() > longest) {
      throw wrong_use("the submission's name " + printable(entries[i].name.substr(0, 40)) +
                      "… is too long; rename it");
    }
    if (i > 0 && entries[i].name == entries[i - 1].name) {
      throw wrong_use(place.string() + " has two submissions named " + entries[i].name +
                      "; give them names: NAME, a tab, and the submission");
    }
  }
  if (entries.empty()) {
    throw wrong_use(place.string() + " holds no submission: no folder and no archive");
  }
  return entries;
}

std::string file_name_of(const std::string& name) {
  return escaped(name, [&](std::size_t at) {
    const auto byte = static_cast<unsigned char>(name[at]);
    return byte >= 0x80 || std::isalnum(byte) != 0 || (name[at] == '.' && at > 0) ||
           std::string_view("_-@+").find(name[at]) != std::string_view::npos;
  });
}

}  // namespace goro::grader
