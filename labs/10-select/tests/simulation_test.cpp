// Selects under schedules that a seed decides. The first tests play single selects, which do not
// wait, against each other; the others run whole programs.
#include "contracts/services/scheduling.h"
#include "support.h"

namespace goro::testing {
namespace {

constexpr std::uint64_t kSeeds = 2000;

}  // namespace

TEST(Simulated, AChannelIsLockedOnce) {
  GORO_STEP("a select with three cases of a and two of b, none of them ready");
  GORO_STEP("\"waits\" for a.lock or b.lock means: it is this select itself that holds the lock");
  sim::explore({.seeds = 2}, [] {
    const FakeGoroutine goroutine;
    const Named a("a", 0);
    const Named b("b", 0);
    int place = 0;
    Cases cases;
    cases.receive(a, &place).send(b, &place).send(a, &place);
    cases.receive(b, &place).receive(a, &place);
    EXPECT_EQ(cases.try_select().index, -1) << "nobody is ready";
    expect_let_go(a.get(), "a select");
    expect_let_go(b.get(), "a select");
  });
}

// [opposite_orders]
TEST(Simulated, SelectsInOppositeOrdersDoNotBlockEachOther) {
  GORO_STEP("main selected from a, b and c, and \"other\" from c, b and a; three times each");
  GORO_STEP("\"waits\" for two locks at the end means: each holds the lock that the other wants");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    const Named a("a", 0);
    const Named b("b", 0);
    const Named c("c", 0);
    sim::Threads others;
    others.start("other", [&] {
      const FakeThread thread(fake.p(1));
      const AsGoroutine running;
      int place = 0;
      Cases cases;
      cases.receive(c, &place).receive(b, &place).receive(a, &place);
      for (int i = 0; i < 3; ++i) cases.try_select();
    });
    const AsGoroutine running;
    int place = 0;
    Cases cases;
    cases.receive(a, &place).receive(b, &place).receive(c, &place);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(cases.try_select().index, -1) << "nobody is ready";
    }
    others.join();
  });
}
// [/opposite_orders]

TEST(Simulated, SelectsOnOneChannelTakeTurns) {
  GORO_STEP(
      "main and \"other\" each selected a value into a buffer for 4 twice, and then one out twice; "
      "each select has the channel in two cases");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    const Named ch("ch", 4);
    const auto work = [&](int first, int* sum) {
      const AsGoroutine running;
      for (int i = 0; i < 2; ++i) {
        int value = first + i;
        Cases cases;
        cases.send(ch, &value).send(ch, &value);
        EXPECT_GE(cases.try_select().index, 0) << "there was room";
      }
      for (int i = 0; i < 2; ++i) {
        int value = 0;
        Cases cases;
        cases.receive(ch, &value).receive(ch, &value);
        cases.try_select();
        *sum += value;
      }
    };
    int sums[2] = {};
    sim::Threads others;
    others.start("other", [&] {
      const FakeThread thread(fake.p(1));
      work(10, &sums[0]);
    });
    work(1, &sums[1]);
    others.join();
    const char* const both =
        "two were in the same channel at the same time. Lock each channel once, and unlock it once";
    EXPECT_EQ(sums[0] + sums[1], 1 + 2 + 10 + 11) << "a value was lost, or came twice: " << both;
    EXPECT_EQ(ch->qcount.load(), 0U) << "all were received, but qcount says otherwise: " << both;
  });
}

// [one_moment]
TEST(Simulated, NothingReadyWasTrueAtOneMoment) {
  GORO_STEP(
      "\"mover\" moved a value from a to b and back: into the other one first, and then out of the "
      "first; at every moment a or b had a value");
  sim::explore({.seeds = kSeeds}, [] {
    const FakeGoroutine goroutine;
    const Named a("a", 1, 1);
    const Named b("b", 1);
    sim::Threads others;
    others.start("mover", [&] {
      const FakeThread thread(nullptr);
      b.try_send(1);
      a.try_receive();
      a.try_send(1);
      b.try_receive();
    });
    int places[2] = {};
    Cases cases;
    cases.receive(a, &places[0]).receive(b, &places[1]);
    EXPECT_GE(cases.try_select().index, 0)
        << "the select said that nothing is ready, which was never true: it must hold all locks "
           "while it looks";
    others.join();
  });
}
// [/one_moment]

TEST(Simulated, EverythingIsUnlockedBeforeThePartnerCanRun) {
  GORO_STEP(
      "G1 waited to receive from a; main sent to a or received from b or c; \"watcher\" tried all "
      "locks as soon as G1 was runnable");
  sim::explore({.seeds = kSeeds}, [] {
    FakeM fake(2);
    const Named a("a", 0);
    const Named b("b", 0);
    const Named c("c", 0);
    const Receiver<int> receiver(fake, a);
    goro::atomic<bool> over{false};
    sim::Threads others;
    others.start("watcher", [&] {
      const FakeThread thread(nullptr);
      while (!receiver.woken() && !over.load()) cpu_relax();
      for (const Named* ch : {&a, &b, &c}) {
        if (!(*ch)->lock.try_lock()) {
          sim::fail(
              "G1 was woken while a lock was held: it would run straight into it. Unlock all "
              "channels first (unlockf), wake last");
        }
        (*ch)->lock.unlock();
      }
    });
    {
      const AsGoroutine running;
      int values[3] = {1, 0, 0};
      Cases cases;
      cases.receive(b, &values[1]).send(a, &values[0]).receive(c, &values[2]);
      EXPECT_EQ(cases.try_select().index, 1) << "G1 waits for a value";
    }
    over.store(true);
    others.join();
    EXPECT_TRUE(receiver.woken()) << "G1 was served: it must be woken";
  });
}

TEST(Simulated, ASelectThatIsAboutToWaitMissesNothing) {
  GORO_STEP("two Ps: goroutine 2 selected from a and b, twice; goroutine 1 sent to b, then to a");
  GORO_STEP(
      "\"all goroutines are asleep\" means here: a sender found nobody in the queue, and the "
      "select waits in it: lost wake-up");
  sim::explore({.seeds = kSeeds}, [] {
    int sum = 0;
    goro::run(
        [&] {
          const Channel<int> a;
          const Channel<int> b;
          const Channel<int> done(1);
          name_words(a.ref().get(), "a");
          name_words(b.ref().get(), "b");
          go([a, b, done] {
            int own = 0;
            for (int i = 0; i < 2; ++i) {
              select(on_receive(a, [&](std::optional<int> v) { own += v.value_or(0); }),
                     on_receive(b, [&](std::optional<int> v) { own += v.value_or(0); }));
            }
            done.send(own);
          });
          b.send(1);
          a.send(10);
          sum = done.receive().value_or(0);
        },
        {.procs = 2});
    EXPECT_EQ(sum, 11) << "a value was lost, or came twice";
  });
}

TEST(Simulated, ASelectIsServedOnce) {
  GORO_STEP(
      "two Ps: goroutine 2 sent 1 and 10 to a, goroutine 3 sent 100 and 1000 to b; goroutine 1 "
      "selected from a and b, four times");
  sim::explore({.seeds = kSeeds}, [] {
    int sum = 0;
    int empty = 0;
    goro::run(
        [&] {
          const Channel<int> a;
          const Channel<int> b;
          name_words(a.ref().get(), "a");
          name_words(b.ref().get(), "b");
          go([a] {
            a.send(1);
            a.send(10);
          });
          go([b] {
            b.send(100);
            b.send(1000);
          });
          const auto look = [&](std::optional<int> v) { v ? sum += *v : ++empty; };
          for (int i = 0; i < 4; ++i) select(on_receive(a, look), on_receive(b, look));
        },
        {.procs = 2});
    EXPECT_EQ(sum, 1111) << "a value was lost, or came twice: one select takes one value";
    EXPECT_EQ(empty, 0) << "nothing was closed";
  });
}

TEST(Simulated, SelectsMeetSelects) {
  GORO_STEP(
      "two Ps: two goroutines selected a value into a or b twice, and two selected one out, each "
      "with the cases in another order");
  sim::explore({.seeds = kSeeds}, [] {
    int sum = 0;
    goro::run(
        [&] {
          const Channel<int> a;
          const Channel<int> b(1);
          const Channel<int> done(2);
          name_words(a.ref().get(), "a");
          name_words(b.ref().get(), "b");
          for (int s = 0; s < 2; ++s) {
            const Channel<int> one = s == 0 ? a : b;
            const Channel<int> two = s == 0 ? b : a;
            go([one, two] {
              for (int i = 0; i < 2; ++i) select(on_send(one, 1, [] {}), on_send(two, 1, [] {}));
            });
            go([one, two, done] {
              int own = 0;
              const auto look = [&](std::optional<int> v) { own += v.value_or(100); };
              for (int i = 0; i < 2; ++i) select(on_receive(one, look), on_receive(two, look));
              done.send(own);
            });
          }
          for (int r = 0; r < 2; ++r) sum += done.receive().value_or(0);
        },
        {.procs = 2});
    EXPECT_EQ(sum, 4) << "a value was lost, or came twice";
  });
}

TEST(Simulated, CloseMeetsASelect) {
  GORO_STEP(
      "two Ps: goroutine 2 selected from a and b until the end; goroutine 3 closed a while "
      "goroutine 1 tried to send to b");
  sim::explore({.seeds = kSeeds}, [] {
    int sent = 0;
    int answer = 0;
    goro::run(
        [&] {
          const Channel<int> a;
          const Channel<int> b;
          const Channel<int> done(1);
          name_words(a.ref().get(), "a");
          name_words(b.ref().get(), "b");
          go([a, b, done] {
            int values = 0;
            bool open = true;
            const auto look = [&](std::optional<int> v) {
              if (v) ++values;
              open = v.has_value();
            };
            while (open) select(on_receive(a, look), on_receive(b, look));
            done.send(100 + values);
          });
          go([a] { a.close(); });
          if (b.try_send(1)) ++sent;
          answer = done.receive().value_or(0);
        },
        {.procs = 2});
    EXPECT_EQ(answer, 100 + sent) << "what was sent to b must be received before the end, once";
  });
}

}  // namespace goro::testing
