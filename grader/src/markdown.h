// What a page claims about the tree, checked: code that it quotes, links, headings.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace goro::grader {

namespace fs = std::filesystem;

// The anchors that GitHub makes of a page's headings.
std::vector<std::string> anchors(const std::string& markdown);

// The lines between "[name]" and "[/name]" in a source file, without their common indentation.
// Throws Problem when the region is not there exactly once.
std::string region(const std::string& source, const std::string& name);

// Whether students get a file or folder (relative to root).
using ForStudents = std::function<bool(const fs::path&)>;

// The page `file` as students get it: without the lines from <!-- instructors-only --> to
// <!-- /instructors-only -->; of what they do not get, a link is its text only, and a quote a
// sentence that says so. Throws Problem when a mark has no counterpart.
std::string page_for_students(const std::string& markdown, const fs::path& file,
                              const ForStudents& for_students);

// Complaints, a line each, about the page `file` (relative to root):
//   - after <!-- quote: path#region --> comes a fenced block that is not that region, line for
//   line;
//   - in docs/, a fenced block of C, C++, assembly or Go that is no quote;
//   - a link to a file that does not exist, or to a heading that its page does not have;
//   - a mark instructors-only without counterpart.
std::vector<std::string> check_page(const fs::path& root, const fs::path& file);

}  // namespace goro::grader
