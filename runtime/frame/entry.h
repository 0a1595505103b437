// What a growable stack cannot do where there is no chaining (ARM64), kept out of the way of the
// code that decides.
#pragma once

#include <cstddef>
#include <cstdint>

#include "contracts/model.h"

namespace goro {

// `local` is the word at `offset` in the closure. Prints the remedies and exits with status 2. On
// g0: the text needs more room than a goroutine may have.
[[noreturn]] void refuse_closure(const G* spawner, std::uintptr_t local, std::size_t offset);

// gp asks for a scope of goro::pin_stack where a growable stack cannot be pinned. Likewise.
[[noreturn]] void refuse_pin(const G* gp);

}  // namespace goro
