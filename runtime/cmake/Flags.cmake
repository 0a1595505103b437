# Compiler and linker flags, in one place: for everything that runs on goroutine stacks (goro_flags, part
# of goro::goro's interface) and for our own code on top (goro_warnings).
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# Debug information in release builds too: a crash report names functions and lines.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(GORO_ARCH x86_64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(GORO_ARCH aarch64)
else()
  message(FATAL_ERROR "goro runs on x86-64 and ARM64; this is ${CMAKE_SYSTEM_PROCESSOR}")
endif()

set(GORO_COMPILE_OPTIONS "")
set(GORO_LINK_OPTIONS "")
set(GORO_DEFINITIONS "")
set(GORO_SANITIZE_OPTIONS "")
set(GORO_RUNTIME_OPTIONS "")  # for frame and slots only

# Dumps of goroutines walk frame records.
list(APPEND GORO_COMPILE_OPTIONS -fno-omit-frame-pointer)

if(GORO_SANITIZE STREQUAL "thread")
  set(GORO_SANITIZE_OPTIONS -fsanitize=thread)
  # The scheduler's functions leave g0 without returning, again and again; a record of their entries would
  # never shrink. So frame and slots keep none (their reports name the innermost function only).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    set(GORO_RUNTIME_OPTIONS "SHELL:-mllvm -tsan-instrument-func-entry-exit=0")
  else()
    set(GORO_RUNTIME_OPTIONS "SHELL:--param tsan-instrument-func-entry-exit=0")
  endif()
elseif(GORO_SANITIZE STREQUAL "address")
  set(GORO_SANITIZE_OPTIONS -fsanitize=address,undefined -fno-sanitize-recover=undefined)
elseif(GORO_SANITIZE STREQUAL "")
  list(APPEND GORO_DEFINITIONS GORO_HAS_GROWABLE_STACKS=1)
  if(GORO_ARCH STREQUAL "x86_64")
    # The check in every prologue. lld recognises a prologue only where it is the first thing in a
    # function, so no landing pads for indirect branches (-fcf-protection=none).
    list(APPEND GORO_COMPILE_OPTIONS -fsplit-stack -fcf-protection=none)
    # Some -mtune= would have gcc keep room for arguments below what alloca gives (frame/stack_space.h).
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      list(APPEND GORO_COMPILE_OPTIONS -mno-accumulate-outgoing-args)
    endif()
    # lld turns calls into code without checks into requests for 16 KB; bfd does not.
    list(APPEND GORO_LINK_OPTIONS -fuse-ld=lld)
  else()
    # The check behind every prologue; a frame must fit into what the guard keeps free (kMaxFrame).
    # Targets whose code runs on large stacks only (g0, goroutine 1, threads) set GORO_ANY_FRAME.
    list(APPEND GORO_COMPILE_OPTIONS -pg
      $<$<NOT:$<BOOL:$<TARGET_PROPERTY:GORO_ANY_FRAME>>>:-Werror=frame-larger-than=768>)
  endif()
  # The lazy resolver needs more stack than a guard has.
  list(APPEND GORO_LINK_OPTIONS -Wl,-z,now)
else()
  message(FATAL_ERROR "GORO_SANITIZE is \"${GORO_SANITIZE}\"; thread or address are known")
endif()

# From a channel operation to the next goroutine it is a dozen small functions, and a processor that has just changed
# stacks predicts every return wrong. So more of them go into their callers than the compiler would put there. Not on
# ARM64: there a frame must fit into what the guard keeps free, and these would grow.
if(GORO_ARCH STREQUAL "x86_64" AND GORO_SANITIZE STREQUAL "" AND NOT GORO_SIMULATE)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    set(GORO_INLINE_OPTIONS -O3 "SHELL:-mllvm -inline-threshold=500")
  else()
    set(GORO_INLINE_OPTIONS -O3 --param=early-inlining-insns=60 --param=inline-min-speedup=2
      --param=max-inline-insns-auto=200 --param=max-inline-insns-single=800)
  endif()
  list(APPEND GORO_RUNTIME_OPTIONS "$<$<CONFIG:Release>:${GORO_INLINE_OPTIONS}>")
endif()

if(GORO_SIMULATE)
  if(NOT GORO_SANITIZE STREQUAL "")
    message(FATAL_ERROR "GORO_SIMULATE and GORO_SANITIZE exclude each other: the sanitizers know real threads only")
  endif()
  list(APPEND GORO_DEFINITIONS GORO_SIMULATE=1)
endif()

list(APPEND GORO_COMPILE_OPTIONS ${GORO_SANITIZE_OPTIONS})
list(APPEND GORO_LINK_OPTIONS ${GORO_SANITIZE_OPTIONS})

set(GORO_WARNINGS -Wall -Wextra -Werror)
