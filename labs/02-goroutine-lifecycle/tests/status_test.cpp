// Step 1: casgstatus.
#include <sched.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "support.h"

namespace goro::lab02 {
namespace {

struct Edge {
  GStatus from;
  GStatus to;
};
constexpr Edge kLegal[] = {
    {GStatus::idle, GStatus::dead},          {GStatus::dead, GStatus::runnable},
    {GStatus::dead, GStatus::waiting},       {GStatus::runnable, GStatus::running},
    {GStatus::running, GStatus::runnable},   {GStatus::running, GStatus::waiting},
    {GStatus::waiting, GStatus::runnable},   {GStatus::running, GStatus::syscall},
    {GStatus::syscall, GStatus::running},    {GStatus::running, GStatus::copystack},
    {GStatus::copystack, GStatus::running},  {GStatus::waiting, GStatus::copystack},
    {GStatus::copystack, GStatus::waiting},  {GStatus::runnable, GStatus::copystack},
    {GStatus::copystack, GStatus::runnable}, {GStatus::running, GStatus::preempted},
    {GStatus::preempted, GStatus::waiting},  {GStatus::running, GStatus::dead},
};

bool is_legal(GStatus from, GStatus to) {
  for (const Edge& edge : kLegal) {
    if (edge.from == from && edge.to == to) return true;
  }
  return false;
}

}  // namespace

TEST(Status, MakesEveryLegalMove) {
  World world;
  for (const Edge& edge : kLegal) {
    GORO_STEP("casgstatus from ", name_of(edge.from), " to ", name_of(edge.to),
              ", an edge of a goroutine's life");
    G* gp = world->g(edge.from);
    casgstatus(gp, edge.from, edge.to);
    EXPECT_EQ(status_name_of(gp), name_of(edge.to))
        << "after casgstatus from " << name_of(edge.from) << " to " << name_of(edge.to)
        << " the goroutine must be in the new status";
  }
}

TEST(Status, EndsTheProgramOnAnIllegalMove) {
  World world;
  GORO_STEP("a legal move first: waiting to runnable");
  casgstatus(world->g(GStatus::waiting), GStatus::waiting, GStatus::runnable);
  for (const NamedStatus& from : kStatuses) {
    GORO_STEP("then, each in a process of its own, every move from ", from.name,
              " that is not an edge of a goroutine's life");
    for (const NamedStatus& to : kStatuses) {
      if (is_legal(from.status, to.status)) continue;
      G* gp = world->g(from.status);
      const ChildEnd ending = in_child([&] { casgstatus(gp, from.status, to.status); });
      ASSERT_TRUE(ending.fatal_with("casgstatus: "))
          << "a goroutine never goes from " << from.name << " to " << to.name
          << ": this illegal move is a bug in the runtime, and casgstatus must end the program "
             "with "
             "status 2 and `fatal error: casgstatus: ...`. "
          << ending.told();
    }
  }
}

TEST(Status, EndsTheProgramWhenTheStatusIsAnother) {
  World world;
  GORO_STEP("a legal move first: waiting to runnable");
  casgstatus(world->g(GStatus::waiting), GStatus::waiting, GStatus::runnable);
  for (const Edge& edge : kLegal) {
    GORO_STEP("in a process of its own: the legal move from ", name_of(edge.from), " to ",
              name_of(edge.to), ", of a goroutine that is in another status");
    for (const NamedStatus& real : kStatuses) {
      if (real.status == edge.from) continue;
      // A few for each edge are enough, and the status it would go to is the one that tempts.
      if (real.status != edge.to && real.status != GStatus::running) continue;
      G* gp = world->g(real.status);
      const ChildEnd ending = in_child([&] { casgstatus(gp, edge.from, edge.to); });
      ASSERT_TRUE(ending.fatal_with("casgstatus: "))
          << "the caller takes the goroutine to be " << name_of(edge.from)
          << ", but its status is another, " << real.name
          << ": two threads believe that they own it, and casgstatus must end the program "
             "with status 2 and `fatal error: casgstatus: ...`. "
          << ending.told();
    }
  }
  GORO_STEP("the same with the scan bit set: the wrong status is not worth waiting for");
  G* gp = world->g(GStatus::runnable);
  gp->atomicstatus.fetch_or(kGScan);
  const ChildEnd ending = in_child([&] { casgstatus(gp, GStatus::waiting, GStatus::runnable); });
  EXPECT_TRUE(ending.fatal_with("casgstatus: "))
      << "the status under the scan bit is another than `from`; clearing the bit will not change "
         "that. "
      << ending.told();
}

TEST(Status, WaitsForTheScanBit) {
  constexpr int kRounds = 8;
  for (int round = 0; round < kRounds; ++round) {
    World world;
    if (round == 0) {
      GORO_STEP(kRounds,
                " times: one thread holds the scan bit of a waiting goroutine while another calls ",
                "casgstatus from waiting to runnable");
    }
    G* gp = world->g(GStatus::waiting);
    gp->atomicstatus.fetch_or(kGScan);
    std::atomic<bool> begun{false};
    std::atomic<bool> scanned{false};
    std::uint32_t seen = 0;
    std::thread scanner([&] {
      while (!begun.load()) sched_yield();
      // Long enough for a casgstatus that does not wait to return; the outcome is right for any
      // length.
      for (int i = 0; i < 5000; ++i) cpu_relax();
      for (int i = 0; i < 5; ++i) sched_yield();
      scanned.store(true);
      seen = gp->atomicstatus.fetch_and(~kGScan);
    });
    begun.store(true);
    casgstatus(gp, GStatus::waiting, GStatus::runnable);
    const bool waited = scanned.load();
    scanner.join();
    ASSERT_TRUE(waited)
        << "casgstatus must wait while somebody holds the scan bit: that thread owns the "
           "goroutine's stack until it clears the bit";
    ASSERT_EQ(name_of(seen), "waiting with the scan bit")
        << "while the scan bit is held, casgstatus must change neither the bit nor the status";
    ASSERT_EQ(status_name_of(gp), "runnable") << "when the scan bit is gone, the move must be made";
  }
}

#if defined(__x86_64__) && GORO_GROWABLE_STACKS
namespace {

// The other thread is played by a trap after every instruction of casgstatus: in front of
// instruction `begin` it sets the scan bit if it finds the goroutine in `from`, and holds it for a
// while. So every moment is tried, whatever the machine does meanwhile.
struct Scanner {
  static constexpr int kHold = 100;
  G* gp;
  std::uint32_t from;
  int begin;
  int instruction = 0;
  bool held = false;
  std::uint32_t lost_to = 0;  // what was found in place of `from` with the scan bit, if anything
  bool found_other = false;
};
Scanner* scanner = nullptr;

void after_an_instruction(int) {
  Scanner& s = *scanner;
  const int now = s.instruction++;
  if (now == s.begin) {
    std::uint32_t seen = s.from;
    s.held = s.gp->atomicstatus.compare_exchange_strong(seen, s.from | kGScan);
  } else if (s.held) {
    const std::uint32_t seen = s.gp->atomicstatus.load();
    if (seen != (s.from | kGScan)) {
      s.lost_to = seen;
      s.found_other = true;
      s.held = false;
    } else if (now == s.begin + Scanner::kHold) {
      s.gp->atomicstatus.store(s.from);
      s.held = false;
    }
  }
}

// The flag that makes the processor trap after each instruction; below the red zone.
inline void trace_instructions() {
  asm volatile(
      "leaq -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; leaq 128(%%rsp), %%rsp" ::
          : "memory", "cc");
}
inline void stop_tracing() {
  asm volatile(
      "leaq -128(%%rsp), %%rsp; pushfq; andq $~0x100, (%%rsp); popfq; leaq 128(%%rsp), %%rsp" ::
          : "memory", "cc");
}

}  // namespace

TEST(Status, NeverTakesAGoroutineFromUnderAScan) {
  World world;
  GORO_STEP("a legal move first: waiting to runnable");
  casgstatus(world->g(GStatus::waiting), GStatus::waiting, GStatus::runnable);
  struct sigaction trap {};
  struct sigaction before {};
  trap.sa_handler = after_an_instruction;
  trap.sa_flags = SA_ONSTACK;
  sigaction(SIGTRAP, &trap, &before);
  for (const Edge edge :
       {Edge{GStatus::waiting, GStatus::runnable}, Edge{GStatus::syscall, GStatus::running}}) {
    GORO_STEP(
        "casgstatus from ", name_of(edge.from), " to ", name_of(edge.to),
        "; in front of its first instruction, its second, and so on, the scan bit is set as by "
        "another thread, and held for ",
        Scanner::kHold, " instructions");
    constexpr int kMost = 2000;
    int begin = 0;
    for (bool reached = true; reached && begin < kMost; ++begin) {
      G* gp = world->g(edge.from);
      Scanner s{gp, static_cast<std::uint32_t>(edge.from), begin};
      scanner = &s;
      trace_instructions();
      casgstatus(gp, edge.from, edge.to);
      stop_tracing();
      ASSERT_FALSE(s.found_other)
          << "after instruction " << begin
          << " of casgstatus another thread set the scan bit, and while it "
             "held the bit the status became "
          << name_of(s.lost_to) << ": from " << name_of(edge.from)
          << ", looking at the status and changing it must be one atomic exchange";
      ASSERT_FALSE(s.held) << "casgstatus returned while another thread held the scan bit";
      ASSERT_EQ(status_name_of(gp), name_of(edge.to))
          << "when the scan bit is gone, the move must be made";
      reached = s.instruction > begin;
    }
    EXPECT_LT(begin, kMost) << "casgstatus takes too many instructions";
  }
  sigaction(SIGTRAP, &before, nullptr);
}
#else
TEST(Status, NeverTakesAGoroutineFromUnderAScan) {
  constexpr int kRounds = many(300'000, 3'000);
  constexpr std::uint32_t kWaiting = static_cast<std::uint32_t>(GStatus::waiting);
  World world;
  GORO_STEP(
      "one thread moves a goroutine from waiting to runnable, running and waiting again, ", kRounds,
      " times; another sets the scan bit whenever it meets the goroutine waiting, and clears it");
  G* gp = world->g(GStatus::waiting);
  std::atomic<bool> done{false};
  std::uint32_t lost = kWaiting | kGScan;  // what the scanner found instead of this, if anything
  std::thread scanner([&] {
    while (!done.load(std::memory_order_relaxed)) {
      std::uint32_t seen = kWaiting;
      if (!gp->atomicstatus.compare_exchange_strong(seen, kWaiting | kGScan)) continue;
      for (int i = 0; i < 4; ++i) cpu_relax();
      seen = kWaiting | kGScan;
      if (!gp->atomicstatus.compare_exchange_strong(seen, kWaiting)) {
        lost = seen;
        return;
      }
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    casgstatus(gp, GStatus::waiting, GStatus::runnable);
    casgstatus(gp, GStatus::runnable, GStatus::running);
    casgstatus(gp, GStatus::running, GStatus::waiting);
  }
  done.store(true);
  scanner.join();
  EXPECT_EQ(name_of(lost), "waiting with the scan bit")
      << "the goroutine was moved while another thread held its scan bit: from waiting, looking at "
         "the "
         "status and changing it must be one atomic exchange";
}
#endif

TEST(Status, HandsOverWhatWasWritten) {
  World world;
  constexpr std::uintptr_t kRounds = 300;
  GORO_STEP("two threads hand one goroutine to and fro through its status, ", kRounds,
            " times; each counts gp->param up, an ordinary variable, while it owns the goroutine");
  G* gp = world->g(GStatus::runnable);
  const auto count_up = [gp] {
    gp->param = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(gp->param) + 1);
  };
  const auto await = [gp](GStatus status) {
    while (status_of(gp) != status) sched_yield();  // relaxed: only casgstatus gives an order
  };
  std::thread other([&] {
    for (std::uintptr_t i = 0; i < kRounds; ++i) {
      await(GStatus::waiting);
      casgstatus(gp, GStatus::waiting, GStatus::copystack);
      count_up();
      casgstatus(gp, GStatus::copystack, GStatus::runnable);
    }
  });
  for (std::uintptr_t i = 0; i < kRounds; ++i) {
    await(GStatus::runnable);
    casgstatus(gp, GStatus::runnable, GStatus::running);
    count_up();
    casgstatus(gp, GStatus::running, GStatus::waiting);
  }
  other.join();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(gp->param), 2 * kRounds)
      << "what one owner wrote must be visible to the next: the move needs release order for what "
         "was "
         "written before it, and acquire order for what is read after it";
}

}  // namespace goro::lab02
