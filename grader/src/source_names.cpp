#include "source_names.h"

#include <regex>

namespace goro::grader {

namespace {

// `pattern` finds a name's two parts; the second may be empty.
std::set<std::string> names_in(const std::string& source, const char* pattern) {
  const std::regex expression(pattern);
  std::set<std::string> names;
  for (std::sregex_iterator it(source.begin(), source.end(), expression), end; it != end; ++it) {
    names.insert((*it)[1].str() + ((*it)[2].length() == 0 ? "" : "." + (*it)[2].str()));
  }
  return names;
}

}  // namespace

std::set<std::string> tests_in(const std::string& source) {
  return names_in(source, R"(\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))");
}

std::set<std::string> benchmarks_in(const std::string& source) {
  return names_in(source, R"(\bBENCHMARK\(\s*(\w+)())");
}

}  // namespace goro::grader
