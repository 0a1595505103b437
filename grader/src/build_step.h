#pragma once

#include <string>
#include <vector>

namespace goro::grader {

// The steps of a build that have to do with a submission: compiling its slots, and linking programs
// with the objects. CMake puts `goro-grader build-step KIND COURSE BUILD` in front of their command
// lines, and whoever starts the build says in the environment how it is done:
constexpr std::string_view sandbox_variable = "GORO_SANDBOX";  // name_of(Sandbox); without: none
constexpr std::string_view build_variable = "GORO_BUILD_RUN";  // a word of its own for each build
//
// With a sandbox, compiling sees the toolchain, the runtime's sources and the submission, linking
// the toolchain and the build folder; each writes into a folder of its own, from which only the
// object or program and the list of what it depends on are taken. What failed once in a build is
// not tried again in it.
//
// With or without a sandbox, objects and programs are looked at (slot_object.h), and one with which
// something is wrong is an error like a compiler's.

// What the path of an object has in it that was compiled from the submission.
constexpr std::string_view submitted_object = "/slot_submitted_";

// The whole program: `arguments` are what follows "build-step". Returns its exit status.
int build_step(const std::vector<std::string>& arguments);

}  // namespace goro::grader
