// Every G that ever was in this run. Go: allgs.
#pragma once

#include <type_traits>

#include "contracts/model.h"

namespace goro {

// A new G in status idle, registered for dumps. Gs are never freed before run() returns: a stale
// pointer to one is always a pointer to a G. On g0.
G* g_alloc();

// Calls visit(gp) for every registered G that is not idle, in order of creation.
void for_each_g(void (*visit)(G* gp, void* arg), void* arg);

template <typename F>
void for_each_g(F&& visit) {
  for_each_g([](G* gp, void* arg) { (*static_cast<std::remove_reference_t<F>*>(arg))(gp); },
             &visit);
}

// Gives the memory back. Between two runs.
void allgs_reset();

}  // namespace goro
