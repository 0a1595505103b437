#include "bench_harness.h"

int sum(int a, int b);

int main() {
  return harness::run_bench("BM_Sum", [] {
    int total = 0;
    for (int i = 0; i < 20000; ++i) {
      total = sum(total, i);
    }
    return total;
  });
}
