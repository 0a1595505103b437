// Running something while nothing else runs.
#pragma once

#include <cstdint>
#include <type_traits>

namespace goro {

// On a goroutine's stack: runs f() on g0 while the world is stopped, and starts it again with
// `procs` Ps (0: as many as before). One at a time.
void with_stopped_world_do(void (*f)(void*), void* arg, std::int32_t procs);
template <typename F>
void with_stopped_world(F&& f) {
  with_stopped_world_do([](void* arg) { (*static_cast<std::remove_reference_t<F>*>(arg))(); }, &f,
                        0);
}

}  // namespace goro
