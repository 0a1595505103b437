#pragma once

#include <map>
#include <string>

#include "trace_file.h"

namespace goro::grader {

struct SourcePlace {
  std::string path;  // from the course's root
  int line = 0;
};

// Where each function of these C++ files is defined, by name.
void find_functions(const fs::path& root, const fs::path& file,
                    std::map<std::string, SourcePlace>& found);

// More than this is not shown of a run: its end is.
inline constexpr std::size_t kMostShown = 100'000;

// The page that docs/viewer makes, with the recording in it. `sources_at` is what a path has to be
// put behind to be a link.
std::string view_page(const std::string& page, const TraceFile& file, const std::string& title,
                      const std::map<std::string, SourcePlace>& functions,
                      const std::string& sources_at);

}  // namespace goro::grader
