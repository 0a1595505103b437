// What a goroutine of the switch's bench runs on g0 when it stops: hand over to its partner. Read
// by the assembler and by the C++ compiler.
#pragma once

#define GORO_BARS_G_SCHEDLINK 56
#define GORO_BARS_G_SCHED 32

#if !defined(__ASSEMBLER__)
#include <cstddef>

#include "contracts/model.h"

static_assert(offsetof(goro::G, schedlink) == GORO_BARS_G_SCHEDLINK);
static_assert(offsetof(goro::G, sched) == GORO_BARS_G_SCHED);

// An mcall function: goro_gogo(&gp->schedlink->sched).
extern "C" void goro_bars_hand_over(goro::G* gp);
#endif
