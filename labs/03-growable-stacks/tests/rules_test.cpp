// Where growing ends, and the rule that comes with stacks that move.
#include <fcntl.h>

#include <cstring>

#include "support.h"

#if GORO_GROWABLE_STACKS
namespace goro::testing {
namespace {

LAB_NOINLINE int for_ever(int depth) {
  volatile int local[16];
  for (int i = 0; i < 16; ++i) local[i] = depth;
  const int below = depth < 0 ? 0 : for_ever(depth + 1);
  asm volatile("" : : : "memory");
  return below + local[3];
}

// Every slot function that a child needs has run in the parent, so that a missing one is told
// there.
void grow_once() {
  GORO_STEP("a goroutine grows its stack");
  int result = 0;
  on_small_stack([&] { result = use_stack(100); });
  ASSERT_EQ(result, 101);
}

TEST(Overflow, EndsTheProgramInGosWords) {
  grow_once();
  GORO_STEP("in a child process with max_stack = 262,144, a goroutine recurses without end");
  const ChildEnd end =
      in_child([] { on_small_stack([] { for_ever(0); }, {.procs = 1, .max_stack = 262'144}); });
  EXPECT_EQ(end.status, 2) << "a stack overflow ends the program with status 2:\n" << end.err;
  EXPECT_NE(end.err.find("runtime: goroutine stack exceeds 262144-byte limit\n"), std::string::npos)
      << "the first line names the limit:\n"
      << end.err;
  EXPECT_NE(end.err.find("fatal error: stack overflow\n"), std::string::npos) << end.err;
  EXPECT_NE(end.err.find("goroutine 2 ["), std::string::npos) << "and the goroutine is named:\n"
                                                              << end.err;
}

TEST(Overflow, TheLimitIsReachedNotPassed) {
  grow_once();
  GORO_STEP("in a child process with max_stack = 65,536, a goroutine recurses 300 deep");
  const ChildEnd end = in_child([] {
    std::size_t size = 0;
    on_small_stack(
        [&] {
          use_stack(300);
          size = my_stack_size();
        },
        {.procs = 1, .max_stack = 65'536});
    _exit(size <= 65'536 ? 0 : 1);
  });
  EXPECT_EQ(end.status, 0) << "a stack of the largest size is allowed:\n" << end.err;
}

TEST(Overflow, AFixedStackHasItsOwnLimit) {
  grow_once();
  GORO_STEP("in a child process, a goroutine on a fixed stack of 64 KB recurses without end");
  const ChildEnd end = in_child([] {
    goro::run(
        [] {
          WaitGroup group;
          group.go({.stack = fixed_stack(64 << 10)}, [] { for_ever(0); });
          group.wait();
        },
        {.procs = 1});
  });
  EXPECT_EQ(end.status, 2) << end.err;
  EXPECT_NE(end.err.find("fatal error: stack overflow\n"), std::string::npos)
      << "a fixed stack cannot grow; running into its end is a stack overflow too:\n"
      << end.err;
}

LAB_NOINLINE void spawn_with_a_local(bool unchecked) {
  int local = 7;
  int* pointer = &local;
  touch(&pointer);
  WaitGroup group;
  group.go({.unchecked = unchecked}, [pointer] { touch(const_cast<int* const*>(&pointer)); });
  group.wait();
}

TEST(TheRule, GoSeesAnAddressOnAStackThatMoves) {
  grow_once();
#if defined(__x86_64__)
  GORO_STEP("a goroutine whose stack has moved starts another and hands it the address of a local");
  bool pinned = false;
  bool pinned_unchecked = true;
  on_small_stack([&] {
    use_stack(100);
    spawn_with_a_local(true);
    pinned_unchecked = getg()->stack_kind != StackKind::growable;
    spawn_with_a_local(false);
    pinned = getg()->stack_kind == StackKind::chained;
  });
  EXPECT_TRUE(pinned) << "the address will be wrong when the stack moves, so go() pins the stack: "
                         "gp->stack must be where the goroutine's locals are";
  EXPECT_FALSE(pinned_unchecked) << "whoever says unchecked knows better";
#else
  GORO_STEP("in a child process, a goroutine starts another and hands it the address of a local");
  ChildEnd end = in_child([] { on_small_stack([] { spawn_with_a_local(false); }); });
  EXPECT_EQ(end.status, 2) << "the address will be wrong when the stack moves:\n" << end.err;
  EXPECT_NE(end.err.find("the closure holds the address of a local"), std::string::npos) << end.err;
  EXPECT_NE(end.err.find("fixed_stack"), std::string::npos) << "the text names the remedies:\n"
                                                            << end.err;
  EXPECT_NE(end.err.find("unchecked"), std::string::npos) << end.err;
  GORO_STEP("the same with SpawnOptions{.unchecked = true}");
  end = in_child([] { on_small_stack([] { spawn_with_a_local(true); }); });
  EXPECT_EQ(end.status, 0) << "whoever says unchecked knows better:\n" << end.err;
#endif
}

#if defined(__x86_64__)

constexpr char kChild[] = "GORO_LAB03_STACKCHECK_CHILD";

// Under GORO_DEBUG=stackcheck=1: the address of a local in a block of the heap, and then a move.
LAB_NOINLINE void publish_and_grow(bool publish) {
  int local = 7;
  auto** block = new int*[5];
  block[3] = publish ? &local : nullptr;
  touch(&block);
  for (int i = 0; i < 3; ++i) yield();
  use_stack(100);
  touch(&block);
  delete[] block;
}

void stackcheck_child(const char* what) {
  on_small_stack([what] { publish_and_grow(std::strcmp(what, "publish") == 0); });
  _exit(0);
}

ChildEnd stackcheck_in_child(const char* what) {
  return testing::in_child([what] {
    setenv("GORO_DEBUG", "stackcheck=1", 1);
    setenv(kChild, what, 1);
    execl("/proc/self/exe", "lab_03_tests", "--gtest_filter=TheRule.StackcheckNamesTheBlock",
          nullptr);
    _exit(127);
  });
}

TEST(TheRule, StackcheckNamesTheBlock) {
  if (const char* what = std::getenv(kChild); what != nullptr) stackcheck_child(what);
  grow_once();
  GORO_STEP(
      "run this test again with GORO_DEBUG=stackcheck=1; there a goroutine keeps the address of a "
      "local in a heap block of 40 bytes, and its stack grows");
  ChildEnd end = stackcheck_in_child("publish");
  EXPECT_EQ(end.status, 2)
      << "copystack must call stackcheck_stack_moved while the old stack exists:\n"
      << end.err;
  EXPECT_NE(end.err.find("stackcheck: the heap block "), std::string::npos) << end.err;
  EXPECT_NE(end.err.find(" of 40 bytes"), std::string::npos) << "the block's size is named:\n"
                                                             << end.err;
  EXPECT_NE(end.err.find("publish_and_grow"), std::string::npos) << "and who allocated it:\n"
                                                                 << end.err;
  GORO_STEP("and without publishing the address");
  end = stackcheck_in_child("keep");
  EXPECT_EQ(end.status, 0) << "nothing was published, so there is nothing to report:\n" << end.err;
}

#endif

}  // namespace
}  // namespace goro::testing
#endif
