// How much the tests that try something often do: a sanitizer makes each step an order slower.
#pragma once

namespace goro::testing {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr int kScale = 1;
#else
inline constexpr int kScale = 8;
#endif

}  // namespace goro::testing
