# What dumps need to name functions and lines, inside a signal handler too: two things that come with gcc's
# own libraries, and that clang finds there as well. Where one is missing, dumps say what they can without it.
#
#   GORO_SOURCE_LINES_LIBRARY  libbacktrace, by the name that the linker knows it by; or empty
#   GORO_SOURCE_LINES_OPTIONS  what its header needs
#   GORO_DEMANGLER_OBJECT      libsupc++'s demangler that allocates nothing; or empty. libstdc++.so has it,
#                              too, but keeps it to itself
include(CheckCXXSourceCompiles)
include(CMakePushCheckState)

set(GORO_SOURCE_LINES_LIBRARY "")
set(GORO_SOURCE_LINES_OPTIONS "")
set(GORO_DEMANGLER_OBJECT "")

function(goro_file_of_compiler result name)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${name}
    OUTPUT_VARIABLE file OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT IS_ABSOLUTE "${file}" OR NOT EXISTS "${file}")
    set(file "")
  endif()
  set(${result} "${file}" PARENT_SCOPE)
endfunction()

goro_file_of_compiler(archive libbacktrace.a)
if(archive)
  # Behind clang's own headers, which this folder also has its own versions of.
  get_filename_component(folder "${archive}" DIRECTORY)
  set(options -idirafter "${folder}/include")
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_FLAGS "-idirafter ${folder}/include")
  set(CMAKE_REQUIRED_LIBRARIES backtrace)
  check_cxx_source_compiles("#include <backtrace.h>
    int main() { return backtrace_create_state(nullptr, 1, nullptr, nullptr) == nullptr; }" GORO_HAS_LIBBACKTRACE)
  cmake_pop_check_state()
  if(GORO_HAS_LIBBACKTRACE)
    set(GORO_SOURCE_LINES_LIBRARY backtrace)
    set(GORO_SOURCE_LINES_OPTIONS "${options}")
  endif()
endif()

goro_file_of_compiler(archive libsupc++.a)
if(archive AND CMAKE_OBJCOPY)
  # One function of the archive, so that nothing else of it gets into a program that has libstdc++.so.
  set(folder "${PROJECT_BINARY_DIR}/demangler")
  file(MAKE_DIRECTORY "${folder}")
  # Both names are kept: GNU's objcopy knows the symbol by its new name there, LLVM's by its old one.
  # Once: whatever is linked with it is linked again when it changes.
  if(NOT EXISTS "${folder}/demangler.o")
    execute_process(
      COMMAND ${CMAKE_AR} x "${archive}" cp-demangle.o
      WORKING_DIRECTORY "${folder}" RESULT_VARIABLE failed ERROR_QUIET)
    if(NOT failed)
      execute_process(
        COMMAND ${CMAKE_OBJCOPY} --redefine-sym __gcclibcxx_demangle_callback=goro_demangle
                --keep-global-symbol=goro_demangle --keep-global-symbol=__gcclibcxx_demangle_callback
                cp-demangle.o demangler.o
        WORKING_DIRECTORY "${folder}" ERROR_QUIET)
    endif()
  endif()
  if(EXISTS "${folder}/demangler.o")
    set(GORO_DEMANGLER_OBJECT "${folder}/demangler.o")
  endif()
endif()
