#pragma once

#include <cstdint>

#include "course.h"
#include "files.h"
#include "stored_files.h"

namespace goro::grader {

// What an archive may cost at most: whoever packs one decides what it unpacks to.
struct ArchiveLimits {
  std::uint64_t unpacked_bytes = std::uint64_t{256} << 20;
  std::uint64_t entries = 100'000;
};

// Reads the slot files out of a .zip or .tar, also one compressed with gzip, xz or zstd, without
// writing anything anywhere. They may lie in NN-name/ or in labs/NN-name/, either of them also
// below the one folder that everything else is in, as most programs that pack a folder have it.
// An archive that cannot be read, is too large or names what is outside of it is a Problem.
StoredFiles read_archive(const fs::path& archive, const Course& course,
                         const ArchiveLimits& limits = {});

}  // namespace goro::grader
