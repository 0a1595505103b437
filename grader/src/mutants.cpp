#include "mutants.h"

#include <algorithm>
#include <set>

#include "json_reader.h"
#include "problem.h"
#include "text.h"

namespace goro::grader {

namespace {

Mutant read_mutant(JsonReader& reader, const Lab& lab) {
  Mutant mutant;
  mutant.name = reader.text("name");
  if (mutant.name.find_first_of("/ \t\n") != std::string::npos) {
    reader.fail("name", "\"" + mutant.name + "\" must be one word, such as drops-the-last");
  }
  mutant.what = reader.text("what");
  mutant.file = reader.text("file");
  if (std::find(lab.slot->files.begin(), lab.slot->files.end(), mutant.file) ==
      lab.slot->files.end()) {
    reader.fail("file", "\"" + mutant.file + "\" is none of the lab's slot files");
  }
  mutant.find = reader.text("find");
  mutant.replace = reader.text_or_empty("replace");
  if (mutant.find == mutant.replace) {
    reader.fail("replace", "is the same as find");
  }
  mutant.caught_by = reader.texts("caught_by");
  if (mutant.caught_by.empty()) {
    reader.fail("caught_by", "must name at least one test");
  }
  for (const std::string& test : mutant.caught_by) {
    if (std::none_of(lab.tests.begin(), lab.tests.end(),
                     [&](const Test& t) { return t.name == test; })) {
      reader.fail("caught_by", "lab " + lab.number_text() + " has no test \"" + test + "\"");
    }
  }
  mutant.names = reader.text("names");
  if (reader.has("arch")) {
    const std::string name = reader.text("arch");
    if (name != "x86_64" && name != "aarch64") {
      reader.fail("arch", "\"" + name + "\" must be \"x86_64\" or \"aarch64\"");
    }
    mutant.architecture = name == "x86_64" ? Architecture::x86_64 : Architecture::aarch64;
  }
  reader.finish();
  return mutant;
}

}  // namespace

std::vector<Mutant> parse_mutants(const std::string& json, const std::string& shown,
                                  const Lab& lab) {
  const nlohmann::json whole = JsonReader::parse(json, shown);
  JsonReader reader(whole, shown, "");
  if (const std::string folder = reader.text("lab"); folder != lab.folder) {
    reader.fail("lab", "is \"" + folder + "\", the file is named after " + lab.folder);
  }
  if (!lab.slot) {
    reader.fail("lab", lab.folder + " has no slot in which a bug could be planted");
  }
  std::vector<Mutant> mutants;
  std::set<std::string> names;
  for (JsonReader& element : reader.objects("mutants")) {
    mutants.push_back(read_mutant(element, lab));
    if (!names.insert(mutants.back().name).second) {
      element.fail("name", "\"" + mutants.back().name + "\" stands twice");
    }
  }
  reader.finish();
  return mutants;
}

std::string plant(const Mutant& mutant, const std::string& solution, const std::string& shown) {
  const std::size_t at = solution.find(mutant.find);
  if (at == std::string::npos) {
    throw broken("the mutant " + mutant.name + " is stale: its text does not stand in " + shown);
  }
  if (solution.find(mutant.find, at + 1) != std::string::npos) {
    throw broken("the mutant " + mutant.name + " is ambiguous: its text stands in " + shown +
                 " more than once");
  }
  std::string planted = solution;
  return planted.replace(at, mutant.find.size(), mutant.replace);
}

}  // namespace goro::grader
