#pragma once

#include <map>
#include <optional>
#include <string>

#include "course.h"
#include "score.h"

namespace goro::grader {

// What the last check of each lab of labs/ found, kept so that `status` and `hint` need not run it
// again, and which hints were given.
class LastCheck {
 public:
  explicit LastCheck(const Course& course) : course_(course) {}

  [[nodiscard]] std::optional<LabScore> of(const Lab& lab) const;
  // Results of a part of the lab's tests replace those of the same tests and leave the others.
  void keep(const Lab& lab, const LabScore& score) const;
  // Whether a slot file changed after the check.
  [[nodiscard]] bool outdated(const Lab& lab) const;

  [[nodiscard]] std::size_t hints_given(const Lab& lab, const std::string& test) const;
  void keep_hints_given(const Lab& lab, const std::string& test, std::size_t tiers) const;

 private:
  [[nodiscard]] fs::path file(const Lab& lab) const;
  [[nodiscard]] fs::path hints_file(const Lab& lab, const std::string& test) const;

  const Course& course_;
};

}  // namespace goro::grader
