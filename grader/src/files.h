#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace goro::grader {

namespace fs = std::filesystem;

// The file's content, or nothing if there is no such file. Any other failure is a Problem.
std::optional<std::string> read_file_if_present(const fs::path& path);
std::string read_file(const fs::path& path);

// Writes through a temporary file beside `path` and a rename: a reader sees the old content or the
// new one, never half of it. Makes the folder if need be. What must outlive a power cut is waited
// for until it is on the disk.
enum class Durable { no, yes };
void write_file_atomically(const fs::path& path, std::string_view content,
                           Durable durable = Durable::no);

// Throws a Problem if a file could not be written there: also if something else than an ordinary
// file is there, which a rename would replace.
void expect_writable(const fs::path& path);

// Leaves the file, and so its time stamp, alone if it holds `content` already.
// Returns whether it wrote.
bool write_file_if_different(const fs::path& path, std::string_view content);

// `path` as a user in `from` would type it: relative if it is below `from`, else as it is.
std::string shown_path(const fs::path& path, const fs::path& from);

}  // namespace goro::grader
