#pragma once

#include <string>
#include <vector>

#include "files.h"
#include "process.h"

namespace goro::grader {

// Runs git in `folder`. `index`, if given, is a file in place of the repository's own index.
Ended run_git(const fs::path& folder, std::vector<std::string> arguments,
              const fs::path& index = {});

// What git printed. A Problem, which says what was `wanted` and git's first line, if it failed.
std::string git(const fs::path& folder, const std::vector<std::string>& arguments,
                const std::string& wanted, const fs::path& index = {});

// Reads a commit into `index`, from which write_committed() and files_with_attribute() work,
// whatever the repository's own index and work tree are like. Returns the commit's files.
std::vector<std::string> read_commit(const fs::path& folder, const std::string& commit,
                                     const fs::path& index);
// Writes files of `index` below the folder `to`.
void write_committed(const fs::path& folder, const std::vector<std::string>& files,
                     const fs::path& index, const fs::path& to);

// git's ids of files' contents as they are, in the files' order. Needs no repository.
std::vector<std::string> content_ids(const fs::path& folder, const std::vector<std::string>& files);

// Of files, those that have the attribute in .gitattributes; as `index` has them, if given.
std::vector<std::string> files_with_attribute(const fs::path& folder, const std::string& attribute,
                                              const std::vector<std::string>& files,
                                              const fs::path& index = {});

}  // namespace goro::grader
