// Where assembly finds the fields of G, M and Gobuf; model.h asserts every one of them.
// Plain macros, because the assembler and the C++ compiler both read this file.
#pragma once

#define GORO_G_STACK_LO 0
#define GORO_G_STACK_HI 8
#define GORO_G_STACKGUARD0 16
#define GORO_G_M 24
#define GORO_G_SCHED_SP 32
#define GORO_G_SCHED_G 40
#define GORO_G_STACK_KIND 53
#define GORO_G_PREEMPT 54

#define GORO_M_G0 0
#define GORO_M_SPARE_STATE 8
#define GORO_M_RESUMED_STATE 16
#define GORO_M_ALTSTACK_SP 24
#define GORO_M_ALTSTACK_SIZE 32

#define GORO_GOBUF_SP 0
#define GORO_GOBUF_G 8
