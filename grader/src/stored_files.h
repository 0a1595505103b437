#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace goro::grader {

// A slot file is source text that somebody wrote.
constexpr std::size_t largest_slot_file = std::size_t{1} << 20;

// What stands at a path of an archive or of a commit.
struct StoredFile {
  enum class Kind { file, folder, link, special };
  Kind kind = Kind::file;
  std::string content;
  std::string problem;  // why the content cannot be taken, if so: "is …"
};

// By path, "01-sum/sum.cpp". What is no lab's is not in it.
using StoredFiles = std::map<std::string, StoredFile>;

}  // namespace goro::grader
