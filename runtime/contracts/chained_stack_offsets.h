// Where assembly finds the fields of a StackSegment, counted down from its upper end;
// contracts/chained_stack.h asserts every one of them.
#pragma once

#define GORO_SEGMENT_SIZE 48
#define GORO_SEGMENT_LO -48
#define GORO_SEGMENT_ROOM -40
#define GORO_SEGMENT_OLDER_LO -32
#define GORO_SEGMENT_OLDER_HI -24
#define GORO_SEGMENT_NEWER -8

// kStackGuard, kStackPreempt, and StackKind::chained in the two lowest bits of the byte that it has
// in a G.
#define GORO_STACK_GUARD 704
#define GORO_STACK_PREEMPT -1314
#define GORO_STACK_KIND_BITS 3
#define GORO_STACK_KIND_CHAINED 1
