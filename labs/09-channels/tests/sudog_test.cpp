// Step 1: sudogs come from the P and go back to it. One M, nothing else runs.
#include <algorithm>
#include <deque>
#include <random>
#include <set>

#include "support.h"

namespace goro::testing {
namespace {

// Puts `n` clean sudogs of the test's own on a list.
void fill(SudogList* list, std::deque<Sudog>* owner, int n) {
  for (int i = 0; i < n; ++i) {
    Sudog* s = &owner->emplace_back();
    s->next = list->head;
    list->head = s;
    ++list->size;
  }
}

int length(const SudogList& list) {
  int n = 0;
  for (const Sudog* s = list.head; s != nullptr; s = s->next) ++n;
  return n;
}

bool clean(const Sudog* s) {
  return s->next == nullptr && s->prev == nullptr && s->elem == nullptr && !s->is_select &&
         !s->success && s->waitlink == nullptr && s->c == nullptr;
}

TEST(Sudogs, WithEmptyListsANewOneIsMade) {
  FakeM fake;
  GORO_STEP("neither P0 nor sched has a free sudog; acquire_sudog twice");
  Sudog* a = acquire_sudog();
  Sudog* b = acquire_sudog();
  ASSERT_NE(a, nullptr) << "with no list to take from, sudog_alloc() makes one";
  ASSERT_NE(b, nullptr) << "with no list to take from, sudog_alloc() makes one";
  EXPECT_NE(a, b) << "two goroutines cannot wait with the same sudog";
  EXPECT_TRUE(clean(a)) << "a sudog from acquire_sudog is clean: every link null";
  EXPECT_EQ(fake.p(0)->sudogcache.size, 0) << "a sudog that is in use is on no list";
}

TEST(Sudogs, OneThatIsGivenBackIsTakenAgain) {
  FakeM fake;
  const SudogList& local = fake.p(0)->sudogcache;
  Sudog* s = acquire_sudog();
  s->g = fake.g();
  GORO_STEP("release_sudog, of a sudog that a goroutine has used");
  release_sudog(s);
  EXPECT_EQ(local.head, s) << "it must be on P0's list";
  EXPECT_EQ(local.size, 1) << "and be counted there";
  EXPECT_EQ(s->g, nullptr) << "who waited with it is nobody's business any more: g must be null";
  EXPECT_EQ(length(sched.sudogcache), 0) << "P0 has room: nothing goes to sched's list";
  GORO_STEP("acquire_sudog");
  EXPECT_EQ(acquire_sudog(), s)
      << "the one that was given back must be taken again, while it is in the cache";
  EXPECT_EQ(local.size, 0) << "it was taken off the list: one less";
  EXPECT_EQ(local.head, nullptr) << "it was taken off the list";
  EXPECT_EQ(s->next, nullptr) << "the list's link must not stay in a sudog that is in use";
}

TEST(Sudogs, AnEmptyListTakesHalfAListFromTheGlobalOne) {
  FakeM fake;
  std::deque<Sudog> owner;
  GORO_STEP("P0's list is empty, sched's has 100; acquire_sudog");
  fill(&sched.sudogcache, &owner, 100);
  const Sudog* s = acquire_sudog();
  ASSERT_NE(s, nullptr) << "there were enough";
  EXPECT_TRUE(clean(s)) << "a sudog from acquire_sudog is clean: every link null";
  EXPECT_EQ(fake.p(0)->sudogcache.size, kSudogCache / 2 - 1)
      << "half a list moves over under one lock, and one of them is taken: 63 stay";
  EXPECT_EQ(sched.sudogcache.size, 100 - kSudogCache / 2) << "the others stay where they were";
  EXPECT_EQ(length(fake.p(0)->sudogcache), fake.p(0)->sudogcache.size)
      << "P0's list must be as long as its size says";
  EXPECT_EQ(length(sched.sudogcache), sched.sudogcache.size)
      << "sched's list must be as long as its size says";
}

TEST(Sudogs, AShortGlobalListIsTakenWhole) {
  FakeM fake;
  std::deque<Sudog> owner;
  GORO_STEP("P0's list is empty, sched's has 10; acquire_sudog");
  fill(&sched.sudogcache, &owner, 10);
  ASSERT_NE(acquire_sudog(), nullptr) << "there were ten";
  EXPECT_EQ(length(fake.p(0)->sudogcache), 9) << "ten moved over, and one was taken";
  EXPECT_EQ(length(sched.sudogcache), 0) << "sched's list had ten, fewer than half a list";
  EXPECT_EQ(sched.sudogcache.size, 0) << "sched's list is empty, so its size is 0";
}

TEST(Sudogs, AFullListGivesHalfAway) {
  FakeM fake;
  const SudogList& local = fake.p(0)->sudogcache;
  std::deque<Sudog> owner;
  GORO_STEP("128 sudogs are given back");
  for (int i = 0; i < kSudogCache; ++i) release_sudog(&owner.emplace_back());
  EXPECT_EQ(local.size, kSudogCache) << "a list holds 128: there is no reason to share before";
  EXPECT_EQ(sched.sudogcache.size, 0) << "a list holds 128: there is no reason to share before";
  GORO_STEP("one more");
  release_sudog(&owner.emplace_back());
  EXPECT_EQ(local.size, kSudogCache / 2 + 1)
      << "a full list gives half of it to sched's, and takes the new one";
  EXPECT_EQ(sched.sudogcache.size, kSudogCache / 2) << "the other half is sched's now";
  EXPECT_EQ(length(local) + length(sched.sudogcache), kSudogCache + 1) << "none may get lost";
}

TEST(Sudogs, NoneIsLostOrTakenTwice) {
  for (const std::uint64_t seed : seeds_up_to(5)) {
    GORO_STEP("two Ps take and give back sudogs at random, 20,000 times (", again_with(seed), ")");
    FakeM fake(2);
    std::mt19937_64 random(seed);
    std::vector<Sudog*> used;
    std::set<Sudog*> in_use;
    std::set<Sudog*> known;
    std::size_t most = 0;
    for (int i = 0; i < 20'000; ++i) {
      fake.m()->p = fake.p(static_cast<int>(random() % 2));
      // Long stretches of taking, and of giving back.
      const bool take = used.empty() || random() % 8 < ((i / 1000) % 2 == 0 ? 5U : 3U);
      if (take) {
        Sudog* s = acquire_sudog();
        ASSERT_TRUE(in_use.insert(s).second) << "a sudog was handed out while it is in use";
        ASSERT_TRUE(clean(s)) << "a sudog from acquire_sudog is clean: every link null";
        known.insert(s);
        used.push_back(s);
        most = std::max(most, used.size());
      } else {
        std::swap(used[random() % used.size()], used.back());
        in_use.erase(used.back());
        release_sudog(used.back());
        used.pop_back();
      }
    }
    fake.m()->p = fake.p(0);
    const int free =
        length(fake.p(0)->sudogcache) + length(fake.p(1)->sudogcache) + length(sched.sudogcache);
    EXPECT_EQ(static_cast<std::size_t>(free), known.size() - used.size())
        << "whatever was made is in use or on one of the three lists";
    // A P may hold one list that the other could have used.
    EXPECT_LE(known.size(), most + 2 * kSudogCache)
        << "more were made than were ever in use: look into sched's list before you make one";
  }
}

TEST(Sudogs, OnlyACleanOneComesBack) {
  struct Case {
    const char* text;
    void (*spoil)(Sudog* s);
  };
  static Sudog other;
  static char room;
  const Case cases[] = {
      {"runtime: sudog with non-nil elem", [](Sudog* s) { s->elem = &room; }},
      {"runtime: sudog with non-false isSelect", [](Sudog* s) { s->is_select = true; }},
      {"runtime: sudog with non-nil next", [](Sudog* s) { s->next = &other; }},
      {"runtime: sudog with non-nil prev", [](Sudog* s) { s->prev = &other; }},
      {"runtime: sudog with non-nil waitlink", [](Sudog* s) { s->waitlink = &other; }},
      {"runtime: sudog with non-nil c", [](Sudog* s) { s->c = reinterpret_cast<Hchan*>(&room); }},
  };
  {
    const FakeM fake;
    Sudog good;
    release_sudog(&good);  // says first whether it is there at all
  }
  GORO_STEP("release_sudog, of sudogs that still lead somewhere");
  for (const Case& c : cases) {
    const ChildEnd ending = in_child([&c] {
      const FakeM fake;
      Sudog bad;
      c.spoil(&bad);
      release_sudog(&bad);
    });
    EXPECT_EQ(ending.status, 2) << "it must be fatal: " << c.text;
    EXPECT_TRUE(ending.says(std::string("fatal error: ") + c.text))
        << "it must say \"" << c.text << "\"; it said:\n"
        << ending.err.substr(0, 200);
  }
}

}  // namespace
}  // namespace goro::testing
