// One P: what is done without locked instructions then, while threads without a P come and go.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "contracts/model.h"
#include "contracts/one_p.h"
#include "contracts/processors.h"
#include "contracts/scheduler.h"
#include "contracts/services/clock.h"
#include "frame/one_p.h"
#include "goro/goro.h"
#include "testing/child.h"
#include "testing/story.h"
#include "tests/scale.h"

namespace {

using goro::Channel;
using goro::testing::in_child;
using goro::testing::kScale;

// In a child: no thread has locked a channel yet, whatever was tested before.
void begin_anew() {
#if GORO_ONE_P
  new (&goro::one_p) goro::OneP;
#endif
}

#if GORO_ONE_P
using goro::one_p;
using Alone = goro::OneP::Alone;
using Channels = goro::OneP::Channels;

bool at_one_p() {
  return one_p.alone.load() == Alone::always;
}

bool channels_are_the_holders() {
  return one_p.channels.load() == Channels::yes;
}

TEST(OneP, IsKnownWhileThereIsOne) {
  const auto end = in_child([] {
    begin_anew();
    EXPECT_FALSE(at_one_p()) << "nobody runs yet";
    goro::run(
        [] {
          EXPECT_TRUE(at_one_p() && channels_are_the_holders()) << "a run at one P";
          goro::max_procs(2);
          EXPECT_FALSE(at_one_p() || channels_are_the_holders()) << "two Ps";
          goro::max_procs(1);
          EXPECT_TRUE(at_one_p() && channels_are_the_holders()) << "one again";
          goro::stacks();
          EXPECT_TRUE(at_one_p()) << "the world was stopped, and started with as many Ps";
        },
        {.procs = 1});
    EXPECT_FALSE(at_one_p() || channels_are_the_holders()) << "the run has ended";
    goro::run([] { EXPECT_FALSE(at_one_p()) << "a run at two Ps"; }, {.procs = 2});
    if (testing::Test::HasFailure()) _exit(1);
  });
  EXPECT_EQ(end.status, 0) << end.err;
}

TEST(OneP, AThreadOutsideMakesAnEndForGood) {
  const auto end = in_child([] {
    begin_anew();
    const auto use = [] {
      const Channel<int> ch(1);
      const goro::ForeignThread guard;
      std::thread thread([ch] { ch.send(1); });
      EXPECT_EQ(ch.receive(), 1);
      goro::system_call([&] { thread.join(); });
    };
    goro::run(
        [&] {
          use();
          EXPECT_EQ(one_p.channels.load(), Channels::never);
          EXPECT_TRUE(at_one_p()) << "queues are still those of the P's holder alone";
          goro::max_procs(2);
          goro::max_procs(1);
          EXPECT_EQ(one_p.channels.load(), Channels::never) << "also when there is one P again";
        },
        {.procs = 1});
    goro::run([] { EXPECT_EQ(one_p.channels.load(), Channels::never) << "also in another run"; },
              {.procs = 1});
    if (testing::Test::HasFailure()) _exit(1);
  });
  EXPECT_EQ(end.status, 0) << end.err;
}

TEST(OneP, ASystemCallIsOutside) {
  const auto end = in_child([] {
    begin_anew();
    goro::run(
        [] {
          const Channel<int> ch(1);
          goro::on_system_stack([&] { return ch.try_send(1); });
          EXPECT_TRUE(channels_are_the_holders()) << "on g0, but with the P";
          EXPECT_EQ(ch.receive(), 1);
          goro::system_call([&] { return ch.try_send(2); });
          EXPECT_EQ(one_p.channels.load(), Channels::never);
          EXPECT_EQ(ch.receive(), 2);
        },
        {.procs = 1});
    if (testing::Test::HasFailure()) _exit(1);
  });
  EXPECT_EQ(end.status, 0) << end.err;
}

// How long somebody visits who comes again and again, if so many visits take longer on a busy
// machine.
constexpr std::int64_t kLongest = 2'000'000'000;

bool one_is_alone() {
  return one_p.alone.load() == Alone::for_now;
}

// Waits for that, two milliseconds at most. Asleep meanwhile: there may be two processors, and
// those who search need one. By a thread without a P.
bool one_is_alone_soon() {
  const std::int64_t patience = goro::nanotime() + 2'000'000;
  while (!one_is_alone() && goro::nanotime() < patience) goro::usleep(50);
  return one_is_alone();
}

// Two goroutines that hand a value to and fro, until they are told to end.
class Talkers {
 public:
  Talkers() {
    group_.go([there = there_, back = back_] {
      while (auto value = there.receive()) back.send(*value + 1);
    });
    group_.go([there = there_, back = back_, end = end_] {
      for (int value = 0; !end->load(std::memory_order_relaxed); ++value) {
        there.send(value);
        if (*back.receive() != value + 1) _exit(kLost);
      }
      there.close();
    });
  }
  void stop() const {
    end_->store(true);
    group_.wait();
  }

  static constexpr int kLost = 3;

 private:
  Channel<int> there_;
  Channel<int> back_;
  std::shared_ptr<std::atomic<bool>> end_ = std::make_shared<std::atomic<bool>>(false);
  goro::WaitGroup group_;
};

// Of many Ps one is busy, and its goroutines talk: it is alone, and nobody is woken.
TEST(OneP, ABusyOneAmongIdleOnesIsAlone) {
  const auto end = in_child([] {
    begin_anew();
    goro::run(
        [] {
          const Talkers talkers;
          const std::int64_t too_late = goro::nanotime() + 20'000'000'000;
          bool alone = false;
          while (!alone && goro::nanotime() < too_late) {
            goro::sleep(std::chrono::milliseconds(1));
            alone = one_is_alone();
          }
          EXPECT_EQ(alone, goro::may_ask_for_barriers());
          talkers.stop();
        },
        {.procs = 4});
    if (testing::Test::HasFailure()) _exit(1);
  });
  EXPECT_EQ(end.status, 0) << end.err;
}

// A thread outside plays the thief that has just got a P: again and again another P gets busy, and
// it takes what is in the busy one's runnext. Every goroutine must run again, once.
TEST(OneP, AThiefFindsTheQueueWhole) {
  constexpr int kNeverAlone = 4;
  constexpr int kNothingTaken = 5;
  const auto end = in_child([] {
    begin_anew();
    const int visits = 100 * kScale;
    int found_alone = 0;
    int taken = 0;
    goro::run(
        [&] {
          const Talkers talkers;
          const auto visit = [&] {
            goro::sched.lock.lock();
            if (one_is_alone()) ++found_alone;
            goro::another_gets_busy();
            bool put = false;
            for (goro::P* pp : goro::allp) {
              goro::G* gp = pp->runnext.load();
              if (gp == nullptr || !pp->runnext.compare_exchange_strong(gp, nullptr)) continue;
              goro::globrunq_put(gp);
              put = true;
            }
            goro::sched.lock.unlock();
            if (!put) return;
            ++taken;
            goro::startm(nullptr, false);
          };
          std::thread thief([&] {
            const std::int64_t too_late = goro::nanotime() + kLongest;
            while (found_alone < visits && goro::nanotime() < too_late) {
              (void)one_is_alone_soon();
              visit();
            }
          });
          goro::system_call([&] { thief.join(); });
          talkers.stop();
        },
        {.procs = 2});
    if (goro::may_ask_for_barriers() && found_alone == 0) _exit(kNeverAlone);
    if (taken == 0) _exit(kNothingTaken);
  });
  EXPECT_EQ(end.status, 0) << Talkers::kLost << ": a value was lost, or came twice; " << kNeverAlone
                           << ": no P was ever alone; " << kNothingTaken
                           << ": there was nothing to take. " << end.err;
}

// Two hand values on, alone; a third comes out of a system call, to another P, and has values for
// the same channel. Each must arrive, once.
TEST(OneP, SomebodyOnAnotherPFindsTheChannelWhole) {
  constexpr int kWrong = 3;
  constexpr int kNeverAlone = 4;
  const auto end = in_child([] {
    begin_anew();
    const int visits = 500 * kScale;
    int found_alone = 0;
    std::int64_t sent = 0;
    std::int64_t received = 0;
    goro::run(
        [&] {
          const Channel<int> ch;
          std::atomic<bool> stop{false};
          const goro::WaitGroup group;
          group.go([ch, to = &received] {
            while (auto value = ch.receive()) *to += *value;
          });
          const Channel<std::int64_t> sum(1);
          goro::go([ch, sum, end = &stop] {
            std::int64_t mine = 0;
            for (int i = 1; !end->load(std::memory_order_relaxed); i = i % 1000 + 1) {
              ch.send(i);
              mine += i;
            }
            sum.send(mine);
          });
          const std::int64_t too_late = goro::nanotime() + kLongest;
          while (found_alone < visits && goro::nanotime() < too_late) {
            const bool alone = goro::system_call([] { return one_is_alone_soon(); });
            for (int i = 1; i <= 3; ++i) ch.send(i);
            sent += 1 + 2 + 3;
            if (alone) ++found_alone;
          }
          stop.store(true);
          sent += *sum.receive();
          ch.close();
          group.wait();
        },
        {.procs = 2});
    if (sent != received) _exit(kWrong);
    if (goro::may_ask_for_barriers() && found_alone == 0) _exit(kNeverAlone);
  });
  EXPECT_EQ(end.status, 0) << kWrong << ": a value was lost, or came twice; " << kNeverAlone
                           << ": no P was ever alone. " << end.err;
}

// Yields until the scheduler's lock is the holder's own: sysmon, or a thread that has just begun,
// may come in between.
bool becomes_the_holders() {
  constexpr int kPatience = 1'000'000;
  for (int i = 0; i < kPatience && !goro::sched.lock.is_the_holders(); ++i) goro::yield();
  return goro::sched.lock.is_the_holders();
}

TEST(OneP, TheSchedulersLockIsTheHoldersUntilThereAreSeveral) {
  const auto end = in_child([] {
    goro::run(
        [] {
          EXPECT_EQ(becomes_the_holders(), goro::may_ask_for_barriers())
              << "nobody but the holder has wanted it";
          goro::max_procs(2);
          EXPECT_FALSE(goro::sched.lock.is_the_holders()) << "two Ps";
          goro::max_procs(1);
          for (int i = 0; i < 10'000; ++i) goro::yield();
          EXPECT_FALSE(goro::sched.lock.is_the_holders()) << "there is no way back in this run";
        },
        {.procs = 1});
    EXPECT_FALSE(goro::sched.lock.is_the_holders()) << "the run has ended";
    goro::run(
        [] {
          for (int i = 0; i < 10'000; ++i) goro::yield();
          EXPECT_FALSE(goro::sched.lock.is_the_holders()) << "a run at two Ps";
        },
        {.procs = 2});
    if (testing::Test::HasFailure()) _exit(1);
  });
  EXPECT_EQ(end.status, 0) << end.err;
}

// Goroutines yield, so that their P's holder is at the lock all the time. Two threads outside come
// again and again, while the lock is the holder's own and while it is not. What the lock protects
// must stand still as long as one of them has it.
TEST(OneP, WhoeverHasTheSchedulersLockHasItAlone) {
  constexpr int kGoroutines = 3;
  constexpr int kThreads = 2;
  const int visits = 2'000 * kScale;
  std::atomic<int> taken_back{0};
  std::atomic<int> disturbed{0};
  std::atomic<bool> stop{false};
  goro::run(
      [&] {
        const goro::WaitGroup group;
        for (int i = 0; i < kGoroutines; ++i) {
          group.go([end = &stop] {
            while (!end->load(std::memory_order_relaxed)) goro::yield();
          });
        }
        const auto visit = [&](int i) {
          // Most often, waits a little for something to take back.
          for (int k = 0; k < 200 && i % 4 != 0 && !goro::sched.lock.is_the_holders(); ++k) {
            goro::osyield();
          }
          if (goro::sched.lock.is_the_holders()) ++taken_back;
          goro::sched.lock.lock();
          if (goro::sched.lock.is_the_holders()) ++disturbed;
          const std::int32_t size = goro::sched.runqsize.load();
          for (int k = 0; k < i % 64; ++k) {
            if (goro::sched.runqsize.load() != size) ++disturbed;
          }
          goro::sched.lock.unlock();
        };
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t) {
          threads.emplace_back([&visit] {
            const std::int64_t end = goro::nanotime() + kLongest;
            for (int i = 0; i < visits && goro::nanotime() < end; ++i) visit(i);
          });
        }
        goro::system_call([&] {
          for (std::thread& thread : threads) thread.join();
        });
        stop.store(true);
        group.wait();
      },
      {.procs = 1});
  EXPECT_EQ(disturbed.load(), 0) << "the queue changed while somebody else had its lock";
  if (goro::may_ask_for_barriers()) {
    EXPECT_GT(taken_back.load(), 0) << "the lock was never the holder's own";
  }
}
#endif

// Two goroutines pass values through `ch`, and never stop to hold its lock; then a thread outside
// comes and does the same. Every value must arrive, once.
TEST(OneP, ChannelsStayWholeWhenAThreadComes) {
  for (int round = 0; round < 3 * kScale; ++round) {
    for (const int capacity : {0, 3}) {
      const auto end = in_child([=] {
        begin_anew();
        std::int64_t sent = 0;
        std::int64_t received = 0;
        goro::run(
            [&] {
              constexpr int kValues = 20'000;
              constexpr int kOutside = 500;
              const Channel<int> ch(capacity);
              const Channel<int> runs(1);
              const goro::ForeignThread guard;
              std::thread thread([ch] {
                for (int i = 1; i <= kOutside; ++i) ch.send(i);
              });
              goro::go([ch, runs] {
                for (int i = 1; i <= kValues; ++i) ch.send(i);
                runs.send(0);
              });
              for (int i = 0; i < kValues + kOutside; ++i) received += *ch.receive();
              runs.receive();
              goro::system_call([&] { thread.join(); });
              sent = std::int64_t{kValues} * (kValues + 1) / 2 +
                     std::int64_t{kOutside} * (kOutside + 1) / 2;
            },
            {.procs = 1});
        if (received != sent) _exit(1);
      });
      ASSERT_EQ(end.status, 0) << "round " << round << ", capacity " << capacity
                               << ": a value was lost, or came twice. " << end.err;
    }
  }
}

// The P goes from thread to thread all the time: system calls that block, timers that send,
// goroutines that compute, and all of them meet at channels.
TEST(OneP, HandsOnWhatWasWrittenWithThePlainStores) {
  constexpr int kGoroutines = 16;
  const int calls = 60 * kScale;
  std::atomic<std::int64_t> sum{0};
  std::int64_t received = 0;
  goro::run(
      [&] {
        const Channel<int> ch;
        const Channel<int> buffered(4);
        const goro::WaitGroup group;
        for (int i = 0; i < kGoroutines; ++i) {
          group.go([=, total = &sum] {
            for (int n = 0; n < calls; ++n) {
              goro::system_call([n] { ::usleep(n % 3 == 0 ? 60 : 1); });
              const int value = i * 1000 + n;
              total->fetch_add(value);
              goro::select(goro::on_send(ch, value, [] {}), goro::on_send(buffered, value, [] {}));
              if (n % 16 == 0) goro::after(std::chrono::microseconds(100)).receive();
              if (n % 16 == 8) goro::yield();
            }
          });
        }
        goro::go([=] {
          group.wait();
          ch.close();
        });
        bool open = true;
        while (open) {
          goro::select(goro::on_receive(ch,
                                        [&](std::optional<int> v) {
                                          open = v.has_value();
                                          if (open) received += *v;
                                        }),
                       goro::on_receive(buffered, [&](std::optional<int> v) { received += *v; }));
        }
        std::optional<int> left;
        while (buffered.try_receive(left)) received += *left;
      },
      {.procs = 1});
  EXPECT_EQ(received, sum.load());
}

}  // namespace
