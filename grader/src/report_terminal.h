#pragma once

#include <string>

#include "lab.h"
#include "score.h"
#include "terminal.h"

namespace goro::grader {

// One column: how a test or benchmark ended.
std::string marked(Status status, const Style& style);

// How many columns the names of those labs' tests get, so that the points below each other fit on a
// line of `width`.
std::size_t name_columns(const std::vector<const Lab*>& labs, std::size_t width);

// The line that appears as soon as a test has ended. A name that is longer than `columns` has a
// line of its own.
std::string result_line(const TestScore& test, const Style& style, std::size_t columns);

// One failure as prose: what was done, what was expected, what happened, what it is about, where to
// read and how to run it again.
std::string failure_prose(const LabScore& lab, const TestScore& test, const Style& style,
                          std::size_t width);

// What `check` says in the end: the failures, at most `most` in full, and the points.
std::string check_summary(const Lab& lab, const LabScore& score, std::size_t most,
                          const Style& style, std::size_t width);

// What `grade` says in the end: a table of the labs.
std::string score_table(const Score& score, const Style& style);

}  // namespace goro::grader
