// The data model: G, M, P and the state of the scheduler. Go: runtime2.go.
//
//   G  a goroutine: a stack, a place to continue, a status.
//   M  an OS thread. It runs the scheduler on its own stack, g0's, and one G at a time.
//   P  the right to run goroutines: a local run queue and caches. An M needs a P to run a G.
//
//        sched (one) ── GRQ, idle Ps, idle Ms, dead Gs
//          P0 ── runnext, LRQ[256], dead Gs, stacks          P1 ── …
//          │                                                 │
//          M0 ── g0, curg ──► G                              M1 ── …
//
// Every field is here because a slot or the frame uses it; fields that only a later slot needs are
// in the types already where programs outside can see their effect (dumps, schedtrace).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "contracts/atomic.h"
#include "contracts/constants.h"
#include "contracts/lock.h"
#include "contracts/observed.h"
#include "contracts/offsets.h"
#include "contracts/one_p.h"
#include "contracts/sched_lock.h"
#include "contracts/timers.h"
#include "contracts/wait_reason.h"

namespace goro {

struct G;
struct M;
struct P;
struct SavedState;
struct Sudog;
struct TraceBuffer;

namespace trace {
struct Record;
}

// Go: _Gidle … _Gpreempted, with Go's numbers. The status is also the lock on the goroutine's
// stack: running, syscall and copystack mean that the goroutine owns it, in waiting and runnable
// nobody does, and whoever sets the scan bit does until it is cleared.
// [status]
enum class GStatus : std::uint32_t {
  idle = 0,       // never used
  runnable = 1,   // on a run queue
  running = 2,    // on an M, or just about to be
  syscall = 3,    // in a system call, on an M, on no run queue
  waiting = 4,    // parked; somebody will ready it
  dead = 6,       // finished, on a list of free Gs or being set up
  copystack = 8,  // its stack is being moved
  preempted = 9,  // stopped for somebody who wants its stack
};
inline constexpr std::uint32_t kGScan = 0x1000;
// [/status]

// Where a G's status is. A goroutine that waits is moved by the one who took it from where it
// waited, and nobody else writes then: Go's garbage collector would, with the scan bit, and we have
// none. (In a system call somebody does: sysmon.) So in a run that move is a load and a store. What
// this loses: two who wake the same goroutine within a few nanoseconds are found where it is an
// exchange only, by the sanitizers and in a simulation.
#if GORO_ONE_P
// True while run() runs.
extern atomic<bool> nobody_scans_who_waits;

class StatusWord : public atomic<std::uint32_t> {
 public:
  using atomic<std::uint32_t>::atomic;

  // Always inlined: casgstatus must not grow the stack.
  [[gnu::always_inline]] bool compare_exchange_weak(std::uint32_t& expected, std::uint32_t desired,
                                                    std::memory_order success,
                                                    std::memory_order failure) {
    if (expected != static_cast<std::uint32_t>(GStatus::waiting) ||
        !nobody_scans_who_waits.load(std::memory_order_relaxed)) {
      return atomic<std::uint32_t>::compare_exchange_weak(expected, desired, success, failure);
    }
    expected = load(std::memory_order_acquire);
    if (expected != static_cast<std::uint32_t>(GStatus::waiting)) return false;
    store(desired, std::memory_order_release);
    return true;
  }
};
#else
using StatusWord = atomic<std::uint32_t>;
#endif

// Go: _Pidle … _Pdead.
enum class PStatus : std::uint32_t { idle = 0, running = 1, syscall = 2, gcstop = 3, dead = 4 };

// Half open: [lo, hi). The stack grows down from hi.
struct Stack {
  std::uintptr_t lo = 0;
  std::uintptr_t hi = 0;

  [[nodiscard]] std::size_t size() const { return hi - lo; }
  [[nodiscard]] bool contains(std::uintptr_t address) const { return address - lo < hi - lo; }
};

// [gobuf]
// Where a goroutine goes on. Go keeps six words here; our switch pushes what the C++ calling
// convention wants kept on the stack itself, so its stack pointer says everything.
struct Gobuf {
  std::uintptr_t sp = 0;
  G* g = nullptr;
};
// [/gobuf]

// How a goroutine's stack is made and given back.
enum class StackKind : std::uint8_t {
  growable,  // from stackalloc; doubles and moves
  chained,   // from stackalloc; grows by a further segment, never moves (contracts/chained_stack.h)
  fixed,     // guard-paged, never moves
  system,    // a g0's: the OS thread's own
};

// Does it begin with kStackMin bytes, so that what needs much room is better done on g0?
constexpr bool is_small_stack(StackKind kind) {
  return kind <= StackKind::chained;
}

// The function a goroutine runs: a C++ object somewhere, and how to call it.
struct Closure {
  void (*invoke)(void* object) = nullptr;  // calls the object, then destroys it
  void* object = nullptr;                  // in G::closure_room, or from the heap
};

// The C++ exceptions that a goroutine has caught and not finished with. The C++ library keeps them
// per thread (__cxa_get_globals); a goroutine can park inside a catch block and go on on another
// thread.
struct ExceptionState {
  constexpr ExceptionState() = default;
  constexpr ExceptionState(void* exception, std::uint32_t count)
      : caught(exception), uncaught(count) {}
  constexpr ExceptionState(const ExceptionState& other) = default;
  // Member by member: what is behind the last one in a G is another field.
  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment): it changes nothing then
  constexpr ExceptionState& operator=(const ExceptionState& other) {
    caught = other.caught;
    uncaught = other.uncaught;
    return *this;
  }

  void* caught = nullptr;
  std::uint32_t uncaught = 0;
};

// A stack that moved while an exception was on its way through it. See frame/exceptions.cpp.
struct StackMove {
  Stack from;
  std::uintptr_t distance;
  StackMove* next;
};

inline constexpr std::size_t kClosureRoom = 48;

// How far ahead a list of Gs asks the memory for what it will give out. A miss takes as long as a
// dozen instructions of each of so many goroutines.
inline constexpr std::uint32_t kLookAhead = 8;

struct alignas(kCacheLine) G {
  // -- read by assembly, see offsets.h --
  Stack stack;
  // What a prologue compares the stack pointer with: stack.lo + kStackGuard, or kStackPreempt.
  // Another thread may write kStackPreempt at any time, so it is atomic; order comes from elsewhere
  // (relaxed).
  atomic<std::uintptr_t> stackguard0{0};
  Observed<M*> m;
  Gobuf sched;

  StatusWord atomicstatus{0};
  Observed<WaitReason> waitreason{WaitReason::none};
  // These two share a byte: the line is full. Only whoever owns the goroutine looks at either.
  StackKind stack_kind : 2 = StackKind::growable;
  std::uint8_t quiet_parks : 6 = 0;  // parks since the stack was last used to more than a quarter
  atomic<bool> preempt{false};       // asked to give way at the next prologue
  // In a select: somebody has taken one of its sudogs. Whoever sets it wakes the goroutine.
  atomic<bool> select_done{false};
  // Next in the one list or queue it is on. Together with the status in the line that assembly
  // reads: a goroutine that is taken from a queue to be run costs one miss less.
  G* schedlink = nullptr;
  std::uint64_t goid = 0;
  void* param = nullptr;  // what the waker hands over
  Closure closure;
  [[no_unique_address]] ExceptionState exceptions;
  std::uint32_t trace_seq = 0;  // frame/trace.cpp; its owner's
  StackMove* moves = nullptr;
  Observed<M*> lockedm;  // the only M that may run it (lock_os_thread)
  std::uint64_t parent_goid = 0;
  std::uintptr_t gopc = 0;  // the return address of the go statement
  alignas(16) std::byte closure_room[kClosureRoom];
#if !GORO_GROWABLE_STACKS
  void* tsan_fiber = nullptr;
  void* asan_fake_stack = nullptr;
#endif

  // A list through the Gs themselves costs a cache miss for each that is taken, and where the next
  // one is, is known only after that. So a long list leaves in a G the address of one that is taken
  // kLookAhead later, and asks for that one when the G is taken: then so many misses go on at once.
  // Only a hint: it may be out of date. It stands in stackguard0, which nobody compares with while
  // the goroutine does not run (g_prepare_to_run sets it); no guard is odd. (Not in a simulation,
  // where it would be one more step.)
  void hint(const G* later) {
#if !GORO_SIMULATE
    stackguard0.store(reinterpret_cast<std::uintptr_t>(later) | 1, std::memory_order_relaxed);
#else
    static_cast<void>(later);
#endif
  }
  // True if there was one.
  bool follow_hint() {
#if !GORO_SIMULATE
    const std::uintptr_t word = stackguard0.load(std::memory_order_relaxed);
    if ((word & 1) == 0) return false;
    stackguard0.store(0, std::memory_order_relaxed);  // once is enough
    const auto* later = reinterpret_cast<const std::byte*>(word - 1);
    __builtin_prefetch(later, 1);
    __builtin_prefetch(later + kCacheLine, 1);
    __builtin_prefetch(later + 2 * kCacheLine, 1);
    return true;
#else
    return false;
#endif
  }
  // It runs soon: what it saved when it stopped, and the frames that it returns to.
  void prefetch_stack() const {
    constexpr std::uintptr_t kLines = 4;
    for (std::uintptr_t i = 0; i < kLines; ++i) {
      __builtin_prefetch(reinterpret_cast<const void*>(sched.sp + i * kCacheLine), 1);
    }
  }
};
#if GORO_GROWABLE_STACKS
// A million goroutines fill the processor's caches with nothing but Gs.
static_assert(sizeof(G) == 3 * kCacheLine);
// In what is padding in the library's structure.
static_assert(offsetof(G, trace_seq) == offsetof(G, exceptions) + 12);
#endif

// A queue of Gs through schedlink: first in, first out. A G is on at most one queue or list.
class GQueue {
 public:
  [[nodiscard]] bool empty() const { return head_ == nullptr; }

  void push_back(G* gp) {
    gp->schedlink = nullptr;
    if (tail_ != nullptr) {
      tail_->schedlink = gp;
    } else {
      head_ = gp;
    }
    tail_ = gp;
  }

  void push_front(G* gp) {
    gp->schedlink = head_;
    head_ = gp;
    if (tail_ == nullptr) tail_ = gp;
  }

  // Moves all of `other` to the back.
  void push_back_all(GQueue* other) {
    if (other->head_ == nullptr) return;
    other->leave_hints();
    if (tail_ != nullptr) {
      tail_->schedlink = other->head_;
    } else {
      head_ = other->head_;
    }
    tail_ = other->tail_;
    other->head_ = other->tail_ = nullptr;
  }

  G* pop() {
    G* gp = head_;
    if (gp != nullptr) {
      head_ = gp->schedlink;
      if (head_ == nullptr) tail_ = nullptr;
      ask_for_the_next(gp);
      gp->schedlink = nullptr;
    }
    return gp;
  }

  // The first n, or all when there are fewer.
  GQueue pop_front(std::int32_t n) {
    GQueue first;
    G* last = nullptr;
    G* rest = head_;
    for (; n > 0 && rest != nullptr; --n) {
      last = rest;
      ask_for_the_next(last);
      rest = rest->schedlink;
    }
    if (last == nullptr) return first;
    first.head_ = head_;
    first.tail_ = last;
    last->schedlink = nullptr;
    head_ = rest;
    if (rest == nullptr) tail_ = nullptr;
    return first;
  }

 private:
  // Whoever takes one takes the next soon.
  static void ask_for_the_next(G* gp) {
    __builtin_prefetch(gp->schedlink, 1);
    if (gp->follow_hint()) gp->prefetch_stack();
  }

  // While whoever put them together has them in its cache still.
  void leave_hints() const {
    G* later = head_;
    for (std::uint32_t i = 0; i < kLookAhead && later != nullptr; ++i) later = later->schedlink;
    for (G* gp = head_; later != nullptr; gp = gp->schedlink, later = later->schedlink) {
      gp->hint(later);
    }
  }

  G* head_ = nullptr;
  G* tail_ = nullptr;
};

// A list of Gs through schedlink: last in, first out.
class GList {
 public:
  [[nodiscard]] bool empty() const { return head_ == nullptr; }
  [[nodiscard]] std::int32_t size() const { return size_; }

  void push(G* gp) {
    gp->schedlink = head_;
    head_ = gp;
    if (size_ >= kGFreeFlushAt) {  // longer than a P's, and so in no cache
      const auto at = static_cast<std::uint32_t>(size_) % kLookAhead;
      gp->hint(recent_[at]);
      recent_[at] = gp;
    }
    ++size_;
  }

  G* pop() {
    G* gp = head_;
    if (gp != nullptr) {
      head_ = gp->schedlink;
      __builtin_prefetch(head_, 1);  // whoever takes one takes the next soon
      if (size_ > kGFreeFlushAt) gp->follow_hint();
      gp->schedlink = nullptr;
      --size_;
    }
    return gp;
  }

 private:
  G* head_ = nullptr;
  G* recent_[kLookAhead]{};      // who was pushed at this size, mod kLookAhead
  Observed<std::int32_t> size_;  // dumps look at the length of a P's list
};

// A list of sudogs that wait for nothing, through Sudog::next: last in, first out.
struct SudogList {
  Sudog* head = nullptr;
  std::int32_t size = 0;
};

// Free stacks of one size, linked through their first word.
struct FreeStack {
  FreeStack* next;
};
struct StackCacheEntry {
  FreeStack* list = nullptr;
  std::size_t bytes = 0;
};

// [note]
// A one-shot event that an M sleeps on; its functions are slot 06's (contracts/processors.h).
// Go: note, lock_futex.go.
class Note {
 public:
  void clear() { key_.store(0, std::memory_order_relaxed); }
  // Wakes the sleeper, or lets a later sleep return at once. At most once between two clears.
  void wakeup();
  // Returns once wakeup was called. Only on a g0, or on a thread that is not the runtime's.
  void sleep();
  // The same, for at most `nanoseconds`. True if wakeup was called.
  bool sleep_for(std::int64_t nanoseconds);
  // Was wakeup called since the last clear?
  [[nodiscard]] bool is_set() const { return key_.load(std::memory_order_acquire) != 0; }

 private:
  atomic<std::uint32_t> key_{0};
};
// [/note]

// What sysmon saw when it last looked at a P. Sysmon's alone. Go: sysmontick.
struct SysmonTick {
  // A P that was never looked at differs: its first slice and its first call are new ones.
  std::uint32_t schedtick = ~0U;
  std::uint32_t syscalltick = ~0U;
  std::int64_t schedwhen = 0;    // since when schedtick is that, nanotime()
  std::int64_t syscallwhen = 0;  // since when syscalltick is that
  std::int64_t cpuwhen = 0;      // processor time its M had used at schedwhen
};

struct alignas(kCacheLine) P {
  std::int32_t id = 0;
  atomic<std::uint32_t> status{0};
  Observed<std::uint32_t> schedtick;    // ++ whenever execute starts a new time slice
  Observed<std::uint32_t> syscalltick;  // ++ whenever a system call ends on it, or loses it
  Observed<M*> m;                       // nullptr if idle
  P* link = nullptr;                    // next idle P
  std::uint64_t goidcache = 0;          // next id, up to goidcacheend
  std::uint64_t goidcacheend = 0;
  GList gfree;
  SudogList sudogcache;
  StackCacheEntry stackcache[kNumStackOrders];
  std::uint32_t random = 0;  // state of cheaprand
  SysmonTick sysmontick;

  // [local_queue]
  // The local run queue. Only the owner moves the tail; the owner and thieves move the head. Both
  // run freely mod 2^32. Their own lines, because thieves write the head while the owner fills the
  // ring.
  alignas(kCacheLine) POwned<std::uint32_t> runqhead{0};
  alignas(kCacheLine) atomic<std::uint32_t> runqtail{0};
  POwned<G*> runnext{nullptr};
  atomic<G*> runq[kRunqSize]{};
  // [/local_queue]

  // How many goroutines those of this P have woken at channels (services/handovers.h).
  Observed<std::uint32_t> handovers;

  // What goroutines of this P wait for (slot 12). Its own M looks at the next time in every round;
  // others write here seldom.
  alignas(kCacheLine) Timers timers;
};

inline bool has_status(const P* pp, PStatus status) {
  return pp->status.load(std::memory_order_relaxed) == static_cast<std::uint32_t>(status);
}

// Where an M's next record of what it does goes; see frame/trace.h. Here and not in its buffer,
// because every record would have to look for that first.
struct TraceCursor {
  std::atomic<trace::Record*> next{nullptr};
  // Up to here records may follow without a look at anything else: there is room for them, they
  // need no time, and the M has the P that it had. Sysmon makes it null when time has passed.
  std::atomic<const trace::Record*> quick_end{nullptr};
  // How the M's goroutine stopped, if that has no record yet, as it will be in Record::what.
  std::uint64_t stop = 0;
  std::size_t back = 0;  // so many records before `next` is the one that may be repeated
  TraceBuffer* buffer = nullptr;
};

inline void set_status(P* pp, PStatus status) {
  pp->status.store(static_cast<std::uint32_t>(status), std::memory_order_relaxed);
}

struct M {
  // -- read by assembly, see offsets.h --
  G* g0 = nullptr;
  // For goroutines that are stopped by a signal (slot 14): a list of states that one can be saved
  // in, and the one that this thread restored last (ARM64). Only this M's.
  SavedState* spare_state = nullptr;
  SavedState* resumed_state = nullptr;
  // This thread's signal stack.
  std::uintptr_t altstack_sp = 0;
  std::size_t altstack_size = 0;

  std::int64_t id = 0;
  // Whose stack we left for g0, or run. Written with release: whoever preempts reads it, and what
  // it points to, at any time (acquire).
  atomic<G*> curg{nullptr};
  Observed<P*> p;
  P* nextp = nullptr;  // handed over by whoever wakes this M
  P* oldp = nullptr;   // the P this M had when its system call began
  Observed<bool> spinning;
  Observed<bool> blocked;  // asleep on a note
  M* schedlink = nullptr;  // next idle M
  M* alllink = nullptr;    // next in allm, or next dead M
  Note park;

  // The goroutine that only this M may run, and how often lock_os_thread was called for it: by the
  // program (ext), by the runtime (int).
  Observed<G*> lockedg;
  std::uint32_t locked_ext = 0;
  std::uint32_t locked_int = 0;

  // While its goroutine is in a system call: the frame record of whoever called it, for dumps.
  std::uintptr_t syscall_frame = 0;

  // Above 0, the goroutine that runs here is not preempted: it holds a lock of the runtime's on its
  // own stack (acquirem, releasem). Only this M's.
  std::int32_t locks = 0;

  // gopark's arguments: when park_m looks at them, the goroutine is off its stack already.
  bool (*waitunlockf)(G* gp, void* lock) = nullptr;
  void* waitlock = nullptr;

  // This thread's word that prologues compare with (%fs:0x70), for whoever wants to preempt it, and
  // its __cxa_get_globals(); both found once, when the thread starts.
  atomic<atomic<std::uintptr_t>*> guard_slot{nullptr};
  ExceptionState* exception_globals = nullptr;
  ExceptionState outer_exceptions;  // what this thread had before it became an M
  G* outer_g = nullptr;

  // The thread itself; frame/threads.cpp.
  std::uint64_t thread = 0;  // pthread_t
  atomic<int> tid{0};        // the kernel's name for it; 0: not there yet, or not any more
  atomic<bool> signal_pending{false};  // a request to give way is on its way to it as a signal
  Observed<std::int32_t> cpu_clock;    // of its processor time; 0: none
  void* signal_stack = nullptr;
  bool is_sysmon = false;
  bool thread_ends = false;    // its goroutine ended without unlock_os_thread
  bool orphan = false;         // in a system call when run() returned; see frame/ending.cpp
  atomic<bool> parked{false};  // in mpark
  atomic<bool> gone{false};    // has left the scheduler for good
#if !GORO_GROWABLE_STACKS
  void (*mcall_fn)(G*) = nullptr;
  const void* thread_stack_lo = nullptr;
  std::size_t thread_stack_size = 0;
#endif
  TraceCursor trace;
  G g0_storage;
};

// Go: schedt. One per process, reset by every run().
struct Sched {
  SchedLock lock;

  // Under lock; the size is also read without it, to see whether taking the lock is worth it.
  GQueue runq;
  atomic<std::int32_t> runqsize{0};

  // Idle Ps and idle Ms, last in, first out. Under lock.
  P* pidle = nullptr;
  M* midle = nullptr;
  std::int32_t nmidle = 0;
  std::int32_t nmidlelocked = 0;    // Ms that wait for the goroutine they are locked to
  std::int32_t nmsys = 0;           // Ms that do not count for deadlocks (sysmon)
  std::int64_t mnext = 0;           // the next M's id
  std::int64_t mcount = 0;          // Ms that exist
  std::int64_t maxmcount = 10'000;  // more are fatal
  M* freem = nullptr;               // Ms whose thread has ended, through alllink
  std::int32_t foreign = 0;         // threads outside that may still ready a goroutine

  // [idle_counts]
  // Changed under lock, but for nmspinning; looked at without it. On a line of their own: every
  // wakep reads npidle.
  alignas(kCacheLine) IdleCount npidle{0};
  // Ms that have no work and look for some. Go's rule: the last one to find some wakes another.
  atomic<std::int32_t> nmspinning{0};
  // Somebody found work and no P to run it on: whoever is about to give up a P must look around.
  atomic<bool> needspinning{false};
  // A bit for each P: it is on the idle list (so it has nothing to steal).
  atomic<std::uint32_t> idlepmask[kMaxProcs / 32]{};
  // [/idle_counts]

  // 0: an M sleeps in poll_until; else when one last did, nanotime().
  atomic<std::int64_t> lastpoll{1};
  // Until when that M sleeps (kMaxWhen: for the network only); 0: it has not said yet, or nobody
  // does.
  atomic<std::int64_t> poll_until{0};
  // Not 0: that sleep shall end, or not begin. Go: netpollWakeSig.
  atomic<std::uint32_t> poll_broken{0};

  // Dead Gs that no P holds. Under gfree_lock.
  RuntimeMutex gfree_lock;
  GList gfree;

  // Sudogs that no P holds. Under sudoglock.
  RuntimeMutex sudoglock;
  SudogList sudogcache;

  atomic<std::uint64_t> goidgen{0};

  // Held by whoever stops the world. Taken before lock.
  RuntimeMutex world_lock;
  std::int32_t stopwait = 0;  // Ps that have yet to stop; under lock
  Note stopnote;

  // Read at every turn of every scheduler, and written hardly ever: on a line that nothing else
  // writes to.
  //
  // gcwaiting: set while somebody stops the world; every M gives up its P when it next comes to
  // schedule().
  alignas(kCacheLine) atomic<bool> gcwaiting{false};
  // Set when run() is about to return, with gcwaiting: this stop of the world has no end.
  atomic<bool> stopping{false};
  // Sysmon sleeps until somebody wakes it; changed under lock, looked at without it.
  atomic<bool> sysmonwait{false};
  atomic<std::int32_t> gomaxprocs{0};

  alignas(kCacheLine) Note sysmonnote;
  // Set once, with `stopping`: sysmon's other pauses end.
  Note endnote;
};

extern Sched sched;
// A program may call std::exit in the middle of a run: other threads still read what is global.
template <typename T>
union NeverDestroyed {
  T value;
  constexpr NeverDestroyed() : value() {}
  constexpr ~NeverDestroyed() {}
};
extern NeverDestroyed<std::vector<P*>> never_destroyed_allp;
// Grows and never shrinks; the first gomaxprocs are in use. run() reserves room for all that there
// can be, so it may be read without a lock while it grows. (used: for the debugger.)
[[gnu::used]] inline constexpr std::vector<P*>& allp = never_destroyed_allp.value;
extern M* allm;  // through M::alllink; under sched.lock

static_assert(offsetof(G, stack) + offsetof(Stack, lo) == GORO_G_STACK_LO);
static_assert(offsetof(G, stack) + offsetof(Stack, hi) == GORO_G_STACK_HI);
static_assert(offsetof(G, stackguard0) == GORO_G_STACKGUARD0);
static_assert(offsetof(G, m) == GORO_G_M);
static_assert(offsetof(G, waitreason) + 1 == GORO_G_STACK_KIND &&
              offsetof(G, preempt) == GORO_G_STACK_KIND + 1);  // a bit-field has no offsetof
static_assert(offsetof(G, preempt) == GORO_G_PREEMPT);
static_assert(offsetof(G, sched) + offsetof(Gobuf, sp) == GORO_G_SCHED_SP);
static_assert(offsetof(G, sched) + offsetof(Gobuf, g) == GORO_G_SCHED_G);
static_assert(offsetof(Gobuf, sp) == GORO_GOBUF_SP);
static_assert(offsetof(Gobuf, g) == GORO_GOBUF_G);
static_assert(offsetof(M, g0) == GORO_M_G0);
static_assert(offsetof(M, spare_state) == GORO_M_SPARE_STATE);
static_assert(offsetof(M, resumed_state) == GORO_M_RESUMED_STATE);
static_assert(offsetof(M, altstack_sp) == GORO_M_ALTSTACK_SP);
static_assert(offsetof(M, altstack_size) == GORO_M_ALTSTACK_SIZE);

}  // namespace goro
