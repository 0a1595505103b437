#include "course.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "problem.h"
#include "text.h"

namespace goro::grader {

namespace {

bool digit(char letter) {
  return std::isdigit(static_cast<unsigned char>(letter)) != 0;
}

bool lab_folder_name(const std::string& name) {
  return name.size() > 3 && digit(name[0]) && digit(name[1]) && name[2] == '-';
}

bool looks_like_course(const fs::path& folder) {
  std::error_code error;
  return fs::is_directory(folder / "labs", error) &&
         fs::is_regular_file(folder / "CMakePresets.json", error);
}

const Lab& usable(const Lab& lab) {
  if (!lab.problem.empty()) {
    throw broken(lab.problem);
  }
  return lab;
}

std::optional<int> number_of(const std::string& text) {
  if (text.empty() || text.size() > 3 || !std::all_of(text.begin(), text.end(), digit)) {
    return std::nullopt;
  }
  return std::stoi(text);
}

}  // namespace

Course Course::find(const std::optional<fs::path>& root, const fs::path& from) {
  if (root) {
    if (!looks_like_course(*root)) {
      throw broken(root->string() +
                   " is not the course: it has no labs/ beside a CMakePresets.json");
    }
    return Course(fs::canonical(*root));
  }
  for (fs::path folder = fs::canonical(from);; folder = folder.parent_path()) {
    if (looks_like_course(folder)) {
      return Course(folder);
    }
    if (folder == folder.parent_path()) {
      throw broken("the course was not found from " + from.string() +
                   " upwards; run ./course in its folder");
    }
  }
}

Course::Course(fs::path root) : root_(std::move(root)), build_(root_ / "build") {
  std::vector<std::string> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(root_ / "labs")) {
    const std::string name = entry.path().filename();
    if (lab_folder_name(name) && entry.is_directory()) {
      folders.push_back(name);
    }
  }
  std::sort(folders.begin(), folders.end());
  for (const std::string& folder : folders) {
    labs_.push_back(load_lab(root_ / "labs" / folder / "lab.json", "labs/" + folder + "/lab.json"));
    if (labs_.size() > 1 && labs_[labs_.size() - 2].number == labs_.back().number) {
      throw broken("labs/" + folder + "/lab.json: number: " + labs_.back().number_text() +
                   " is taken by labs/" + labs_[labs_.size() - 2].folder);
    }
  }
  if (labs_.empty()) {
    throw broken("there is no lab below " + (root_ / "labs").string() +
                 "; is the checkout complete?");
  }
}

const Lab& Course::lab(const std::string& name) const {
  // Of a path, as a shell completes it, the last folder counts.
  const std::size_t last = name.find_last_not_of('/');
  const std::string folder =
      fs::path(name.substr(0, last == std::string::npos ? 0 : last + 1)).filename();
  const std::optional<int> number = number_of(name);
  for (const Lab& lab : labs_) {
    if ((number && lab.number == *number) || lab.folder == folder) {
      return usable(lab);
    }
  }
  throw wrong_use("there is no lab \"" + name + "\"; the labs are " + labs_.front().number_text() +
                  " to " + labs_.back().number_text());
}

std::vector<const Lab*> Course::select(const std::string& ranges) const {
  std::vector<const Lab*> chosen;
  if (ranges.empty()) {
    for (const Lab& lab : labs_) {
      chosen.push_back(&usable(lab));
    }
    return chosen;
  }
  std::set<int> numbers;
  for (const std::string& part : split(ranges, ',')) {
    const std::vector<std::string> ends = split(part, '-');
    if (ends.size() == 2 && number_of(ends[0]) && number_of(ends[1])) {
      const int first = lab(ends[0]).number;
      const int last = lab(ends[1]).number;
      if (first > last) {
        throw wrong_use("--labs " + ranges + ": " + part + " ends before it starts");
      }
      for (const Lab& lab : labs_) {
        if (lab.number >= first && lab.number <= last) {
          numbers.insert(lab.number);
        }
      }
    } else if (number_of(part)) {
      numbers.insert(lab(part).number);
    } else {
      throw wrong_use("--labs " + ranges + ": \"" + part +
                      "\" is no lab number; write 3, 1-5 or 1,3");
    }
  }
  for (const Lab& lab : labs_) {
    if (numbers.contains(lab.number)) {
      chosen.push_back(&usable(lab));
    }
  }
  return chosen;
}

}  // namespace goro::grader
