// Finds the library functions that foreign_calls.S jumps to.
#include "contracts/constants.h"
#include "frame/foreign_list.h"

#if GORO_GROWABLE_STACKS

#include <dlfcn.h>

#include "contracts/services/fatal.h"

#define GORO_REAL(name) void* goro_real_##name = nullptr;

extern "C" {
GORO_FOREIGN_FUNCTIONS(GORO_REAL, GORO_REAL)
GORO_REAL(_Unwind_Resume)
}

namespace {

void* find(const char* name) {
  void* at = dlsym(RTLD_NEXT, name);
  if (at == nullptr) {
    goro::fatal("a function of the C++ library is missing: goro needs the shared libstdc++");
  }
  return at;
}

#define GORO_FIND(name) goro_real_##name = find(#name);

// Before any other constructor, which may throw or copy.
__attribute__((constructor(101))) void find_real_functions() {
  GORO_FOREIGN_FUNCTIONS(GORO_FIND, GORO_FIND)
  GORO_FIND(_Unwind_Resume)
}

}  // namespace

#endif
