// All steps inside the runtime: what the order of the queue means for a program.
#include <algorithm>
#include <array>
#include <atomic>
#include <deque>

#include "contracts/getg.h"
#include "goro/goro.h"
#include "queue_test.h"
#include "testing/whole_slices.h"

namespace goro::testing {

namespace {

// Every order that this lab's tests expect is one of goroutines that nobody interrupts.
const WholeSlices whole_slices;

constexpr std::size_t kMost = 600;

// What ran, in order. One P, so one goroutine at a time.
struct Record {
  std::array<std::uint64_t, kMost> ids{};
  std::size_t count = 0;
  std::uint32_t schedtick = 0;  // of the P, when goroutine 1 began to wait
};

// Goroutine 1 makes n goroutines, numbered from 0, and waits for them.
void spawn_and_wait(std::size_t n, Record* record) {
  goro::run(
      [n, record] {
        const WaitGroup group;
        for (std::size_t i = 0; i < n; ++i) {
          group.go([i, record] {
            if (record->count < kMost) record->ids[record->count++] = i;
          });
        }
        record->schedtick = getm()->p->schedtick;
        group.wait();
      },
      {.procs = 1});
}

Ids last_first(std::size_t n, std::uint32_t) {
  return Ids{n - 1} + range(0, n - 2);
}

// The rules of Go's scheduler for one P, in a few lines: numbers instead of goroutines.
Ids by_the_rules(std::size_t n, std::uint32_t schedtick) {
  std::deque<std::uint64_t> ring;
  std::deque<std::uint64_t> global;
  for (std::uint64_t kicked_out = 0; kicked_out + 1 < n; ++kicked_out) {
    if (ring.size() == kRunqSize) {
      global.insert(global.end(), ring.begin(), ring.begin() + kRunqSize / 2);
      ring.erase(ring.begin(), ring.begin() + kRunqSize / 2);
      global.push_back(kicked_out);
    } else {
      ring.push_back(kicked_out);
    }
  }
  Ids order{n - 1};  // runnext, in goroutine 1's slice
  const auto take = [](std::deque<std::uint64_t>* from) {
    const std::uint64_t id = from->front();
    from->pop_front();
    return id;
  };
  if (schedtick % kGlobalQueueTick == 0 && !global.empty()) {
    order.insert(order.begin(), take(&global));
    ++schedtick;
  }
  for (; !ring.empty() || !global.empty(); ++schedtick) {
    if (schedtick % kGlobalQueueTick == 0 && !global.empty()) {
      order.push_back(take(&global));
    } else if (!ring.empty()) {
      order.push_back(take(&ring));
    } else {
      std::size_t share = std::min<std::size_t>(kRunqSize / 2, global.size());
      order.push_back(take(&global));
      while (--share != 0) ring.push_back(take(&global));
    }
  }
  return order;
}

struct Orders {
  Ids happened;
  Ids expected;
};

// Runs it until the order is as expected, at most ten times: on a busy machine, goroutine 1 can be
// made to give way in the middle of its go statements, and then other orders are right as well.
Orders run_until(std::size_t n, Ids (*expect)(std::size_t n, std::uint32_t schedtick)) {
  Orders orders;
  for (int attempt = 0; attempt < 10; ++attempt) {
    Record record;
    spawn_and_wait(n, &record);
    orders.happened.assign(record.ids.begin(),
                           record.ids.begin() + static_cast<std::ptrdiff_t>(record.count));
    orders.expected = expect(n, record.schedtick);
    if (orders.happened == orders.expected) break;
  }
  return orders;
}

}  // namespace

TEST(Order, AHundredGoroutinesRunTheLastOneFirst) {
  GORO_STEP(
      "on one P, goroutine 1 started goroutines 0 … 99 and waited; they wrote down their numbers");
  const Orders orders = run_until(100, last_first);
  EXPECT_EQ(show(orders.happened), "G99, G0..G98")
      << "the order: the last one is in runnext and runs first; each of the others was kicked out "
         "of it to "
         "the tail of the ring, in the order of the go statements";
}

TEST(Order, SixHundredGoroutinesOverflowInTheRightOrder) {
  GORO_STEP(
      "on one P, goroutine 1 started goroutines 0 … 599 and waited; they wrote down their numbers");
  const Orders orders = run_until(kMost, by_the_rules);
  Ids sorted = orders.happened;
  std::sort(sorted.begin(), sorted.end());
  ASSERT_EQ(show(sorted), "G0..G599") << "each goroutine must run exactly once";
  EXPECT_EQ(show(orders.happened), show(orders.expected))
      << "the order: three overflows put 0 … 127 and 256, 128 … 255 and 385, 257 … 384 and 514 "
         "into the "
         "GRQ; the ring runs first, and every 61st time slice takes one from the GRQ";
}

TEST(Order, FourProcsRunEveryGoroutineOnce) {
  constexpr std::size_t kGoroutines = 6000;
  std::vector<std::atomic<int>> ran(kGoroutines);
  GORO_STEP(
      "on four Ps, goroutine 1 started 6,000 goroutines, in pairs: each starts the second of its "
      "pair");
  goro::run(
      [&ran] {
        const WaitGroup group;
        for (std::size_t i = 0; i < kGoroutines; i += 2) {
          group.go([i, group, all = ran.data()] {
            group.go([i, all] { all[i + 1].fetch_add(1, std::memory_order_relaxed); });
            all[i].fetch_add(1, std::memory_order_relaxed);
          });
        }
        group.wait();
      },
      {.procs = 4});
  for (std::size_t i = 0; i < kGoroutines; ++i) {
    ASSERT_EQ(ran[i].load(), 1) << "goroutine " << i << " must run exactly once";
  }
}

}  // namespace goro::testing
