#pragma once

#include <map>
#include <optional>
#include <string>

#include "course.h"
#include "score.h"

namespace goro::grader {

// What the last check of each lab of labs/ found, kept so that `status` and `hint` need not run it
// again, and which hints were given. Checks with --own are kept apart: they judge other programs.
class LastCheck {
 public:
  explicit LastCheck(const Course& course, bool own = false) : course_(course), own_(own) {}

  [[nodiscard]] std::optional<LabScore> of(const Lab& lab) const;
  // Results of a part of the lab's tests replace those of the same tests and leave the others. What
  // passed has no hints given any more: should it fail again, they start from the first.
  void keep(const Lab& lab, const LabScore& score) const;
  // Whether a slot file changed after the check.
  [[nodiscard]] bool outdated(const Lab& lab) const;
  // Whether this kept a result of the lab after `other` did, or `other` has none.
  [[nodiscard]] bool newer_than(const LastCheck& other, const Lab& lab) const;

  [[nodiscard]] std::size_t hints_given(const Lab& lab, const std::string& test) const;
  void keep_hints_given(const Lab& lab, const std::string& test, std::size_t tiers) const;

 private:
  [[nodiscard]] fs::path file(const Lab& lab) const;
  [[nodiscard]] fs::path hints_file(const Lab& lab, const std::string& test) const;

  const Course& course_;
  bool own_;
};

}  // namespace goro::grader
