#include "sync.h"

#include <set>

namespace goro::grader {

std::vector<SyncStep> plan_sync(const Edition& present, const Edition& next,
                                const PresentFiles& files,
                                const std::function<bool(const std::string&)>& is_slot_file) {
  std::set<std::string> paths;
  for (const Edition* edition : {&present, &next}) {
    for (const auto& [path, id] : edition->files) {
      paths.insert(path);
    }
  }
  const auto id_in = [](const std::map<std::string, std::string>& all, const std::string& path) {
    const auto found = all.find(path);
    return found == all.end() ? std::string() : found->second;
  };
  std::vector<SyncStep> steps;
  for (const std::string& path : paths) {
    const std::string before = id_in(present.files, path);
    const std::string after = id_in(next.files, path);
    const std::string here = id_in(files, path);
    const bool slot = is_slot_file(path);
    if (here == after) {
      continue;
    }
    if (here.empty()) {
      // A slot file that the student deleted comes back when its starter is another one.
      if (!slot || before != after) {
        steps.push_back({path, SyncAction::take});
      }
    } else if (before == after) {
      if (!slot) {
        steps.push_back({path, SyncAction::leave});
      }
    } else if (here == before) {
      steps.push_back({path, after.empty() ? SyncAction::remove : SyncAction::take});
    } else {
      steps.push_back({path, slot ? SyncAction::keep : SyncAction::put_aside});
    }
  }
  return steps;
}

}  // namespace goro::grader
