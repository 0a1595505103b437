#include "backups.h"

#include <array>
#include <ctime>

namespace goro::grader {

namespace {

std::string timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  (void)::localtime_r(&now, &parts);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &parts);
  return text.data();
}

}  // namespace

fs::path backup_path(const Course& course, const fs::path& file) {
  const std::string name = (course.build() / "backups" / file).string() + ".bak-" + timestamp();
  fs::path path = name;
  for (int i = 2; fs::exists(fs::symlink_status(path)); ++i) {
    path = name + "-" + std::to_string(i);
  }
  return path;
}

}  // namespace goro::grader
