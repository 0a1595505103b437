// The private line of a test or benchmark program to whoever grades.
//
// With GORO_TEST_CHANNEL=<fd> in the environment, each event is one JSON line on that descriptor,
// with the nonce that was read from it first. Without it there is no line, and nothing is told.
#pragma once

#include <string>

namespace goro::testing {

// -1: there is no line.
int private_line();
const char* private_line_nonce();

// Tells one event: the object's members besides the nonce. Allocates.
void tell(const std::string& members);

// In a child process of a test: nothing that it does is told to whoever grades.
void leave_private_line();

std::string json_string(const std::string& text);

}  // namespace goro::testing
