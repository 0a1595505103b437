// The whole life: many goroutines, many processors.
#include <algorithm>
#include <atomic>
#include <memory>

#include "support.h"

namespace goro::lab02 {
namespace {

// Goroutines wait here until it is opened, once.
class Gate {
 public:
  void wait() {
    gopark(
        [](G* gp, void* arg) {
          auto* self = static_cast<Gate*>(arg);
          self->lock_.lock();
          self->waiting_.push_back(gp);
          self->count_.fetch_add(1);
          self->lock_.unlock();
          return true;
        },
        this, WaitReason::semacquire);
  }

  [[nodiscard]] int count() const { return count_.load(); }

  void open() {
    systemstack([this] {
      lock_.lock();
      GQueue all;
      all.push_back_all(&waiting_);
      lock_.unlock();
      while (G* gp = all.pop()) ready(gp);
    });
  }

 private:
  RuntimeMutex lock_;
  GQueue waiting_;
  std::atomic<int> count_{0};
};

// An Event without a lock: the slot is empty, holds who waits, or says that the post came first.
// Whoever posts can meet the waiter at any moment after its status is waiting.
class BareEvent {
 public:
  void wait() {
    gopark(
        [](G* gp, void* arg) {
          auto* self = static_cast<BareEvent*>(arg);
          G* expected = nullptr;
          if (self->slot_.compare_exchange_strong(expected, gp)) return true;
          self->slot_.store(nullptr);  // it was posted
          return false;
        },
        this, WaitReason::semacquire);
  }

  void post() {
    G* waiter = nullptr;
    if (slot_.compare_exchange_strong(waiter, posted())) return;
    slot_.store(nullptr);
    goready(waiter);
  }

 private:
  static G* posted() {
    static G mark;
    return &mark;
  }
  std::atomic<G*> slot_{nullptr};
};

template <typename E>
struct Pair {
  E to_ping;
  E to_pong;
  int count = 0;  // an ordinary variable: the wake-ups give the order
};

template <typename E>
std::vector<int> play(int pairs, int rounds, int procs) {
  const auto table = std::make_unique<Pair<E>[]>(static_cast<std::size_t>(pairs));
  run(
      [&] {
        WaitGroup group;
        for (int i = 0; i < pairs; ++i) {
          Pair<E>* pair = &table[static_cast<std::size_t>(i)];
          group.go([pair, rounds] {
            for (int r = 0; r < rounds; ++r) {
              ++pair->count;
              pair->to_pong.post();
              pair->to_ping.wait();
            }
          });
          group.go([pair, rounds] {
            for (int r = 0; r < rounds; ++r) {
              pair->to_pong.wait();
              ++pair->count;
              pair->to_ping.post();
            }
          });
        }
        group.wait();
      },
      {.procs = procs});
  std::vector<int> counts;
  for (int i = 0; i < pairs; ++i) counts.push_back(table[static_cast<std::size_t>(i)].count);
  return counts;
}

}  // namespace

TEST(Lifecycle, AHundredThousandWaitAndGoOn) {
  constexpr int kMany = many(100'000, 200);
  Gate gate;
  std::vector<std::uint8_t> passed(kMany);
  std::atomic<int> ended{0};
  run(
      [&] {
        GORO_STEP("start ", kMany, " goroutines, each of which parks");
        for (int i = 0; i < kMany; ++i) {
          go([gate = &gate, slot = &passed[static_cast<std::size_t>(i)], ended = &ended] {
            gate->wait();
            ++*slot;
            ended->fetch_add(1);
          });
        }
        yield_until([&] { return gate.count() == kMany; });
        EXPECT_EQ(num_goroutine(), static_cast<std::size_t>(kMany) + 1)
            << "all of them exist while they wait, and main";
        EXPECT_EQ(ended.load(), 0) << "nobody goes on before it is readied";
        GORO_STEP("ready them all");
        gate.open();
        yield_until([&] { return num_goroutine() == 1; });
        EXPECT_EQ(ended.load(), kMany) << "every goroutine that was readied must go on and end";
        EXPECT_EQ(num_goroutine(), 1U) << "after the end of all goroutines there is main only";
      },
      {.procs = 2});
  EXPECT_EQ(std::count(passed.begin(), passed.end(), 1), kMany)
      << "every goroutine must go on exactly once";
}

TEST(Lifecycle, NoWakeUpIsLost) {
  constexpr int kPairs = 6;
  constexpr int kRounds = many(5000, 100);
  GORO_STEP(kPairs, " pairs of goroutines on 4 Ps wake each other ", kRounds,
            " times; a ready may come at any moment of the other's park");
  const std::vector<int> counts = play<BareEvent>(kPairs, kRounds, 4);
  EXPECT_EQ(counts, std::vector<int>(kPairs, 2 * kRounds))
      << "every wake-up must arrive exactly once, also one that races the park";
}

TEST(Lifecycle, PingOverManyProcessors) {
  constexpr int kPairs = 8;
  constexpr int kRounds = 100;
  GORO_STEP(kPairs, " pairs of goroutines on 4 Ps wake each other ", kRounds,
            " times and count in an ordinary variable, first through an event with a lock");
  EXPECT_EQ(play<Event>(kPairs, kRounds, 4), std::vector<int>(kPairs, 2 * kRounds))
      << "every wake-up must arrive exactly once";
  GORO_STEP("then through one without");
  EXPECT_EQ(play<BareEvent>(kPairs, kRounds, 4), std::vector<int>(kPairs, 2 * kRounds))
      << "every wake-up must arrive exactly once, also one that races the park";
}

}  // namespace goro::lab02
