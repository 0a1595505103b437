// Many goroutines on many Ps doing everything at once: what breaks only sometimes.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "goro/goro.h"
#include "testing/story.h"
#include "tests/scale.h"

namespace {

using goro::testing::kScale;

// A pipeline of prime sieves: each stage is a goroutine and a channel.
std::vector<int> primes(int count) {
  std::vector<int> found;
  goro::Channel<int> source;
  goro::go([source] {
    for (int i = 2;; ++i) source.send(i);
  });
  goro::Channel<int> from = source;
  for (int i = 0; i < count; ++i) {
    const int prime = *from.receive();
    found.push_back(prime);
    goro::Channel<int> next;
    goro::go([from, next, prime] {
      for (;;) {
        const int n = *from.receive();
        if (n % prime != 0) next.send(n);
      }
    });
    from = next;
  }
  return found;
}

TEST(Storm, ASieveFindsPrimesAndIsAbandoned) {
  for (int round = 0; round < 5; ++round) {
    std::vector<int> found;
    goro::run([&] { found = primes(10 * kScale); }, {.procs = 4});
    EXPECT_EQ(found[9], 29);
    EXPECT_EQ(found.size(), static_cast<std::size_t>(10 * kScale));
  }
}

// A tree in which every node starts its children and adds up what they send.
std::int64_t tree(const goro::Channel<std::int64_t>& out, std::int64_t first, int leaves) {
  if (leaves == 1) {
    out.send(first);
    return 0;
  }
  goro::Channel<std::int64_t> in;
  for (int i = 0; i < 10; ++i) {
    goro::go(
        [in, first, leaves, i] { tree(in, first + std::int64_t{i} * (leaves / 10), leaves / 10); });
  }
  std::int64_t sum = 0;
  for (int i = 0; i < 10; ++i) sum += *in.receive();
  out.send(sum);
  return sum;
}

TEST(Storm, ATreeOfGoroutinesAddsUp) {
  constexpr int kLeaves = kScale == 1 ? 1000 : 100000;
  std::int64_t sum = 0;
  goro::run(
      [&] {
        goro::Channel<std::int64_t> out(1);
        tree(out, 0, kLeaves);
        sum = *out.receive();
      },
      {.procs = 4});
  EXPECT_EQ(sum, std::int64_t{kLeaves} * (kLeaves - 1) / 2);
}

TEST(Storm, MaxProcsChangesWhileEverybodyWorks) {
  std::atomic<int> count{0};
  goro::run(
      [&] {
        goro::WaitGroup group;
        std::atomic<int>* shared = &count;
        for (int i = 0; i < 100 * kScale; ++i) {
          group.go([shared] {
            for (int n = 0; n < 100; ++n) {
              shared->fetch_add(1);
              goro::yield();
            }
          });
        }
        for (int i = 0; i < 20; ++i) goro::max_procs(1 + i % 5);
        group.wait();
      },
      {.procs = 2});
  EXPECT_EQ(count.load(), 100 * kScale * 100);
}

TEST(Storm, RunsOneAfterTheOtherLeaveNothingBehind) {
  for (int round = 0; round < 20 * kScale; ++round) {
    const int result = goro::run(
        [] {
          const goro::Channel<int> gate;
          for (int i = 0; i < 50; ++i) goro::go([gate] { gate.receive(); });
          for (int i = 0; i < 50; ++i) {
            goro::go([] {
              for (;;) goro::yield();
            });
          }
          goro::yield();
          return 5;
        },
        {.procs = 3});
    ASSERT_EQ(result, 5);
  }
}

TEST(Storm, StacksShowsEveryoneWhileTheyRun) {
  std::string text;
  goro::run(
      [&] {
        const goro::Channel<int> gate;
        for (int i = 0; i < 20; ++i) goro::go([gate] { gate.receive(); });
        for (int i = 0; i < 4; ++i) {
          goro::go([] {
            for (;;) goro::yield();
          });
        }
        for (int i = 0; i < 10; ++i) goro::yield();
        for (int i = 0; i < 10; ++i) text = goro::stacks();
      },
      {.procs = 4});
  EXPECT_EQ(text.find("goroutine 1 [running]:"), 0U) << text;
  EXPECT_NE(text.find("[chan receive]:"), std::string::npos) << text;
}

TEST(Storm, MainReturnsWhileOthersStopTheWorld) {
  for (int round = 0; round < 20 * kScale; ++round) {
    goro::run(
        [] {
          for (int i = 0; i < 3; ++i) {
            goro::go([] {
              for (int n = 0;; ++n) goro::max_procs(1 + n % 4);
            });
          }
          for (int i = 0; i < 5; ++i) goro::yield();
        },
        {.procs = 4});
  }
}

}  // namespace
