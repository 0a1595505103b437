#pragma once

#include <set>
#include <string>

namespace goro::grader {

// The tests that a source defines, Suite.Name, found by their text.
std::set<std::string> tests_in(const std::string& source);

// The benchmarks that it registers.
std::set<std::string> benchmarks_in(const std::string& source);

}  // namespace goro::grader
