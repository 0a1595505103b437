// A program outside of the tree: only the public headers, found by find_package or
// add_subdirectory.
#include <goro/goro.h>

#include <cstdio>
#include <cstdlib>

namespace {

// Resident memory of this process, in bytes.
long resident() {
  long pages = 0;
  long ignored = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%ld %ld", &ignored, &pages) != 2) pages = 0;
  std::fclose(file);
  return pages * 4096;
}

// [hello]
int sum_of_squares() {
  goro::Channel<int> squares;
  goro::WaitGroup workers;
  for (int i = 1; i <= 3; ++i) {
    workers.go([squares, i] { squares.send(i * i); });
  }
  goro::go([squares, workers] {
    workers.wait();
    squares.close();
  });
  int sum = 0;
  for (int square : squares) sum += square;
  return sum;  // 14
}
// [/hello]

// `count` goroutines that all wait for one channel to be closed, and then all finish. Returns the
// bytes of memory each takes while it waits.
long parked(int count) {
  goro::Channel<int> gate;
  goro::WaitGroup all;
  const long before = resident();
  for (int i = 0; i < count; ++i) {
    all.go([gate] { gate.receive(); });
    // Let them start, and reach the gate, a few at a time.
    if (i % 64 == 63) goro::yield();
  }
  for (int i = 0; i < 1000; ++i) goro::yield();
  const long each = (resident() - before) / count;
  gate.close();
  all.wait();
  // The last ones have counted down, and are on their way out.
  for (int i = 0; i < 1000 && goro::num_goroutine() > 1; ++i) goro::yield();
  return each;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
  return goro::run([count] {
    const int sum = sum_of_squares();
    const long each = parked(count);
    std::printf("sum %d, %d goroutines parked and finished, %ld bytes each, %zu left\n", sum, count,
                each, goro::num_goroutine());
    return sum == 14 && each < 2600 && goro::num_goroutine() == 1 ? 0 : 1;
  });
}
