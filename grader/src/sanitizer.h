#pragma once

#include <string>

namespace goro::grader {

// What a sanitizer reported in a program's output, for a reader who knows the slot files and not
// the sanitizer: "ThreadSanitizer found a data race:", then each stack with the course's own
// functions only. Of many reports the first three. Empty if there is no report.
std::string sanitizer_report(const std::string& output);

}  // namespace goro::grader
