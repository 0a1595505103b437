// Names for code addresses, without allocating.
#pragma once

#include <cstdint>

namespace goro {

struct Symbol {
  const char* name = nullptr;  // mangled, null if unknown
  const char* file = nullptr;  // program or library
  std::uintptr_t base = 0;     // where the file is loaded: pc - base is what addr2line wants
};

Symbol find_symbol(std::uintptr_t pc);

// Maps the program's symbol table; call once before find_symbol, at any time.
void symbols_init();

}  // namespace goro
