// A heap in which every entry has four children.
//
// Up is a quarter of the comparisons of a binary heap's way down, and most timers are set for later
// than most others: they stay near the bottom where they come in.
#include <algorithm>

#include "contracts/services/fatal.h"
#include "contracts/timers.h"

namespace goro {

namespace {

constexpr std::size_t kChildren = 4;

}  // namespace

void Timers::sift_up(std::size_t i) {
  const Entry entry = heap[i];
  while (i > 0) {
    const std::size_t parent = (i - 1) / kChildren;
    if (heap[parent].when <= entry.when) break;
    heap[i] = heap[parent];
    i = parent;
  }
  heap[i] = entry;
}

void Timers::sift_down(std::size_t i) {
  const std::size_t n = heap.size();
  const Entry entry = heap[i];
  for (;;) {
    const std::size_t first = i * kChildren + 1;
    if (first >= n) break;
    const std::size_t end = std::min(first + kChildren, n);
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (heap[child].when < heap[least].when) least = child;
    }
    if (heap[least].when >= entry.when) break;
    heap[i] = heap[least];
    i = least;
  }
  heap[i] = entry;
}

void Timers::init_heap() {
  if (heap.size() < 2) return;
  // From the last entry that has a child.
  for (std::size_t i = (heap.size() - 2) / kChildren + 1; i-- > 0;) sift_down(i);
}

void Timers::add_heap(RuntimeTimer* t) {
  if (t->ts != nullptr) fatal("ts set in timer");
  t->ts = this;
  t->hold();
  heap.push_back({t, t->when});
  sift_up(heap.size() - 1);
  if (heap[0].timer == t) update_min_when_heap();
}

void Timers::delete_min() {
  heap[0].timer->ts = nullptr;
  heap[0] = heap.back();
  heap.pop_back();
  if (!heap.empty()) {
    sift_down(0);
  } else {
    // Nothing is left that could have been modified.
    min_when_modified.store(0);
  }
  update_min_when_heap();
}

void Timers::update_min_when_modified(std::int64_t when) {
  std::int64_t seen = min_when_modified.load();
  while ((seen == 0 || when < seen) && !min_when_modified.compare_exchange_weak(seen, when)) {
  }
}

}  // namespace goro
