#pragma once

#include <cstddef>

// How much of a submission's own text a report repeats, so that no submission makes a report that
// nobody can open, or that a site refuses. The middle is what goes (see bounded()).
namespace goro::grader {

// Of one message in a report that is kept as a file.
constexpr std::size_t kept_message_bytes = 16384;
// Of one message where a site shows hundreds of them on a page.
constexpr std::size_t shown_message_bytes = 4096;
// Of a line that stands in for the message.
constexpr std::size_t title_bytes = 512;
// GitHub takes a job's summary up to 1 MiB, and shows ten errors of a step.
constexpr std::size_t summary_bytes = 1'000'000;
constexpr std::size_t annotations_shown = 10;
// And what is still a page to read.
constexpr std::size_t page_bytes = std::size_t{16} << 20;

}  // namespace goro::grader
