#include "bench/switches.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "bench/clock.h"
#include "bench/hand_over.h"
#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "goro/no_grow.h"

namespace goro::bars {

namespace {

constexpr std::size_t kStackBytes = std::size_t{64} << 10;
struct alignas(kStackAlign) StackRoom {
  std::array<std::byte, kStackBytes> bytes;

  [[nodiscard]] Stack stack() {
    const auto lo = reinterpret_cast<std::uintptr_t>(bytes.data());
    return Stack{lo, lo + kStackBytes};
  }
};

// Either loop may be the one that ends.
long hand_overs_left = 0;

GORO_NO_GROW void to_starter(G* gp);
void to_starter(G* gp) {
  goro_gogo(&gp->m->g0->sched);
}

void goroutine_loop() {
  while (hand_overs_left-- > 0) goro_mcall(goro_bars_hand_over);
  goro_mcall(to_starter);
}

G* first_goroutine = nullptr;

void start_first() {
  goro_gogo(&first_goroutine->sched);
}

void prepare(G* gp, M* mp, G* partner, Stack stack) {
  gp->m = mp;
  gp->schedlink = partner;
  gp->stack = stack;
  gp->stackguard0.store(stack.lo + kStackGuard, std::memory_order_relaxed);
  gp->sched.g = gp;
  gostartcall(&gp->sched, stack.hi, goroutine_loop);
}

}  // namespace

double goroutine_switch_ns(long count) {
  static const auto rooms = std::make_unique<std::array<StackRoom, 2>>();
  static M m;
  static std::array<G, 2> gs;
  m.g0 = &m.g0_storage;
  m.g0->m = &m;
  m.g0->stack_kind = StackKind::system;
  m.g0->sched.g = m.g0;
  prepare(&gs[0], &m, &gs[1], (*rooms)[0].stack());
  prepare(&gs[1], &m, &gs[0], (*rooms)[1].stack());
  first_goroutine = &gs[0];
  hand_overs_left = count;
  const double start = now_ns();
  goro_mstart(m.g0, start_first);
  const double ns = (now_ns() - start) / static_cast<double>(count);
  goro_tls_g = nullptr;  // this thread is no M
  return ns;
}

}  // namespace goro::bars
