#include "lab_check.h"

#include <algorithm>
#include <regex>
#include <set>

#include "report_terminal.h"
#include "source_names.h"
#include "text.h"

namespace goro::grader {

namespace {

constexpr std::size_t hints_of_each = 3;

// In a page a column may be narrower than on a terminal.
std::string single_spaced(const std::string& text) {
  static const std::regex gaps(R"(\s+)");
  return std::regex_replace(text, gaps, " ");
}

class LabCheck {
 public:
  LabCheck(const Course& course, const Lab& lab, const std::vector<std::string>& files)
      : course_(course),
        lab_(lab),
        labs_("labs/" + lab.folder),
        solutions_("solutions/" + lab.folder) {
    for (const std::string& file : files) {
      if (file.starts_with(labs_ + "/") || file.starts_with(solutions_ + "/")) {
        files_.insert(file);
      }
    }
  }

  std::vector<std::string> run() {
    if (!lab_.problem.empty()) {
      return {lab_.problem};
    }
    std::set<std::string> known = files_of_lab();
    known.merge(files_of_solution());
    for (const std::string& file : files_) {
      if (!known.contains(file)) {
        complain(file, "nothing knows this file; is it a stray one?");
      }
    }
    look_at_hints();
    look_at_sample();
    look_at_ways_to_die();
    look_at_names(lab_.tests, "/tests/", tests_in, "test");
    look_at_names(lab_.benchmarks, "/bench/", benchmarks_in, "benchmark");
    return complaints_;
  }

 private:
  void complain(const std::string& file, const std::string& what) {
    complaints_.push_back(file + ": " + what);
  }

  std::string content(const std::string& file) {
    if (!files_.contains(file)) {
      complain(file, "is missing");
      return {};
    }
    return read_file(course_.root() / file);
  }

  // Sources in a folder below the lab's, all their text, and those headers that they include.
  std::string sources(const std::string& folder, std::set<std::string>& known) const {
    std::string text;
    for (const std::string& file : files_) {
      if (file.starts_with(labs_ + folder) && (file.ends_with(".cpp") || file.ends_with(".h"))) {
        text += read_file(course_.root() / file);
        known.insert(file);
      }
    }
    std::erase_if(known, [&](const std::string& file) {
      return file.starts_with(labs_ + folder) && file.ends_with(".h") &&
             text.find("#include \"" + fs::path(file).filename().string() + "\"") ==
                 std::string::npos;
    });
    return text;
  }

  std::set<std::string> files_of_lab() {
    std::set<std::string> known{labs_ + "/lab.json", labs_ + "/README.md"};
    const std::string handout = content(labs_ + "/README.md");
    for (const std::string& file : lab_.slot ? lab_.slot->files : std::vector<std::string>{}) {
      known.insert(labs_ + "/" + file);
      (void)content(labs_ + "/" + file);
    }
    for (const std::string folder : {"/tests/", "/bench/"}) {
      (void)sources(folder, known);
    }
    for (const std::string& file : files_) {
      if (handout.find("](" + file.substr(std::min(file.size(), labs_.size() + 1)) + ")") !=
          std::string::npos) {
        known.insert(file);
      }
    }
    return known;
  }

  std::set<std::string> files_of_solution() {
    if (!lab_.slot) {
      return {};
    }
    std::set<std::string> known{solutions_ + "/NOTES.md"};
    (void)content(solutions_ + "/NOTES.md");
    for (const std::string& file : lab_.slot->files) {
      known.insert(solutions_ + "/" + file);
      if (lower(content(solutions_ + "/" + file)).find("not_implemented") != std::string::npos) {
        complain(solutions_ + "/" + file, "something in it is not implemented");
      }
    }
    const std::string mutants = "grader/mutants/" + lab_.folder + ".json";
    if (!fs::exists(course_.root() / mutants)) {
      complain(mutants, "is missing: no bug proves that the lab's tests notice one");
    }
    return known;
  }

  void look_at_hints() {
    const auto look = [&](const Exercise& exercise) {
      if (exercise.hints.size() != hints_of_each) {
        complain(labs_ + "/lab.json", exercise.name + " has " +
                                          count(exercise.hints.size(), "hint") + ", not " +
                                          std::to_string(hints_of_each));
      }
    };
    std::for_each(lab_.tests.begin(), lab_.tests.end(), look);
    std::for_each(lab_.benchmarks.begin(), lab_.benchmarks.end(), look);
  }

  // Where the handout shows what `check` says of the starter, it says that.
  void look_at_sample() {
    const std::string handout = labs_ + "/README.md";
    if (!files_.contains(handout)) {
      return;
    }
    LabScore untouched;
    untouched.number = lab_.number;
    untouched.lab = lab_.folder;
    for (const Test& test : lab_.tests) {
      TestScore& score = untouched.tests.emplace_back();
      score.name = test.name;
      score.status = Status::failed;
      score.max_points = test.points;
      score.missing_step = lab_.steps.empty() ? 0 : lab_.steps.front().step;
    }
    static const std::regex of_a_test(R"(  ✗ (\S+) .*not implemented: step (\d+))");
    const Style plain(false);
    bool inside = false;
    for (const std::string& line : split_lines(read_file(course_.root() / handout))) {
      if (line == "$ ./course check " + std::to_string(lab_.number)) {
        inside = true;
      } else if (line == "```") {
        inside = false;
      } else if (inside && line != "  …") {
        std::string told = split_lines(check_summary(lab_, untouched, 0, plain, 80))[1];
        if (std::smatch parts; std::regex_match(line, parts, of_a_test)) {
          const auto test =
              std::find_if(untouched.tests.begin(), untouched.tests.end(),
                           [&](const TestScore& score) { return score.name == parts[1].str(); });
          if (test == untouched.tests.end()) {
            complain(handout, "the sample shows the test " + parts[1].str() +
                                  ", which lab.json does not name");
            continue;
          }
          TestScore score = *test;
          score.missing_step = std::stoi(parts[2].str());
          told = result_line(score, plain, score.name.size());
        }
        if (single_spaced(line) != single_spaced(told)) {
          complain(handout, "the sample shows\n    " + line + "\n  where a student sees\n    " +
                                single_spaced(told));
        }
      }
    }
  }

  // GoogleTest's death tests do not tell the parent that the child met what is not written yet.
  void look_at_ways_to_die() {
    static const std::regex death_test(R"(\b(?:EXPECT|ASSERT)_(?:EXIT|DEATH)\w*\()");
    for (const std::string& file : files_) {
      std::smatch found;
      if (file.starts_with(labs_ + "/tests/")) {
        const std::string text = read_file(course_.root() / file);
        if (std::regex_search(text, found, death_test)) {
          complain(file, found.str() +
                             "…) says \"failed\" of a function that is not written yet; "
                             "in_child of testing/child.h says \"not implemented\"");
        }
      }
    }
  }

  // `names_in` finds them in a source.
  template <typename Exercises>
  void look_at_names(const Exercises& exercises, const std::string& folder,
                     std::set<std::string> (*names_in)(const std::string&),
                     const std::string& what) {
    std::set<std::string> known;
    const std::set<std::string> found = names_in(sources(folder, known));
    std::set<std::string> named;
    for (const Exercise& exercise : exercises) {
      // Of BM_Name/8 the part before the argument.
      named.insert(exercise.name.substr(0, exercise.name.find('/')));
    }
    for (const std::string& name : named) {
      if (!found.contains(name)) {
        complain(labs_ + "/lab.json", "no source holds the " + what + " " + name);
      }
    }
    // What is measured for the reader's sake alone earns nothing.
    for (const std::string& name : what == "test" ? found : std::set<std::string>{}) {
      if (!named.contains(name)) {
        complain(labs_ + "/lab.json", "does not name the " + what + " " + name +
                                          ", which so earns no points and is never run");
      }
    }
  }

  const Course& course_;
  const Lab& lab_;
  std::string labs_;
  std::string solutions_;
  std::set<std::string> files_;
  std::vector<std::string> complaints_;
};

}  // namespace

std::vector<std::string> check_lab(const Course& course, const Lab& lab,
                                   const std::vector<std::string>& files) {
  return LabCheck(course, lab, files).run();
}

}  // namespace goro::grader
