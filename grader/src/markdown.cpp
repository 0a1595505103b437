#include "markdown.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <regex>

#include "files.h"
#include "problem.h"
#include "text.h"

namespace goro::grader {

namespace {

bool is_fence(const std::string& line) {
  const std::size_t start = line.find_first_not_of(' ');
  return start != std::string::npos && line.compare(start, 3, "```") == 0;
}

std::string slug(const std::string& heading) {
  std::string text;
  for (const char letter : heading) {
    const auto c = static_cast<unsigned char>(letter);
    if (std::isalnum(c) != 0 || c == '-' || c == '_' || c >= 0x80) {
      text += static_cast<char>(std::tolower(c));
    } else if (c == ' ') {
      text += '-';
    }
  }
  return text;
}

std::string without_common_indentation(const std::vector<std::string>& lines) {
  std::size_t common = std::string::npos;
  for (const std::string& line : lines) {
    const std::size_t start = line.find_first_not_of(' ');
    if (start != std::string::npos) {
      common = std::min(common, start);
    }
  }
  std::string text;
  for (const std::string& line : lines) {
    text += (line.size() < common ? "" : line.substr(common)) + "\n";
  }
  return text;
}

// A page's lines, and which of them are inside a fenced block (the fences included).
struct Page {
  std::vector<std::string> lines;
  std::vector<bool> code;
};

Page read_page(const std::string& markdown) {
  Page page{split_lines(markdown), {}};
  bool inside = false;
  for (const std::string& line : page.lines) {
    const bool fence = is_fence(line);
    page.code.push_back(inside || fence);
    inside = inside != fence;
  }
  return page;
}

class Checker {
 public:
  Checker(const fs::path& root, const fs::path& file)
      : root_(root), file_(file), page_(read_page(read_file(root / file))) {}

  std::vector<std::string> run() {
    for (std::size_t at = 0; at < page_.lines.size(); ++at) {
      if (!page_.code[at]) {
        quote(at);
        links(at);
      }
    }
    return complaints_;
  }

 private:
  void complain(std::size_t line, const std::string& text) {
    complaints_.push_back(file_.string() + ":" + std::to_string(line + 1) + ": " + text);
  }

  void quote(std::size_t at) {
    static const std::regex pattern(R"(<!-- quote: ([^#\s]+)#(\S+) -->)");
    std::smatch found;
    if (!std::regex_search(page_.lines[at], found, pattern)) {
      return;
    }
    const std::string path = found[1];
    const std::string name = found[2];
    std::size_t start = at + 1;
    while (start < page_.lines.size() && page_.lines[start].empty()) {
      ++start;
    }
    if (start >= page_.lines.size() || !is_fence(page_.lines[start])) {
      complain(at, "no code block after the quote of " + path + "#" + name);
      return;
    }
    std::vector<std::string> shown;
    for (std::size_t i = start + 1; i < page_.lines.size() && !is_fence(page_.lines[i]); ++i) {
      shown.push_back(page_.lines[i]);
    }
    try {
      if (without_common_indentation(shown) != region(read_file(root_ / path), name)) {
        complain(start, "the block is not what " + path + " has between [" + name + "] and [/" +
                            name + "]");
      }
    } catch (const std::exception& error) {
      complain(at, path + ": " + error.what());
    }
  }

  void links(std::size_t at) {
    static const std::regex code(R"(`[^`]*`)");
    static const std::regex pattern(R"(\]\(([^)\s]+)\))");
    const std::string line = std::regex_replace(page_.lines[at], code, "");
    for (std::sregex_iterator it(line.begin(), line.end(), pattern), end; it != end; ++it) {
      link(at, (*it)[1]);
    }
  }

  void link(std::size_t at, const std::string& target) {
    if (target.find("://") != std::string::npos || target.starts_with("mailto:")) {
      return;
    }
    const std::size_t hash = target.find('#');
    const std::string path = target.substr(0, hash);
    const fs::path there = path.empty() ? root_ / file_ : (root_ / file_).parent_path() / path;
    if (!fs::exists(there)) {
      complain(at, "a link to " + target + ", which does not exist");
    } else if (hash != std::string::npos && there.extension() == ".md") {
      const std::vector<std::string> all = anchors(read_file(there));
      if (std::find(all.begin(), all.end(), target.substr(hash + 1)) == all.end()) {
        complain(at, "a link to " + target + ", but that page has no such heading");
      }
    }
  }

  fs::path root_;
  fs::path file_;
  Page page_;
  std::vector<std::string> complaints_;
};

}  // namespace

std::vector<std::string> anchors(const std::string& markdown) {
  const Page page = read_page(markdown);
  std::vector<std::string> all;
  std::map<std::string, int> times;
  for (std::size_t at = 0; at < page.lines.size(); ++at) {
    const std::string& line = page.lines[at];
    const std::size_t level = line.find_first_not_of('#');
    if (page.code[at] || level == 0 || level == std::string::npos || level > 6 ||
        line[level] != ' ') {
      continue;
    }
    const std::string name = slug(line.substr(level + 1));
    const int before = times[name]++;
    all.push_back(before == 0 ? name : name + "-" + std::to_string(before));
  }
  return all;
}

std::string region(const std::string& source, const std::string& name) {
  std::vector<std::string> lines;
  int starts = 0;
  int ends = 0;
  for (const std::string& line : split_lines(source)) {
    if (line.ends_with(" [" + name + "]")) {
      ++starts;
    } else if (line.ends_with(" [/" + name + "]")) {
      ++ends;
    } else if (starts == 1 && ends == 0) {
      lines.push_back(line);
    }
  }
  if (starts != 1 || ends != 1) {
    throw broken("the region " + name + " is not there exactly once");
  }
  return without_common_indentation(lines);
}

std::vector<std::string> check_page(const fs::path& root, const fs::path& file) {
  return Checker(root, file).run();
}

}  // namespace goro::grader
