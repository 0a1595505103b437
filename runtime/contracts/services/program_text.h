// Whose function is at an address of the program's text?
#pragma once

#include <cstdint>

namespace goro {

// [text]
enum class Text : std::uint8_t {
  // Not in the program, or assembly, or a function with a C name, or the runtime's, or operator new
  // and delete.
  other,
  // A function of std:: (or GoogleTest's testing::) that was compiled into the program.
  library,
  // Any other C++ function.
  program,
};
// [/text]

// By the program's symbol table. Other for everything as long as program_text_init has not been
// called; and always in a program without a symbol table (strip), or with an allocator of its own,
// whose functions nobody can tell from the program's. Any stack, in a signal's handler too.
Text text_at(std::uintptr_t pc);

}  // namespace goro
