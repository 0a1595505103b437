// Names for code addresses, without allocating.
#pragma once

#include <cstddef>
#include <cstdint>

namespace goro {

struct Symbol {
  const char* name = nullptr;  // mangled, null if unknown
  const char* file = nullptr;  // program or library
  bool of_program = false;
  std::uintptr_t start = 0;  // of the function; 0 if unknown
  std::uintptr_t base = 0;   // where the file is loaded: pc - base is what addr2line wants
};

Symbol find_symbol(std::uintptr_t pc);

// Calls f(name, first address, size, arg) for each function that the program defines and its symbol
// table names, until f returns false. After symbols_init.
void for_each_program_function(bool (*f)(const char* name, std::uintptr_t start, std::size_t size,
                                         void* arg),
                               void* arg);

// Maps the program's symbol table; call once before find_symbol, at any time.
void symbols_init();

}  // namespace goro
