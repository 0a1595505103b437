// Threads, turns and time. See simulation.h.
//
// Invariants:
//   - `current` runs, everybody else is inside switch_to. Nothing here needs a lock.
//   - A thread is able, waits, or has ended. The running one is able, except between the moment it
//     begins to wait and its hand_over().
//   - Between the return of pass() and the access it was called for, nobody else runs. So whoever
//     waits for a change of a word may be woken before the change.
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <vector>

#include "contracts/context_switch.h"
#include "contracts/getg.h"
#include "simulation/simulation.h"
#include "simulation/strategy.h"

extern "C" void* __cxa_get_globals();

namespace goro::sim {

bool active = false;

namespace {

constexpr int kExitSchedule = 3;
constexpr std::size_t kThreadStack = std::size_t{256} << 10;
constexpr std::size_t kGuardPage = std::size_t{64} << 10;
constexpr std::int64_t kTimeAtStart = 1'000'000'000;
// A thread that has had the turn for so long lets others go first, so that a loop that waits for
// somebody ends also when it does not say that it waits.
constexpr std::uint32_t kFairRun = 1000;

enum class State : std::uint8_t { able, waits, ended };
enum class Awaited : std::uint8_t { nothing, change, futex, end, time };

struct Access {
  Op op = Op::mark;
  const volatile void* address = nullptr;
  std::uint64_t value = 0;
  Where where = kNowhere;
  const char* name = nullptr;  // if it is no word
};

struct Thread {
  std::uint16_t id = 0;
  State state = State::able;
  Awaited awaited = Awaited::nothing;
  const volatile void* address = nullptr;  // what it waits for
  std::int64_t deadline = kNever;
  std::uint32_t steps = 0;
  std::uint32_t run = 0;  // steps since it was given the turn
  Access doing;
  std::string name;
  void (*fn)(void*) = nullptr;
  void* arg = nullptr;

  // What belongs to a thread of the system, while this one does not run.
  ucontext_t context;
  G* g = nullptr;
  ExceptionState exceptions;
  int error = 0;

  void* stack = nullptr;  // none for thread 0: it is the caller's
};

std::vector<std::unique_ptr<Thread>> threads;  // those of this schedule: the first thread_count
std::size_t thread_count = 0;
Thread* current = nullptr;
std::unique_ptr<Strategy> strategy;
std::unique_ptr<Random> world;  // everything random that is no turn
Report* report = nullptr;
std::uint64_t most_steps = 0;
std::uint64_t total = 0;
std::int64_t time_now = 0;
std::int64_t next_deadline = kNever;
std::size_t waiting_for_change = 0;
bool tell_all = false;
std::vector<std::uint16_t> able;

struct Range {
  std::uintptr_t from;
  std::size_t size;
};
std::vector<Range> passed_over;

ExceptionState* exceptions_of_this_thread() {
  return static_cast<ExceptionState*>(__cxa_get_globals());
}

bool writes(Op op) {
  return op >= Op::store && op <= Op::fetch_or;
}

void copy_text(char* to, std::size_t room, const std::string& text) {
  const std::size_t n = text.size() < room - 1 ? text.size() : room - 1;
  std::memcpy(to, text.data(), n);
  to[n] = '\0';
}

// -- the story --

Event* event_at(std::uint64_t index) {
  return index < Report::kMostEvents ? &report->first[index]
                                     : &report->last[index % Report::kMostEvents];
}

void tell_access(const Thread& thread, bool done) {
  active = false;  // looking for names reads atomics
  Event* event = event_at(report->events++);
  *event = Event{};
  const Access& access = thread.doing;
  event->op = access.op;
  event->done = done;
  event->thread = thread.id;
  event->where = access.where;
  event->value = access.value;
  if (access.address != nullptr) {
    const Name name = name_of(access.address);
    copy_text(event->name, sizeof(event->name), name.text);
    event->value_is_g = name.holds_g;
    if (name.holds_g) event->value = g_id(access.value);
  } else if (access.name != nullptr) {
    copy_text(event->name, sizeof(event->name), access.name);
  }
  copy_text(event->who, sizeof(event->who), who_runs());
  active = true;
}

// -- turns --

void become_able(Thread* thread) {
  if (thread->awaited == Awaited::change) --waiting_for_change;
  thread->state = State::able;
  thread->awaited = Awaited::nothing;
  thread->deadline = kNever;
  strategy->woken();
}

void find_next_deadline() {
  next_deadline = kNever;
  for (std::size_t i = 0; i < thread_count; ++i) {
    if (threads[i]->state == State::waits && threads[i]->deadline < next_deadline) {
      next_deadline = threads[i]->deadline;
    }
  }
}

void wake_due() {
  for (std::size_t i = 0; i < thread_count; ++i) {
    Thread* thread = threads[i].get();
    if (thread->state == State::waits && thread->deadline <= time_now) become_able(thread);
  }
  find_next_deadline();
}

void switch_to(Thread* to) {
  Thread* self = current;
  ExceptionState* exceptions = exceptions_of_this_thread();
  self->error = errno;
  self->g = goro_tls_g;
  self->exceptions = *exceptions;
  current = to;
  to->run = 0;
  *exceptions = to->exceptions;
  goro_tls_g = to->g;
  errno = to->error;
  swapcontext(&self->context, &to->context);
}

std::string describe_wait(const Thread& thread) {
  std::string text = "  " + thread.name + " ";
  if (thread.state == State::ended) return text + "has ended\n";
  if (thread.state == State::able) return text + "can run\n";
  switch (thread.awaited) {
    case Awaited::change:
      text += "waits for a change of " + name_of(thread.address).text;
      break;
    case Awaited::futex:
      text += "sleeps on " + name_of(thread.address).text;
      break;
    case Awaited::end:
      for (std::size_t i = 0; i < thread_count; ++i) {
        if (threads[i].get() == thread.address) text += "waits for the end of " + threads[i]->name;
      }
      break;
    case Awaited::time:
    case Awaited::nothing:
      text += "waits";
      break;
  }
  const Where& where = thread.doing.where;
  if (where.file != nullptr) {
    text += " in " + std::string(where.function) + " (" + where.file + ":" +
            std::to_string(where.line) + ")";
  }
  return text + "\n";
}

std::string describe_threads() {
  std::string text;
  for (std::size_t i = 0; i < thread_count; ++i) text += describe_wait(*threads[i]);
  return text;
}

[[noreturn]] void stuck() {
  active = false;
  const std::string text = "Every thread waits, and nobody is left to wake one:\n";
  const std::string all = describe_threads();
  dump_runtime();
  end(Outcome::stuck, text + all);
}

void find_able() {
  able.clear();
  for (std::size_t i = 0; i < thread_count; ++i) {
    if (threads[i]->state == State::able) able.push_back(threads[i]->id);
  }
}

// Decides who goes on, and returns when the caller does.
void hand_over(Turn turn) {
  Thread* self = current;
  find_able();
  const bool alone = turn == Turn::should && able.size() == 1;
  // Again, if nobody came of it: whoever had that deadline may have been woken before it.
  for (bool again = able.empty() || alone; again && next_deadline != kNever; again = able.empty()) {
    if (time_now < next_deadline) time_now = next_deadline;
    wake_due();
    find_able();
  }
  if (able.empty()) stuck();
  self->run = 0;
  const std::uint16_t to = strategy->choose(self->id, self->steps, total, turn, able);
  if (to != Strategy::by_default(self->id, turn, able)) {
    Schedule& taken = report->taken;
    if (taken.count < Schedule::kMost) taken.switches[taken.count++] = {self->steps, self->id, to};
  }
  if (to == self->id) return;
  if (tell_all && self->state == State::able) tell_access(*self, false);
  switch_to(threads[to].get());
}

void count_step(Thread* self) {
  report->steps_of[self->id] = ++self->steps;
  ++total;
  time_now += kStepTime;
  const auto mixed = (std::uint64_t{self->id} << 40) ^
                     (std::uint64_t{self->doing.where.line} << 8) ^
                     static_cast<std::uint64_t>(self->doing.op);
  report->fingerprint = (report->fingerprint ^ mixed) * 0x100000001b3U;
  report->steps = total;
  if (total > most_steps) {
    active = false;
    const std::string all = describe_threads();
    dump_runtime();
    end(Outcome::endless,
        "No end in sight after " + std::to_string(most_steps) +
            " steps: threads go round in loops and wait for something that does not come.\n" + all);
  }
  if (time_now >= next_deadline) wake_due();
}

// A point of the running thread, on a large stack.
void pass(Turn turn) {
  Thread* self = current;
  count_step(self);
  if (++self->run > kFairRun && turn == Turn::may) turn = Turn::should;
  if (turn != Turn::may || strategy->wants_to_choose(self->id, self->steps, total)) {
    hand_over(turn);
  }
  const Access& access = self->doing;
  if (waiting_for_change != 0 && writes(access.op)) {
    for (std::size_t i = 0; i < thread_count; ++i) {
      Thread* thread = threads[i].get();
      if (thread->awaited == Awaited::change && thread->address == access.address) {
        become_able(thread);
      }
    }
  }
  if (tell_all) tell_access(*self, true);
}

// The running thread has found that it must wait; returns when somebody has woken it.
void wait_here(Awaited awaited, const volatile void* address, std::int64_t deadline) {
  Thread* self = current;
  self->state = State::waits;
  self->awaited = awaited;
  self->address = address;
  self->deadline = deadline;
  if (awaited == Awaited::change) ++waiting_for_change;
  if (deadline < next_deadline) next_deadline = deadline;
  count_step(self);  // its own step, or it would be decided twice at one
  hand_over(Turn::must);
}

void on_large_stack(void (*fn)(void*), void* arg) {
  const G* gp = getg();
  if (gp == nullptr || gp->stack_kind == StackKind::system) {
    fn(arg);
  } else {
    goro_systemstack(fn, arg);
  }
}

template <typename F>
void on_large_stack(F&& f) {
  on_large_stack([](void* arg) { (*static_cast<std::remove_reference_t<F>*>(arg))(); }, &f);
}

bool is_passed_over(const Access& access) {
  const auto at = reinterpret_cast<std::uintptr_t>(access.address);
  return std::any_of(passed_over.begin(), passed_over.end(),
                     [&](const Range& range) { return at - range.from < range.size; });
}

void pass_access(void* arg) {
  current->doing = *static_cast<const Access*>(arg);
  if (is_passed_over(current->doing)) {
    if (tell_all) tell_access(*current, true);
  } else {
    pass(Turn::may);
  }
}

void set_result(void* arg) {
  Event* event = event_at(report->events - 1);
  event->has_result = true;
  event->result = *static_cast<const std::uint64_t*>(arg);
  if (event->value_is_g && event->op != Op::compare_exchange) {
    event->result = g_id(event->result);
  }
}

void wake_joiners(const Thread* ended) {
  for (std::size_t i = 0; i < thread_count; ++i) {
    Thread* thread = threads[i].get();
    if (thread->awaited == Awaited::end && thread->address == ended) become_able(thread);
  }
}

void thread_entry() {
  Thread* self = current;
  try {
    self->fn(self->arg);
  } catch (const std::exception& error) {
    end(Outcome::failed, "An exception left " + self->name + ": " + error.what());
  } catch (...) {
    end(Outcome::failed, "An exception left " + self->name);
  }
  self->doing = Access{};
  self->doing.op = Op::end;
  if (tell_all) tell_access(*self, true);
  self->state = State::ended;
  wake_joiners(self);
  count_step(self);
  hand_over(Turn::must);
  __builtin_unreachable();
}

Thread* new_thread(const char* name) {
  if (thread_count == Report::kMostThreads) {
    end(Outcome::failed, "The program started " + std::to_string(thread_count) + " threads.");
  }
  if (thread_count == threads.size()) threads.push_back(std::make_unique<Thread>());
  Thread* thread = threads[thread_count].get();
  void* stack = thread->stack;
  *thread = Thread{};
  thread->stack = stack;
  thread->id = static_cast<std::uint16_t>(thread_count);
  thread->name = name;
  report->steps_of[thread_count] = 0;
  copy_text(report->names[thread_count], sizeof(report->names[0]), thread->name);
  report->threads = static_cast<std::uint32_t>(++thread_count);
  strategy->started(thread->id);
  return thread;
}

void map_stack(Thread* thread) {
  if (thread->stack != nullptr) return;
  void* at = mmap(nullptr, kThreadStack + kGuardPage, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) end(Outcome::failed, "out of memory for a simulated thread's stack");
  mprotect(at, kGuardPage, PROT_NONE);
  thread->stack = at;
}

}  // namespace

void run_schedule(Report* into, const Plan& plan, std::uint64_t limit, bool tell,
                  void (*body)(void* arg), void* arg) {
  report = into;
  report->seed = plan.seed;
  report->outcome = Outcome::unfinished;
  report->taken.count = 0;
  report->events = 0;
  report->threads = 0;
  report->fingerprint = 0xcbf29ce484222325U;
  tell_all = tell;
  most_steps = limit;
  total = 0;
  time_now = kTimeAtStart;
  next_deadline = kNever;
  waiting_for_change = 0;
  thread_count = 0;
  forget_names();
  passed_over.clear();
  strategy = std::make_unique<Strategy>(plan);
  world = std::make_unique<Random>(~plan.seed);
  current = new_thread("main");
  active = true;
  try {
    body(arg);
  } catch (const std::exception& error) {
    end(Outcome::failed, std::string("An exception left the test: ") + error.what());
  }
  join_all();
  active = false;
  report->outcome = Outcome::passed;
  if (total > report->longest) report->longest = total;
}

[[noreturn]] void end(Outcome outcome, const std::string& message) {
  active = false;
  if (report->outcome == Outcome::unfinished) {
    report->outcome = outcome;
    copy_text(report->message, sizeof(report->message), message);
  }
  _exit(kExitSchedule);
}

void pass_over(const volatile void* address, std::size_t size) {
  passed_over.push_back({reinterpret_cast<std::uintptr_t>(address), size});
}

bool telling() {
  return tell_all;
}

void freeze() {
  active = false;
}

void before(Op op, const volatile void* address, std::uint64_t value, Where where) {
  Access access{op, address, value, where, nullptr};
  const G* gp = getg();
  if (gp == nullptr || gp->stack_kind == StackKind::system) {
    pass_access(&access);
  } else {
    goro_systemstack(pass_access, &access);
  }
}

void after(std::uint64_t result) {
  if (!tell_all) return;
  const G* gp = getg();
  if (gp == nullptr || gp->stack_kind == StackKind::system) {
    set_result(&result);
  } else {
    goro_systemstack(set_result, &result);
  }
}

int start_thread(const char* name, void (*fn)(void* arg), void* arg) {
  int id = 0;
  on_large_stack([&] {
    Thread* thread = new_thread(name);
    map_stack(thread);
    thread->fn = fn;
    thread->arg = arg;
    getcontext(&thread->context);
    thread->context.uc_stack.ss_sp = static_cast<char*>(thread->stack) + kGuardPage;
    thread->context.uc_stack.ss_size = kThreadStack;
    thread->context.uc_link = nullptr;
    makecontext(&thread->context, thread_entry, 0);
    id = thread->id;
    current->doing = Access{Op::start, nullptr, 0, kNowhere, thread->name.c_str()};
    pass(Turn::may);
  });
  return id;
}

int this_thread() {
  return current->id;
}

void join(int thread) {
  Thread* target = threads[static_cast<std::size_t>(thread)].get();
  while (target->state != State::ended) {
    on_large_stack([&] {
      current->doing = Access{Op::join, nullptr, 0, kNowhere, target->name.c_str()};
      if (tell_all) tell_access(*current, true);
      wait_here(Awaited::end, target, kNever);
    });
  }
}

void join_all() {
  for (std::size_t i = 0; i < thread_count; ++i) {
    if (threads[i].get() != current) join(static_cast<int>(i));
  }
}

void name_this_thread(const char* name) {
  current->name = name;
  copy_text(report->names[current->id], sizeof(report->names[0]), current->name);
}

void mark(const char* name, Where where) {
  if (!active) return;
  on_large_stack([&] {
    current->doing = Access{Op::mark, nullptr, 0, where, name};
    pass(Turn::may);
  });
}

void relax(Where where) {
  on_large_stack([&] {
    current->doing = Access{Op::relax, nullptr, 0, where, nullptr};
    pass(Turn::should);
  });
}

void rest(std::int64_t nanoseconds, Where where) {
  on_large_stack([&] {
    current->doing =
        Access{Op::rest, nullptr, static_cast<std::uint64_t>(nanoseconds), where, nullptr};
    if (tell_all) tell_access(*current, true);
    wait_here(Awaited::time, nullptr, time_now + (nanoseconds > 0 ? nanoseconds : 0));
  });
}

void wait_for_change(const volatile void* word, Where where) {
  on_large_stack([&] {
    current->doing = Access{Op::wait_change, word, 0, where, nullptr};
    if (tell_all) tell_access(*current, true);
    wait_here(Awaited::change, word, kNever);
  });
}

void futex_sleep(const volatile std::uint32_t* word, std::uint32_t expected,
                 std::int64_t nanoseconds, Where where) {
  on_large_stack([&] {
    current->doing = Access{Op::futex_sleep, word, expected, where, nullptr};
    pass(Turn::may);
    if (*word != expected) return;
    wait_here(Awaited::futex, word, nanoseconds == kNever ? kNever : time_now + nanoseconds);
  });
}

void futex_wakeup(const volatile std::uint32_t* word, int count, Where where) {
  on_large_stack([&] {
    current->doing =
        Access{Op::futex_wakeup, word, static_cast<std::uint64_t>(count), where, nullptr};
    pass(Turn::may);
    std::vector<Thread*> sleepers;
    for (std::size_t i = 0; i < thread_count; ++i) {
      Thread* thread = threads[i].get();
      if (thread->awaited == Awaited::futex && thread->address == word) sleepers.push_back(thread);
    }
    for (; count > 0 && !sleepers.empty(); --count) {
      const std::size_t chosen = sleepers.size() == 1 ? 0 : world->below(sleepers.size());
      become_able(sleepers[chosen]);
      sleepers.erase(sleepers.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
  });
}

std::int64_t now() {
  return time_now;
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  on_large_stack([&] { number = world->next(); });
  return number;
}

}  // namespace goro::sim
