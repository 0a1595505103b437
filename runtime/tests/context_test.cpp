// Contexts: cancelled, timed out, ended with their parents.
#include "goro/context.h"

#include <atomic>
#include <chrono>
#include <vector>

#include "goro/goro.h"
#include "testing/story.h"

namespace {

using namespace std::chrono_literals;
using goro::ContextError;

bool ended(const goro::Context& context) {
  std::optional<std::monostate> none;
  return context.done().try_receive(none);
}

TEST(Context, TheBackgroundNeverEnds) {
  goro::run([] {
    const goro::Context context = goro::background();
    EXPECT_FALSE(context.done()) << "a nil channel";
    EXPECT_FALSE(context.error());
    EXPECT_FALSE(context.deadline());
  });
}

TEST(Context, CancelEndsItAndItsChildren) {
  goro::run([] {
    const auto [parent, cancel] = goro::with_cancel(goro::background());
    const auto [child, cancel_child] = goro::with_cancel(parent);
    const auto [sibling, cancel_sibling] = goro::with_timeout(parent, 1h);
    EXPECT_FALSE(ended(parent));
    cancel_child();
    EXPECT_TRUE(ended(child));
    EXPECT_FALSE(ended(parent));
    EXPECT_FALSE(ended(sibling));
    cancel();
    cancel();
    EXPECT_TRUE(ended(parent));
    EXPECT_TRUE(ended(sibling));
    EXPECT_EQ(parent.error(), ContextError::canceled);
    EXPECT_EQ(sibling.error(), ContextError::canceled);
    EXPECT_EQ(parent.error().message(), "context canceled");
    EXPECT_TRUE(parent.error() == std::errc::operation_canceled);
    const auto [late, cancel_late] = goro::with_cancel(parent);
    EXPECT_EQ(late.error(), ContextError::canceled) << "a child of one that has ended";
  });
}

TEST(Context, ATimeoutEndsIt) {
  goro::run([] {
    const auto begin = goro::now();
    const auto [context, cancel] = goro::with_timeout(goro::background(), 5ms);
    ASSERT_TRUE(context.deadline());
    EXPECT_GE(*context.deadline(), begin + 5ms);
    EXPECT_FALSE(context.done().receive()) << "closed";
    EXPECT_GE(goro::now() - begin, 5ms);
    EXPECT_EQ(context.error(), ContextError::deadline_exceeded);
    EXPECT_EQ(context.error().message(), "context deadline exceeded");
    EXPECT_TRUE(context.error() == std::errc::timed_out);
    cancel();
    EXPECT_EQ(context.error(), ContextError::deadline_exceeded) << "the first reason stays";
    const auto [past, cancel_past] = goro::with_deadline(goro::background(), begin);
    EXPECT_EQ(past.error(), ContextError::deadline_exceeded);
    const auto [never, cancel_never] =
        goro::with_timeout(goro::background(), std::chrono::hours::max());
    EXPECT_FALSE(never.error());
  });
}

TEST(Context, AChildHasItsParentsDeadlineIfThatIsEarlier) {
  goro::run([] {
    const auto [parent, cancel] = goro::with_timeout(goro::background(), 3ms);
    const auto [child, cancel_child] = goro::with_timeout(parent, 1h);
    EXPECT_EQ(child.deadline(), parent.deadline());
    child.done().receive();
    EXPECT_EQ(child.error(), ContextError::deadline_exceeded);
  });
}

TEST(Context, StopsManyGoroutines) {
  std::atomic<int> stopped{0};
  goro::run(
      [&] {
        std::atomic<int>* count = &stopped;
        const auto [context, cancel] = goro::with_cancel(goro::background());
        const goro::WaitGroup group;
        for (int i = 0; i < 200; ++i) {
          group.go([context = context, count] {
            const auto [own, cancel_own] = goro::with_timeout(context, 1h);
            const goro::Channel<int> never;
            goro::select(goro::on_receive(never, [](std::optional<int>) {}),
                         goro::on_receive(own.done(), [count](std::optional<std::monostate>) {
                           count->fetch_add(1);
                         }));
          });
        }
        goro::sleep(2ms);
        cancel();
        group.wait();
      },
      {.procs = 4});
  EXPECT_EQ(stopped.load(), 200);
}

TEST(Context, ChildrenThatEndAreForgotten) {
  goro::run([] {
    const auto [parent, cancel] = goro::with_cancel(goro::background());
    for (int i = 0; i < 1000; ++i) {
      const auto [child, cancel_child] = goro::with_timeout(parent, 1h);
      if (i % 2 == 0) cancel_child();
    }
    cancel();
  });
}

}  // namespace
