#pragma once

#include <functional>
#include <string>
#include <vector>

#include "files.h"

namespace goro::grader {

// One frame as the crash handler reports it: "0x7f00 /path/of/module+0x1234". The offset is the one
// to look up, for a return address already that of the call.
struct RawFrame {
  std::string module;
  std::string offset;
};
// The frames of a dump of goroutines, in which each is two lines, a name and a place. Of places
// "\t/path/module+0x1234", in the form that parse_frames reads.
std::vector<std::string> frames_in_dump(const std::string& output);
// Of places "\t/path/file:12 +0x34": "function at /path/file:12".
std::vector<std::string> lines_in_dump(const std::string& output);
std::vector<RawFrame> parse_frames(const std::vector<std::string>& frames);

// Turns a crash's frames into lines "function at file:line", innermost first, at most `most`.
// Frames of `program` are looked up in its debug information, other modules are named only.
std::vector<std::string> symbolize(const std::vector<std::string>& frames, const fs::path& program,
                                   bool arm64, std::size_t most,
                                   const std::function<std::string(std::string)>& users_path);

// addr2line's answer, with -a, -C, -f, -i and -e: for each address its frames, inlined ones first.
std::vector<std::vector<std::string>> parse_addr2line(const std::string& output);

}  // namespace goro::grader
