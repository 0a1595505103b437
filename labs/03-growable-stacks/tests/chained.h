// What the tests of chained stacks share.
#pragma once

#include "contracts/chained_stack.h"
#include "support.h"

#if GORO_CHAINED_STACKS
namespace goro::testing {

// As on_small_stack, with a chained stack. f may write to the test's locals.
template <typename F>
void on_chained_stack(F f, Options options = {.procs = 1}) {
  goro::run(
      [&f] {
        WaitGroup group;
        F* fn = &f;
        group.go({.stack = chained()}, [fn] { (*fn)(); });
        group.wait();
      },
      options);
}

}  // namespace goro::testing
#endif
