// Uses memory in many processes at once.
// report: MB of memory and was ended.
// report: It did not end within its time limit
#include <sys/mman.h>
#include <unistd.h>
#include <cstddef>

namespace {
[[gnu::constructor]] void attack() {
  for (int i = 0; i < 3; ++i) (void)fork();
  for (;;) {
    constexpr std::size_t kPiece = std::size_t{64} << 20;
    void* piece = mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED) continue;
    (void)madvise(piece, kPiece, MADV_HUGEPAGE);
    for (std::size_t i = 0; i < kPiece; i += 4096) static_cast<volatile char*>(piece)[i] = 1;
  }
}
}  // namespace
