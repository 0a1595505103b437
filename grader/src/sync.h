#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "edition.h"

namespace goro::grader {

// What happens to a file when a student's clone of one edition becomes a newer one.
enum class SyncAction {
  take,       // the new edition's; nothing of the student's is lost
  remove,     // the new edition has no such file, and the student has not changed it
  keep,       // a slot file that both changed, or that only the student still has: the student's
  put_aside,  // another file that both changed: the new edition's, the student's is kept elsewhere
  leave,      // changed by the student alone, and not a slot file: worth a line
};

struct SyncStep {
  std::string path;
  SyncAction action;
};

// By path, git's id of the content that is there; other text for what is no ordinary file. Missing
// files are not in it.
using PresentFiles = std::map<std::string, std::string>;

// What is to be done, by path; nothing for files that need nothing. Done a second time, or done
// after a half was done, it comes to the same end.
std::vector<SyncStep> plan_sync(const Edition& present, const Edition& next,
                                const PresentFiles& files,
                                const std::function<bool(const std::string&)>& is_slot_file);

}  // namespace goro::grader
