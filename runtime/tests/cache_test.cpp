// Where Gs and stacks are, for the processor's caches.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

#include "contracts/model.h"
#include "contracts/services/page_heap.h"

namespace goro {
namespace {

#if GORO_GROWABLE_STACKS
// What goroutines that wait need again are the last lines of their stacks. In one row of the page
// heap those of all stacks fall into the same few sets of a cache; the next row must use others.
TEST(Cache, EndsOfStacksAreSpreadOverItsSets) {
  constexpr int kSpans = 256;  // 8 MB
  std::set<std::uintptr_t> places;
  for (int i = 0; i < kSpans; ++i) {
    places.insert(page_heap_alloc_small(kStackMin).lo % kStackMin / kCacheLine);
  }
  EXPECT_GE(places.size(), 6U) << "all stacks begin at the same few places of 2 KB";
  places.clear();
  for (int i = 0; i < kSpans; ++i) {
    places.insert(page_heap_alloc(kStackCacheSize) % kStackMin / kCacheLine);
  }
  EXPECT_GE(places.size(), 6U) << "and so do those that called a library's function";
  page_heap_reset();
}
#endif

std::vector<std::uint64_t> ids_of(GQueue* queue) {
  std::vector<std::uint64_t> ids;
  while (const G* gp = queue->pop()) ids.push_back(gp->goid);
  return ids;
}

TEST(GQueue, GivesTheFirstOnesInTheirOrder) {
  using Ids = std::vector<std::uint64_t>;
  for (const bool with_hints : {false, true}) {
    std::vector<G> gs(4);
    GQueue queue;
    for (std::uint64_t i = 0; i < gs.size(); ++i) {
      gs[i].goid = i;
      queue.push_back(&gs[i]);
    }
    if (with_hints) {
      GQueue other;
      other.push_back_all(&queue);
      queue = other;
    }
    GQueue none = queue.pop_front(0);
    EXPECT_TRUE(none.empty());
    GQueue two = queue.pop_front(2);
    EXPECT_EQ(ids_of(&two), (Ids{0, 1}));
    GQueue rest = queue.pop_front(7);
    EXPECT_EQ(ids_of(&rest), (Ids{2, 3})) << "there were only two more";
    EXPECT_TRUE(queue.empty());
    queue.push_back(gs.data());
    EXPECT_EQ(ids_of(&queue), (Ids{0})) << "an emptied queue takes others";
  }
}

}  // namespace
}  // namespace goro
