#include "last_check.h"

#include <algorithm>
#include <cstdlib>

#include "problem.h"
#include "report_json.h"
#include "text.h"

namespace goro::grader {

fs::path LastCheck::file(const Lab& lab) const {
  return course_.build() / "results" / (lab.folder + (own_ ? ".own.json" : ".json"));
}

fs::path LastCheck::hints_file(const Lab& lab, const std::string& test) const {
  return course_.build() / "results" / (lab.folder + "." + replace_all(test, "/", "-") + ".hints");
}

std::optional<LabScore> LastCheck::of(const Lab& lab) const {
  const std::optional<std::string> text = read_file_if_present(file(lab));
  if (!text) {
    return std::nullopt;
  }
  try {
    return lab_from_json(*text);
  } catch (const Problem&) {
    return std::nullopt;  // of another version of the course: as good as not checked
  }
}

void LastCheck::keep(const Lab& lab, const LabScore& score) const {
  LabScore merged = score;
  if (const std::optional<LabScore> before = of(lab)) {
    for (const TestScore& old : before->tests) {
      const auto same = [&](const auto& other) { return other.name == old.name; };
      const bool in_lab = std::any_of(lab.tests.begin(), lab.tests.end(), same) ||
                          std::any_of(lab.benchmarks.begin(), lab.benchmarks.end(), same);
      if (in_lab && std::none_of(score.tests.begin(), score.tests.end(), same)) {
        merged.tests.push_back(old);
      }
    }
  }
  const auto place = [&](const TestScore& test) {
    const auto found = std::find_if(lab.tests.begin(), lab.tests.end(),
                                    [&](const Test& other) { return other.name == test.name; });
    return found - lab.tests.begin();
  };
  std::stable_sort(merged.tests.begin(), merged.tests.end(),
                   [&](const TestScore& a, const TestScore& b) { return place(a) < place(b); });
  for (const TestScore& test : score.tests) {
    if (test.status == Status::passed) {
      std::error_code error;
      fs::remove(hints_file(lab, test.name), error);
    }
  }
  write_file_atomically(file(lab), lab_to_json(merged));
}

bool LastCheck::newer_than(const LastCheck& other, const Lab& lab) const {
  std::error_code error;
  const fs::file_time_type mine = fs::last_write_time(file(lab), error);
  if (error) {
    return false;
  }
  const fs::file_time_type theirs = fs::last_write_time(other.file(lab), error);
  return error || mine > theirs;
}

bool LastCheck::outdated(const Lab& lab) const {
  if (!lab.slot) {
    return false;
  }
  std::error_code error;
  const fs::file_time_type checked = fs::last_write_time(file(lab), error);
  return std::any_of(lab.slot->files.begin(), lab.slot->files.end(), [&](const std::string& name) {
    return fs::last_write_time(course_.lab_folder(lab) / name, error) > checked && !error;
  });
}

std::size_t LastCheck::hints_given(const Lab& lab, const std::string& test) const {
  const std::string text = read_file_if_present(hints_file(lab, test)).value_or("");
  return std::strtoul(text.c_str(), nullptr, 10);
}

void LastCheck::keep_hints_given(const Lab& lab, const std::string& test, std::size_t tiers) const {
  write_file_atomically(hints_file(lab, test), std::to_string(tiers) + "\n");
}

}  // namespace goro::grader
