// What an operation that panics says.
#pragma once

#include <string>

#include "goro/goro.h"

namespace goro::testing {

template <typename F>
std::string panic_of(F&& f) {
  try {
    f();
  } catch (const Panic& panic) {
    return panic.what();
  }
  return "no panic";
}

}  // namespace goro::testing
