#pragma once

#include <string>
#include <vector>

namespace goro::grader {

// What the student wrote in a file: its lines without those that the starter has too.
std::string own_lines(const std::string& content, const std::string& starter);

// Of two texts the one's share that is in the other, in percent; the larger of both ways round.
struct Likeness {
  std::size_t first = 0;  // in the order of the texts
  std::size_t second = 0;
  int percent = 0;
};

// Reads what `sim_c++ -p` says of files that are named 0.cpp, 1.cpp and so on. Each pair once.
std::vector<Likeness> read_likenesses(const std::string& output);

// Two submissions and in which labs they are alike.
struct SimilarPair {
  std::string first;
  std::string second;
  std::vector<std::pair<std::string, int>> labs;  // "04", percent
};

// The most suspicious first: most labs, then the highest percentage.
void sort_by_suspicion(std::vector<SimilarPair>& pairs);

}  // namespace goro::grader
