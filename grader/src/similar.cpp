#include "similar.h"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "text.h"

namespace goro::grader {

namespace {

std::string without_spaces_around(const std::string& line) {
  const std::size_t start = line.find_first_not_of(" \t\r");
  return start == std::string::npos ? "" : trim_right(line.substr(start));
}

int highest(const SimilarPair& pair) {
  int percent = 0;
  for (const auto& [lab, here] : pair.labs) {
    percent = std::max(percent, here);
  }
  return percent;
}

}  // namespace

std::string own_lines(const std::string& content, const std::string& starter) {
  std::set<std::string> given;
  for (const std::string& line : split_lines(starter)) {
    given.insert(without_spaces_around(line));
  }
  std::string own;
  for (const std::string& line : split_lines(content)) {
    if (!given.contains(without_spaces_around(line))) {
      own += line + "\n";
    }
  }
  return own;
}

std::vector<Likeness> read_likenesses(const std::string& output) {
  static const std::regex pattern(R"(^(\d+)\.cpp consists for (\d+) % of (\d+)\.cpp material$)");
  std::map<std::pair<std::size_t, std::size_t>, int> pairs;
  for (const std::string& line : split_lines(output)) {
    std::smatch found;
    if (std::regex_match(line, found, pattern)) {
      const std::size_t one = std::stoul(found[1]);
      const std::size_t other = std::stoul(found[3]);
      int& percent = pairs[{std::min(one, other), std::max(one, other)}];
      percent = std::max(percent, std::stoi(found[2]));
    }
  }
  std::vector<Likeness> all;
  for (const auto& [pair, percent] : pairs) {
    all.push_back({pair.first, pair.second, percent});
  }
  return all;
}

void sort_by_suspicion(std::vector<SimilarPair>& pairs) {
  std::stable_sort(pairs.begin(), pairs.end(), [](const SimilarPair& a, const SimilarPair& b) {
    return std::pair(a.labs.size(), highest(a)) > std::pair(b.labs.size(), highest(b));
  });
}

}  // namespace goro::grader
