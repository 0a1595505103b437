// Step 2: the queue of those who wait. Nothing else is involved.
#include <algorithm>
#include <array>
#include <list>
#include <random>

#include "support.h"

namespace goro::testing {
namespace {

// Three in a queue, put there by hand.
struct Three {
  Three() {
    for (Sudog& s : sudogs) link_last(&q, &s);
  }
  Waitq q;
  std::array<Sudog, 3> sudogs;
};

// Which of `sudogs` are in the queue, from the first on: 1, 2 …; then once more from the last on.
template <std::size_t N>
std::string shown(const Waitq& q, const std::array<Sudog, N>& sudogs) {
  std::string forward;
  const Sudog* s = q.first.load();
  for (std::size_t n = 0; s != nullptr && n <= N; ++n, s = s->next) {
    forward += std::to_string(s - sudogs.data() + 1);
  }
  std::string backward;
  s = q.first.load() == nullptr ? nullptr : q.last;
  for (std::size_t n = 0; s != nullptr && n <= N; ++n, s = s->prev) {
    backward = std::to_string(s - sudogs.data() + 1) + backward;
  }
  if (forward.empty()) return "nobody";
  return forward == backward ? forward : forward + ", but " + backward + " from the end";
}

TEST(Queue, EnqueuePutsLast) {
  Waitq q;
  std::array<Sudog, 3> sudogs;
  GORO_STEP("enqueue 1, 2, 3");
  q.enqueue(&sudogs[0]);
  EXPECT_EQ(q.first.load(), &sudogs[0]) << "the only one is the first";
  EXPECT_EQ(q.last, &sudogs[0]) << "and the last";
  q.enqueue(&sudogs[1]);
  q.enqueue(&sudogs[2]);
  EXPECT_EQ(shown(q, sudogs), "123") << "each goes behind the one that was last (next and prev)";
}

TEST(Queue, DequeueTakesTheFirst) {
  Three three;
  GORO_STEP("1, 2 and 3 wait; dequeue until nobody does");
  for (Sudog& s : three.sudogs) {
    EXPECT_EQ(three.q.dequeue(), &s) << "first come, first served";
    EXPECT_EQ(s.next, nullptr) << "whoever is taken out leads nowhere any more: next null";
    EXPECT_EQ(s.prev, nullptr) << "whoever is taken out leads nowhere any more: prev null";
  }
  EXPECT_TRUE(three.q.empty()) << "all three are out";
  EXPECT_EQ(three.q.dequeue(), nullptr) << "nobody waits";
}

TEST(Queue, AnEmptyQueueCanBeFilledAgain) {
  Three three;
  GORO_STEP("three are taken out, and two of them come again");
  while (three.q.dequeue() != nullptr) {
  }
  three.q.enqueue(&three.sudogs[2]);
  three.q.enqueue(&three.sudogs[0]);
  EXPECT_EQ(shown(three.q, three.sudogs), "31")
      << "the queue still knew somebody who had left: `last` must follow";
}

TEST(Queue, AnybodyCanBeTakenOut) {
  const char* const expected[] = {"23", "13", "12"};
  for (std::size_t i = 0; i < 3; ++i) {
    GORO_STEP("1, 2 and 3 wait; dequeue_sudog of ", i + 1);
    Three three;
    Sudog& s = three.sudogs[i];
    three.q.dequeue_sudog(&s);
    EXPECT_EQ(shown(three.q, three.sudogs), expected[i])
        << "the neighbours of " << i + 1 << " must be linked to each other, both ways";
    EXPECT_EQ(s.next, nullptr) << "whoever is taken out leads nowhere any more";
    EXPECT_EQ(s.prev, nullptr) << "whoever is taken out leads nowhere any more";
  }
}

TEST(Queue, TheOnlyOneCanBeTakenOut) {
  Waitq q;
  Sudog s;
  link_last(&q, &s);
  GORO_STEP("one waits; dequeue_sudog of it");
  q.dequeue_sudog(&s);
  EXPECT_TRUE(q.empty()) << "nobody is left: first must be null";
  EXPECT_EQ(q.last, nullptr) << "nobody is left: last must be null";
}

TEST(Queue, WhoHasLeftIsLetBe) {
  Three three;
  GORO_STEP("1 is taken out of three; dequeue_sudog of 1, once more");
  Sudog* s = three.q.dequeue();
  ASSERT_EQ(s, three.sudogs.data()) << "first come, first served";
  three.q.dequeue_sudog(s);
  EXPECT_EQ(shown(three.q, three.sudogs), "23")
      << "1 has no neighbours and is not the first: it is not here any more, and nothing happens";
  GORO_STEP("the same in an empty queue");
  Waitq empty;
  empty.dequeue_sudog(s);
  EXPECT_TRUE(empty.empty()) << "nobody was there";
}

TEST(Queue, ASelectMustBeWon) {
  FakeM fake;
  Waitq q;
  std::array<Sudog, 4> sudogs;
  G* const lost = fake.g(GStatus::waiting);
  G* const free = fake.g(GStatus::waiting);
  lost->select_done.store(true);
  GORO_STEP(
      "1 and 2 are of a select that somebody serves already; 3 and 4 of one that nobody does");
  for (std::size_t i = 0; i < 4; ++i) {
    sudogs[i].is_select = true;
    sudogs[i].g = i < 2 ? lost : free;
    link_last(&q, &sudogs[i]);
  }
  Sudog* s = q.dequeue();
  EXPECT_EQ(s, &sudogs[2])
      << "whose select_done is true already is not ours to wake: drop 1 and 2, and go on to 3";
  EXPECT_TRUE(free->select_done.load())
      << "who takes a sudog of a select must change select_done to true: the others must see that";
  EXPECT_EQ(sudogs[0].next, nullptr) << "who was passed over is out of the queue all the same";
  EXPECT_EQ(shown(q, sudogs), "4") << "1 and 2 were dropped, and 3 was taken";
  GORO_STEP("dequeue again: 4 is of the same select as 3");
  EXPECT_EQ(q.dequeue(), nullptr) << "that select is served: it must not be taken twice";
  EXPECT_TRUE(q.empty()) << "who was passed over is out of the queue all the same";
}

TEST(Queue, OnlyASelectIsAskedForSelectDone) {
  FakeM fake;
  Waitq q;
  std::array<Sudog, 2> sudogs;
  G* const gp = fake.g(GStatus::waiting);
  GORO_STEP("1 is a goroutine that waits for one thing; 2 has no goroutine: a thread outside");
  sudogs[0].g = gp;
  for (Sudog& s : sudogs) link_last(&q, &s);
  EXPECT_EQ(q.dequeue(), sudogs.data()) << "it waits in this queue only";
  EXPECT_FALSE(gp->select_done.load())
      << "select_done is for sudogs with is_select: nobody would set this one back";
  EXPECT_EQ(q.dequeue(), &sudogs[1])
      << "a thread outside has no goroutine: do not look at g unless is_select";
}

TEST(Queue, IsAListWhateverIsDone) {
  for (const std::uint64_t seed : seeds_up_to(20)) {
    GORO_STEP("300 random operations beside a std::list (", again_with(seed), ")");
    std::mt19937_64 random(seed);
    Waitq q;
    std::array<Sudog, 8> sudogs;
    std::list<Sudog*> model;
    for (int i = 0; i < 300; ++i) {
      Sudog* s = &sudogs[random() % sudogs.size()];
      const auto at = std::find(model.begin(), model.end(), s);
      if (random() % 3 == 0) {
        Sudog* const expected = model.empty() ? nullptr : model.front();
        ASSERT_EQ(q.dequeue(), expected) << "dequeue must take the first";
        if (expected != nullptr) model.pop_front();
      } else if (at == model.end()) {
        if (random() % 4 == 0) {
          q.dequeue_sudog(s);
        } else {
          q.enqueue(s);
          model.push_back(s);
        }
      } else {
        q.dequeue_sudog(s);
        model.erase(at);
      }
      std::string expected;
      for (const Sudog* m : model) expected += std::to_string(m - sudogs.data() + 1);
      ASSERT_EQ(shown(q, sudogs), expected.empty() ? "nobody" : expected)
          << "after operation " << i + 1;
    }
  }
}

}  // namespace
}  // namespace goro::testing
