#include "private_tests.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "digest.h"
#include "problem.h"
#include "sandbox.h"
#include "source_names.h"
#include "text.h"

namespace goro::grader {

namespace {

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

// CMake would take these letters of a path for something else.
void expect_plain(const fs::path& path) {
  const std::string text = path.string();
  if (printable(text) != text || text.find_first_of(";\"$\\[]*?\n\t") != std::string::npos) {
    throw wrong_use(printable(text) +
                    ": a path of private tests must be without ; \" $ \\ [ ] * ?");
  }
}

class Loader {
 public:
  Loader(const fs::path& folder, const Course& course, const std::vector<const Lab*>& labs)
      : given_(folder), course_(course), labs_(labs) {}

  fs::path real_folder() const {
    std::error_code error;
    const fs::file_status status = fs::status(given_, error);
    if (!fs::exists(status)) {
      throw wrong_use("--tests " + given_.string() + ": there is no such folder");
    }
    if (!fs::is_directory(status)) {
      throw wrong_use("--tests " + given_.string() + ": this is no folder");
    }
    fs::path folder = fs::canonical(given_);
    expect_plain(folder);
    std::vector<fs::path> open = system_folders();
    open.insert(open.end(), {course_.build(), course_.root() / "runtime", course_.root() / "labs",
                             course_.root() / "solutions"});
    for (const fs::path& place : open) {
      if (is_below(folder, fs::weakly_canonical(place))) {
        throw wrong_use("--tests " + given_.string() + ": private tests do not belong in " +
                        place.string() + "; put them into a folder of their own");
      }
    }
    return folder;
  }

  // The labs' folders in it, and in `content` what a digest must know of everything else.
  std::map<std::string, fs::path> find_labs(const fs::path& folder, std::string& content) const {
    std::map<std::string, fs::path> found;
    std::set<fs::path> entries;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (!entry.path().filename().string().starts_with('.')) {
        entries.insert(entry.path());
      }
    }
    for (const fs::path& entry : entries) {
      const std::string name = entry.filename();
      const Lab* lab = nullptr;
      if (fs::is_directory(fs::symlink_status(entry)) &&
          std::isdigit(static_cast<unsigned char>(name.front())) != 0) {
        lab = &lab_named(name);
        if (!found.emplace(lab->folder, entry).second) {
          throw wrong_use(shown(entry) + ": " + shown(found.at(lab->folder)) + " is for lab " +
                          lab->number_text() + " already");
        }
        if (std::find(labs_.begin(), labs_.end(), lab) == labs_.end()) {
          continue;
        }
      }
      content += name + "\n" + digest_of_entry(entry) + "\n";
    }
    return found;
  }

  std::vector<Test> load(const Lab& lab, const fs::path& folder) const {
    const fs::path list = folder / PrivateTests::list_file;
    if (!fs::exists(list)) {
      throw wrong_use(shown(folder) + " has no " + std::string(PrivateTests::list_file) +
                      ", which gives its tests their points");
    }
    std::vector<Test> tests = parse_tests(read_file(list), shown(list));
    if (tests.empty()) {
      throw wrong_use(shown(list) + ": tests: must name at least one test");
    }
    std::set<std::string> names;
    for (Test& test : tests) {
      test.is_private = true;
      const auto same = [&](const Exercise& other) { return other.name == test.name; };
      if (std::any_of(lab.tests.begin(), lab.tests.end(), same)) {
        throw wrong_use(shown(list) + ": lab " + lab.number_text() + " has a test named " +
                        test.name + " that students see; choose another name");
      }
      if (!names.insert(test.name).second) {
        throw wrong_use(shown(list) + ": tests: the name \"" + test.name + "\" stands twice");
      }
    }
    compare(names, tests_in(sources(folder)), list);
    return tests;
  }

 private:
  // As a user would type it.
  [[nodiscard]] std::string shown(const fs::path& path) const {
    return (given_ / path.lexically_relative(fs::canonical(given_))).string();
  }

  [[nodiscard]] const Lab& lab_named(const std::string& name) const {
    const auto found = std::find_if(
        course_.labs().begin(), course_.labs().end(),
        [&](const Lab& lab) { return lab.folder == name || lab.number_text() == name; });
    if (found == course_.labs().end()) {
      std::vector<std::string> names;
      std::transform(course_.labs().begin(), course_.labs().end(), std::back_inserter(names),
                     [](const Lab& lab) { return lab.folder; });
      const std::string meant = nearest(name, names);
      throw wrong_use((given_ / name).string() + ": no lab is named so" +
                      (meant.empty() ? "; write its folder's name or its two digits"
                                     : "; did you mean " + meant + "?"));
    }
    return *found;
  }

  [[nodiscard]] std::string digest_of_entry(const fs::path& entry) const {
    expect_ordinary(entry);
    if (!fs::is_directory(entry)) {
      return entry.extension() == ".md" ? "" : digest_of(read_file(entry));
    }
    for (const fs::directory_entry& inside : fs::recursive_directory_iterator(entry)) {
      expect_ordinary(inside.path());
    }
    return digest_of_folder(entry);
  }

  void expect_ordinary(const fs::path& path) const {
    expect_plain(path);
    const fs::file_status status = fs::symlink_status(path);
    if (!fs::is_regular_file(status) && !fs::is_directory(status)) {
      throw wrong_use(shown(path) +
                      (fs::is_symlink(status) ? " is a symbolic link" : " is no file") +
                      "; private tests are ordinary files and folders");
    }
  }

  [[nodiscard]] std::string sources(const fs::path& folder) const {
    std::string text;
    bool any = false;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      const fs::path end = entry.path().extension();
      any = any || end == ".cpp";
      if (end == ".cpp" || end == ".h") {
        text += read_file(entry.path());
      }
    }
    if (!any) {
      throw wrong_use(shown(folder) + " has no source, *.cpp");
    }
    return text;
  }

  void compare(const std::set<std::string>& listed, const std::set<std::string>& written,
               const fs::path& list) const {
    for (const std::string& name : listed) {
      if (!written.contains(name)) {
        throw wrong_use(shown(list) + ": no source beside it holds the test " + name);
      }
    }
    for (const std::string& name : written) {
      if (!listed.contains(name)) {
        throw wrong_use(shown(list) + " does not name the test " + name +
                        ", which so has no points and would never be run");
      }
    }
  }

  const fs::path& given_;
  const Course& course_;
  const std::vector<const Lab*>& labs_;
};

}  // namespace

PrivateTests::PrivateTests(const fs::path& folder, const Course& course,
                           const std::vector<const Lab*>& labs) {
  try {
    const Loader loader(folder, course, labs);
    folder_ = loader.real_folder();
    std::string content;
    const std::map<std::string, fs::path> found = loader.find_labs(folder_, content);
    for (const Lab* lab : labs) {
      if (const auto place = found.find(lab->folder); place != found.end()) {
        tests_[lab->folder] = loader.load(*lab, place->second);
      }
    }
    if (tests_.empty()) {
      throw wrong_use("--tests " + folder.string() + ": it has no test for " +
                      (labs.size() == 1 ? "lab " + labs.front()->number_text()
                                        : "any of the labs that are to be graded"));
    }
    digest_ = digest_of(content);
  } catch (const fs::filesystem_error& error) {
    throw wrong_use("cannot read " + error.path1().string() + ": " + error.code().message());
  } catch (const Problem& problem) {
    throw wrong_use(problem.what());
  }
}

const std::vector<Test>& PrivateTests::of(const Lab& lab) const {
  static const std::vector<Test> none;
  const auto found = tests_.find(lab.folder);
  return found == tests_.end() ? none : found->second;
}

}  // namespace goro::grader
