// What morestack's assembly needs of contracts/stack.h; newstack's frame asserts it.
#pragma once

// kForeignRoom
#define GORO_FOREIGN_ROOM 16384
