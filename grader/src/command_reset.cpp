#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "backups.h"
#include "commands.h"
#include "starter.h"
#include "text.h"

namespace goro::grader {

namespace {

bool confirmed(Terminal& terminal, const std::string& question) {
  if (::isatty(STDIN_FILENO) != 1) {
    throw wrong_use("reset asks first, and there is nobody to ask; add --yes");
  }
  terminal.print(question + " [y/N]");
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "Y" || answer == "yes");
}

// The slot file that is meant by its name or by a path to it, from here or from the course's root.
std::string slot_file(const Course& course, const Lab& lab, const std::string& given) {
  for (const std::string& file : lab.slot->files) {
    const fs::path path = course.lab_folder(lab) / file;
    for (const fs::path& from : {fs::current_path(), course.root(), course.lab_folder(lab)}) {
      if ((from / given).lexically_normal() == path.lexically_normal()) {
        return file;
      }
    }
  }
  const std::string plural = lab.slot->files.size() == 1 ? "; its file is " : "; its files are ";
  throw wrong_use("lab " + lab.number_text() + " has no file \"" + given + "\"" + plural +
                  join(lab.slot->files, ", "));
}

struct Replacement {
  std::string file;
  fs::path path;
  std::string starter;
  std::optional<std::string> present;
};

}  // namespace

ExitStatus reset(const Course& course, const ResetOptions& options, Terminal& terminal) {
  const Lab& lab = course.lab(options.lab);
  if (!lab.slot) {
    throw wrong_use("lab " + lab.number_text() + " has no files to reset");
  }
  std::vector<std::string> files = lab.slot->files;
  if (!options.file.empty()) {
    files = {slot_file(course, lab, options.file)};
  }
  std::vector<Replacement> replacements;
  for (const std::string& file : files) {
    const std::string shown = "labs/" + lab.folder + "/" + file;
    const std::string starter = starter_of(course, shown);
    const fs::path path = course.lab_folder(lab) / file;
    std::optional<std::string> present = read_file_if_present(path);
    if (present != starter) {
      replacements.push_back({file, path, starter, std::move(present)});
    }
  }
  if (replacements.empty()) {
    terminal.print("Nothing to do: " + join(files, ", ") + (files.size() == 1 ? " is" : " are") +
                   " the starter already.");
    return ExitStatus::all_points;
  }
  std::vector<std::string> names;
  for (const Replacement& replacement : replacements) {
    names.push_back(replacement.file);
  }
  if (!options.yes &&
      !confirmed(terminal, "Put " + join(names, ", ") + " of lab " + lab.number_text() +
                               " back to the starter? Your version is kept in build/backups.")) {
    terminal.print("Nothing was changed.");
    return ExitStatus::all_points;
  }
  for (const Replacement& replacement : replacements) {
    std::string kept;
    if (replacement.present) {
      const fs::path backup = backup_path(course, fs::path(lab.folder) / replacement.file);
      write_file_atomically(backup, *replacement.present);
      kept = "; yours is in " + shown_path(backup, fs::current_path());
    }
    write_file_atomically(replacement.path, replacement.starter);
    terminal.print(replacement.file + " is the starter again" + kept);
  }
  return ExitStatus::all_points;
}

}  // namespace goro::grader
