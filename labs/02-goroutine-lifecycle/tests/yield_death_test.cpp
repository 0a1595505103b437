// Steps 7 and 8: gosched_m and goexit0.
#include <atomic>

#include "support.h"

namespace goro::lab02 {

TEST(Yield, LetsEveryoneElseRunFirst) {
  std::string order;
  run(
      [&] {
        leave_the_first_slice();
        std::string* out = &order;
        order.reserve(16);
        GORO_STEP("goroutine 1 starts A, B and C; C, which runs first, starts D and E");
        go([out] { *out += 'A'; });
        go([out] { *out += 'B'; });
        go([out] {
          *out += 'C';
          go([out] { *out += 'D'; });
          go([out] { *out += 'E'; });
        });
        GORO_STEP("goroutine 1 yields once");
        yield();
        order += '1';
      },
      {.procs = 1});
  EXPECT_EQ(order, "CEABD1") << "a goroutine that yields goes to the tail of the global queue and "
                                "lets everyone in the local queue "
                                "run first, D too, who came after the yield";
}

TEST(Yield, GoesToTheTailOfTheGlobalQueue) {
  std::string order;
  std::int32_t in_global_queue = -1;
  run(
      [&] {
        leave_the_first_slice();
        std::string* out = &order;
        order.reserve(16);
        GORO_STEP(
            "goroutine 1 starts A and B and yields; B and A yield too, then all go on and end");
        go([out] {
          *out += 'A';
          yield();
          *out += 'a';
        });
        go([out, n = &in_global_queue] {
          *out += 'B';
          *n = sched.runqsize.load();
          yield();
          *out += 'b';
        });
        yield();
        order += '1';
        yield();
        order += '2';
      },
      {.procs = 1});
  EXPECT_EQ(in_global_queue, 1)
      << "while B runs, goroutine 1, which yielded, is in the global queue";
  EXPECT_EQ(order, "BA1ba2")
      << "those who yield go on in the order in which they yielded: each goes to the "
         "tail of the global queue";
}

TEST(Yield, WakesAnIdleProcessor) {
  std::int64_t before = 0;
  std::int64_t after = 0;
  run(
      [&] {
        leave_the_first_slice();
        struct Count {
          std::int64_t ms = 0;
          std::atomic<bool> done{false};
        } count;
        GORO_STEP("2 Ps, one of them idle; a goroutine is put into the queue behind wakep's back");
        systemstack([&] {
          G* gp = newproc1(own_p(),
                           Closure{[](void* arg) {
                                     auto* c = static_cast<Count*>(arg);
                                     systemstack([c] {
                                       sched.lock.lock();
                                       c->ms = sched.mcount;
                                       sched.lock.unlock();
                                     });
                                     c->done.store(true);
                                   },
                                   &count},
                           StackKind::growable, 1, 0);
          runq_put(own_p(), gp, true);
          sched.lock.lock();
          before = sched.mcount;
          sched.lock.unlock();
        });
        GORO_STEP("goroutine 1 yields");
        yield();
        while (!count.done.load()) yield();
        after = count.ms;
      },
      {.procs = 2});
  EXPECT_GT(after, before)
      << "a goroutine that yields is work for an idle P: gosched_m must call wakep, "
         "which starts a thread for it";
}

TEST(Death, ClearsWhatTheNextLifeMustNotSee) {
  run(
      [] {
        leave_the_first_slice();
        G* dead = nullptr;
        GORO_STEP("a goroutine sets its param, waitreason and preempt, and ends");
        go([out = &dead] {
          G* self = getg();
          self->param = self;
          self->waitreason = WaitReason::sleep;
          self->preempt.store(true, std::memory_order_relaxed);
          *out = self;
        });
        yield_until([&] { return dead != nullptr && status_of(dead) == GStatus::dead; }, 1000);
        ASSERT_NE(dead, nullptr) << "the goroutine must have run";
        EXPECT_EQ(status_name_of(dead), "dead") << "a goroutine that ended is dead";
        EXPECT_EQ(dead->m, nullptr) << "a dead goroutine is on no M: dropg";
        EXPECT_EQ(dead->param, nullptr) << "the next life must not see a stale param";
        EXPECT_STREQ(wait_reason_string(dead->waitreason), wait_reason_string(WaitReason::none))
            << "the next life must not see a stale wait reason";
        EXPECT_FALSE(dead->preempt.load())
            << "the next life must not see a stale request to give way";
        EXPECT_EQ(dead->closure.invoke, nullptr) << "the next life must not see a stale closure";
        EXPECT_EQ(dead->closure.object, nullptr) << "the next life must not see a stale closure";
        EXPECT_EQ(dead->sched.sp, 0U)
            << "the next life must not see a stale stack pointer in sched";
        EXPECT_EQ(dead->stack.lo, 0U) << "a dead goroutine gives its stack back (g_free_stack)";
        EXPECT_EQ(own_p()->gfree.size(), 1) << "a dead goroutine is on its P's list (gfput)";

        GORO_STEP("the next goroutine");
        struct Next {
          G* gp = nullptr;
          void* param = nullptr;
          WaitReason reason = WaitReason::none;
          std::uint64_t id = 0;
        } next;
        go([n = &next] {
          n->gp = getg();
          n->param = n->gp->param;
          n->reason = n->gp->waitreason;
          n->id = goroutine_id();
        });
        yield_until([&] { return next.gp != nullptr; }, 1000);
        EXPECT_EQ(next.gp, dead) << "the dead G is recycled for the next goroutine";
        EXPECT_EQ(next.param, nullptr) << "the recycled G has a stale param";
        EXPECT_EQ(next.reason, WaitReason::none) << "the recycled G has a stale wait reason";
        EXPECT_EQ(next.id, 3U) << "the recycled G is goroutine 3: 1 is main, 2 was its life before";
      },
      {.procs = 1});
}

TEST(Death, GsAreRecycled) {
  static constexpr int kOneByOne = many(2000, 50);
  static constexpr int kAtOnce = many(1000, 100);
  run(
      [] {
        leave_the_first_slice();
        const std::size_t at_start = registered_gs();
        int ran = 0;
        GORO_STEP(kOneByOne, " goroutines, each ends before the next is started");
        for (int i = 1; i <= kOneByOne; ++i) {
          go([ran = &ran] { ++*ran; });
          yield_until([&] { return ran == i; }, 1000);
        }
        EXPECT_EQ(ran, kOneByOne);
        EXPECT_LE(registered_gs(), at_start + 2)
            << "a dead G must be recycled: goroutines that follow each other need one G, or two";
        GORO_STEP("5 times ", kAtOnce, " goroutines that exist at the same time");
        const auto wave = [&] {
          ran = 0;
          for (int i = 0; i < kAtOnce; ++i) go([ran = &ran] { ++*ran; });
          yield_until([&] { return ran == kAtOnce && num_goroutine() == 1; }, 10'000);
          EXPECT_EQ(ran, kAtOnce);
          EXPECT_EQ(num_goroutine(), 1U) << "a goroutine that ended is counted no longer";
        };
        wave();
        const std::size_t after_one = registered_gs();
        for (int i = 0; i < 4; ++i) wave();
        EXPECT_EQ(registered_gs(), after_one) << "a wave of goroutines must recycle the Gs of the "
                                                 "wave before, those in the global list too";
      },
      {.procs = 1});
}

namespace {

struct Trace {
  bool inner_destroyed = false;
  bool outer_destroyed = false;
  bool came_back = false;
  G* gp = nullptr;
};

struct Sets {
  bool* flag;
  ~Sets() { *flag = true; }
};

__attribute__((noinline)) void leave(Trace* trace) {
  const Sets inner{&trace->inner_destroyed};
  exit_goroutine();
}

}  // namespace

TEST(Death, ExitRunsDestructorsAndIsCountedOut) {
  run(
      [] {
        Trace trace;
        EXPECT_EQ(num_goroutine(), 1U) << "at the start there is main only";
        GORO_STEP("a goroutine calls exit_goroutine two frames deep");
        go([t = &trace] {
          t->gp = getg();
          const Sets outer{&t->outer_destroyed};
          leave(t);
          t->came_back = true;
        });
        EXPECT_EQ(num_goroutine(), 2U) << "a goroutine that has not run yet exists";
        yield_until([] { return num_goroutine() == 1; }, 1000);
        EXPECT_EQ(num_goroutine(), 1U)
            << "a goroutine that called exit_goroutine is counted no longer";
        EXPECT_TRUE(trace.inner_destroyed) << "exit_goroutine runs the destructors of every frame";
        EXPECT_TRUE(trace.outer_destroyed) << "exit_goroutine runs the destructors of every frame";
        EXPECT_FALSE(trace.came_back) << "exit_goroutine does not return";
        ASSERT_NE(trace.gp, nullptr);
        EXPECT_EQ(status_name_of(trace.gp), "dead")
            << "exit_goroutine ends in goexit0, as a return does";
      },
      {.procs = 1});
}

}  // namespace goro::lab02
