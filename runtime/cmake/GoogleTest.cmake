# GoogleTest, compiled here with the flags of this build: a sanitizer or the cross compiler needs its own.
# The sources come from Debian's and Ubuntu's package googletest.
set(GORO_GOOGLETEST "/usr/src/googletest/googletest" CACHE PATH "GoogleTest's sources")
if(NOT EXISTS "${GORO_GOOGLETEST}/src/gtest-all.cc")
  message(FATAL_ERROR "GoogleTest's sources are not at ${GORO_GOOGLETEST}: apt-get install googletest")
endif()
add_library(goro_gtest STATIC "${GORO_GOOGLETEST}/src/gtest-all.cc")
target_include_directories(goro_gtest SYSTEM PUBLIC "${GORO_GOOGLETEST}/include")
target_include_directories(goro_gtest PRIVATE "${GORO_GOOGLETEST}")
target_link_libraries(goro_gtest PUBLIC Threads::Threads)
# Only the sanitizers' flags: its code runs on goroutine 1 or outside, where there is room, so it needs no
# checks in its prologues. Neither optimised nor debugged: every first build waits for this file.
target_compile_options(goro_gtest PRIVATE -w -O0 -g0 ${GORO_SANITIZE_OPTIONS})
