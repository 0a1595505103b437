#include "harness.h"

int sum(int, int) {
  harness::not_implemented(1, 1, "sum");
}
