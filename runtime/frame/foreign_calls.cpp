// Finds the library functions that foreign_calls.S jumps to.
#include "contracts/constants.h"
#include "frame/foreign_list.h"

#if GORO_GROWABLE_STACKS

#include <dlfcn.h>

#include "contracts/services/fatal.h"

// Until they are found, each is a piece of assembly that has them found first: the constructors of
// a shared library run before ours, and may come here through a template that the program and the
// library share.
#define GORO_REAL(name)    \
  void goro_find_##name(); \
  void* goro_real_##name = reinterpret_cast<void*>(&goro_find_##name);

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

}  // namespace

// At the first call, or before any other constructor of the program: later there may be no room to
// look.
extern "C" __attribute__((constructor(101))) void goro_find_real_functions() {
  GORO_FOREIGN_FUNCTIONS(GORO_FIND, GORO_FIND)
  GORO_FIND(_Unwind_Resume)
}

#endif
