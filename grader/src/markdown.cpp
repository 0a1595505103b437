#include "markdown.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <regex>
#include <set>

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

constexpr std::string_view instructors_start = "<!-- instructors-only -->";
constexpr std::string_view instructors_end = "<!-- /instructors-only -->";

// A page's lines, which of them are inside a fenced block (the fences included), and which are for
// instructors only (the marks included).
struct Page {
  std::vector<std::string> lines;
  std::vector<bool> code;
  std::vector<bool> hidden;
  bool marks_match = true;
};

Page read_page(const std::string& markdown) {
  Page page{split_lines(markdown), {}, {}};
  bool inside = false;
  bool hidden = false;
  for (const std::string& line : page.lines) {
    const bool fence = is_fence(line);
    page.code.push_back(inside || fence);
    inside = inside != fence;
    const bool start = line == instructors_start;
    const bool end = line == instructors_end;
    page.marks_match = page.marks_match && !(start && hidden) && !(end && !hidden);
    page.hidden.push_back(hidden || start);
    hidden = (hidden || start) && !end;
  }
  page.marks_match = page.marks_match && !hidden;
  return page;
}

// What a mark of a quote names.
struct Quote {
  std::string path;
  std::string region;
};

std::optional<Quote> quote_in(const std::string& line) {
  static const std::regex pattern(R"(<!-- quote: ([^#\s]+)#(\S+) -->)");
  std::smatch found;
  if (!std::regex_search(line, found, pattern)) {
    return std::nullopt;
  }
  return Quote{found[1], found[2]};
}

// The page with an x for each letter of code: what is left are its words and links.
std::string without_code(const std::string& markdown) {
  const Page page = read_page(markdown);
  std::string text;
  for (std::size_t at = 0; at < page.lines.size(); ++at) {
    bool code = page.code[at];
    for (const char letter : page.lines[at]) {
      code = code != (letter == '`' && !page.code[at]);
      text += code ? 'x' : letter;
    }
    text += '\n';
  }
  return text;
}

// A link's target without what follows #; empty if it is no file's.
std::string linked_file(const std::string& target) {
  return target.find("://") != std::string::npos || target.starts_with("mailto:")
             ? ""
             : target.substr(0, target.find('#'));
}

// The page with the text only of links to what students do not get.
std::string without_links(std::string markdown, const fs::path& file,
                          const ForStudents& for_students) {
  const std::string words = without_code(markdown);
  // From the end, so that places before stay.
  for (std::size_t at = words.rfind("]("); at != std::string::npos && at > 0;
       at = words.rfind("](", at - 1)) {
    const std::size_t start = words.rfind('[', at);
    const std::size_t end = words.find(')', at);
    if (start == std::string::npos || end == std::string::npos) {
      continue;
    }
    const std::string path = linked_file(words.substr(at + 2, end - at - 2));
    if (!path.empty() && !for_students((file.parent_path() / path).lexically_normal())) {
      markdown.erase(at, end + 1 - at);
      markdown.erase(start, 1);
    }
  }
  return markdown;
}

class Checker {
 public:
  Checker(const fs::path& root, const fs::path& file)
      : root_(root), file_(file), page_(read_page(read_file(root / file))) {}

  std::vector<std::string> run() {
    if (!page_.marks_match) {
      complaints_.push_back(file_.string() + ": marks instructors-only without counterpart");
    }
    bool inside = false;
    for (std::size_t at = 0; at < page_.lines.size(); ++at) {
      if (!page_.code[at]) {
        quote(at);
        links(at);
      } else if (is_fence(page_.lines[at])) {
        if (!inside) {
          block(at);
        }
        inside = !inside;
      }
    }
    return complaints_;
  }

 private:
  void complain(std::size_t line, const std::string& text) {
    complaints_.push_back(file_.string() + ":" + std::to_string(line + 1) + ": " + text);
  }

  void quote(std::size_t at) {
    const std::optional<Quote> quoted = quote_in(page_.lines[at]);
    if (!quoted) {
      return;
    }
    const auto& [path, name] = *quoted;
    std::size_t start = at + 1;
    while (start < page_.lines.size() && page_.lines[start].empty()) {
      ++start;
    }
    if (start >= page_.lines.size() || !is_fence(page_.lines[start])) {
      complain(at, "no code block after the quote of " + path + "#" + name);
      return;
    }
    quoted_.insert(start);
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

  // Code of the tree's languages in the book.
  void block(std::size_t at) {
    static const std::regex language(R"( *```(cpp|c|asm|go)\b.*)");
    if (*file_.begin() == "docs" && std::regex_match(page_.lines[at], language) &&
        quoted_.find(at) == quoted_.end()) {
      complain(at, "code that is not quoted from the tree; put <!-- quote: file#region --> above");
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
    const std::string path = linked_file(target);
    const std::size_t hash = target.find('#');
    if (path.empty() && hash != 0) {
      return;
    }
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
  std::set<std::size_t> quoted_;  // lines at which a quoted block begins
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

std::string page_for_students(const std::string& markdown, const fs::path& file,
                              const ForStudents& for_students) {
  const Page page = read_page(markdown);
  if (!page.marks_match) {
    throw broken("marks instructors-only without counterpart");
  }
  std::string kept;
  bool leaving_out = false;  // a quote: the empty lines behind its mark, and its block
  for (std::size_t at = 0; at < page.lines.size(); ++at) {
    const std::string& line = page.lines[at];
    if (page.hidden[at]) {
      continue;
    }
    leaving_out = leaving_out && (line.empty() || page.code[at]);
    if (leaving_out) {
      const bool last = page.code[at] && (at + 1 == page.lines.size() || !page.code[at + 1]);
      leaving_out = !last;
      continue;
    }
    const std::optional<Quote> quoted = page.code[at] ? std::nullopt : quote_in(line);
    if (quoted && !for_students(quoted->path)) {
      kept += "*(Quoted here: a part of `" + quoted->path + "`, which this edition leaves out.)*\n";
      leaving_out = true;
      continue;
    }
    // Of the empty lines before and behind what is left out, one stays.
    if (!line.empty() || at == 0 || !page.hidden[at - 1] || !kept.ends_with("\n\n")) {
      kept += line + "\n";
    }
  }
  return without_links(kept, file, for_students);
}

std::vector<std::string> check_page(const fs::path& root, const fs::path& file) {
  return Checker(root, file).run();
}

}  // namespace goro::grader
