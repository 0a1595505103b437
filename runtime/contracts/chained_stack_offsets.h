// Where assembly finds the fields of a StackSegment, counted down from its upper end;
// contracts/chained_stack.h asserts every one of them.
#pragma once

#define GORO_SEGMENT_SIZE 64
#define GORO_SEGMENT_LO -64
#define GORO_SEGMENT_ROOM -56
#define GORO_SEGMENT_OLDER_LO -48
#define GORO_SEGMENT_OLDER_HI -40
#define GORO_SEGMENT_MARK -16
#define GORO_SEGMENT_NEWER -8

// In the mark of a base that is pinned (contracts/services/pin.h).
#define GORO_STACK_PINNED 2

// kStackGuard, kStackPreempt, and StackKind::chained in the two lowest bits of the byte that it has
// in a G.
#define GORO_STACK_GUARD 704
#define GORO_STACK_PREEMPT -1314
#define GORO_STACK_KIND_BITS 3
#define GORO_STACK_KIND_CHAINED 1
