#pragma once

#include <set>
#include <string>
#include <vector>

#include "files.h"

namespace goro::grader {

// What the objects of a slot may not contain. A slot has functions and data of its own; what would
// run before everything else, tell the linker what to do, take the place of functions that are not
// the slot's, or speak to the test library, no slot has a use for. Each complaint is one sentence.

// About an object as it was compiled.
std::vector<std::string> complaints_about_object(const fs::path& object);

struct LinkedSlot {
  fs::path object;
  std::set<std::string> replaces;  // functions of the system that the lab is about
};

struct LinkComplaint {
  fs::path object;
  std::string what;
};

// About the objects of slots that were linked with `others`, objects and archives, to `program`.
// Two definitions of the same strength are the linker's to find; this finds what it lets pass: a
// weak definition of the course's, or a definition in a system's library, that one of a slot's
// hides.
std::vector<LinkComplaint> complaints_about_program(const fs::path& program,
                                                    const std::vector<LinkedSlot>& slots,
                                                    const std::vector<fs::path>& others);

}  // namespace goro::grader
