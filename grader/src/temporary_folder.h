#pragma once

#include "files.h"

namespace goro::grader {

// A folder that is gone when this is, however the program ends.
class TemporaryFolder {
 public:
  // Beside `path`, so that it can be renamed to it, with a name that begins with a dot.
  explicit TemporaryFolder(const fs::path& path);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

  // It becomes `path`, which must not exist, and stays.
  void become(const fs::path& path);

  // For a program that ends without destroying its objects.
  static void remove_all();

 private:
  fs::path path_;
};

}  // namespace goro::grader
