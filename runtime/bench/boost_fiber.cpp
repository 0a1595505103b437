// The workloads with a fiber of Boost.Fiber in each goroutine's place, written as its manual
// advises: small stacks from a pool where there are many fibers, stealing workers on several
// processors, and a child that is dispatched at once in a tree.
//
// Boost.Fiber has no select, no timers but a fiber that sleeps, no network, and a fiber that blocks
// in the kernel blocks its thread: those rows have no figure of it.
#include <algorithm>
#include <atomic>
#include <boost/context/fiber.hpp>
#include <boost/fiber/algo/work_stealing.hpp>
#include <boost/fiber/all.hpp>
#include <boost/version.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "bench/clock.h"
#include "bench/peer.h"
#include "bench/recursion.h"

namespace goro::bars {

namespace {

namespace fibers = boost::fibers;

// What the manual's own benchmark of a million fibers takes: two pages.
constexpr std::size_t kStack = 8192;

int processors = 1;

// The pool is one thread's; on several the stacks come from malloc.
class Stacks {
 public:
  template <typename F>
  void go(F&& f, fibers::launch how = fibers::launch::post) {
    if (processors == 1) {
      fibers::fiber(how, std::allocator_arg, pool_, std::forward<F>(f)).detach();
    } else {
      fibers::fiber(how, std::allocator_arg, fibers::fixedsize_stack(kStack), std::forward<F>(f))
          .detach();
    }
  }

 private:
  fibers::pooled_fixedsize_stack pool_{kStack};
} stacks;

// Counts down; one waits for zero.
class Group {
 public:
  explicit Group(long count) : left_(count) {}
  void done() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard hold(mutex_);
    ended_ = true;
    none_.notify_one();
  }
  void wait() {
    std::unique_lock hold(mutex_);
    none_.wait(hold, [this] { return ended_; });
  }

 private:
  std::atomic<long> left_;
  bool ended_ = false;
  fibers::mutex mutex_;
  fibers::condition_variable none_;
};

// -- switch: Boost.Context, on which Boost.Fiber stands --

double context_switch_ns(long count) {
  namespace ctx = boost::context;
  long left = count;
  ctx::fiber partner([&left](ctx::fiber&& from) {
    while (left > 0) {
      --left;
      from = std::move(from).resume();
    }
    return std::move(from);
  });
  const double start = now_ns();
  while (left > 0) {
    --left;
    partner = std::move(partner).resume();
  }
  return (now_ns() - start) / static_cast<double>(count);
}

double context_switch(long count) {
  return fastest_slice(context_switch_ns, count);
}

constexpr int kYieldsToTheEnd = 4;

double spawn_empty(long count) {
  const double start = now_ns();
  for (long i = 0; i < count; ++i) stacks.go([] {});
  for (int i = 0; i < kYieldsToTheEnd; ++i) boost::this_fiber::yield();
  return (now_ns() - start) / static_cast<double>(count);
}

double spawn_group(long count) {
  const double start = now_ns();
  Group group(count);
  for (long i = 0; i < count; ++i) stacks.go([&group] { group.done(); });
  group.wait();
  return (now_ns() - start) / static_cast<double>(count);
}

double spawn_and_wait(long count) {
  const double start = now_ns();
  for (long i = 0; i < count; ++i) {
    Group group(1);
    stacks.go([&group] { group.done(); });
    group.wait();
  }
  return (now_ns() - start) / static_cast<double>(count);
}

double yield_in_turns(long count) {
  constexpr int kFibers = 2;
  const long yields = count / kFibers;
  const double start = now_ns();
  Group group(kFibers);
  for (int i = 0; i < kFibers; ++i) {
    stacks.go([&group, yields] {
      for (long n = 0; n < yields; ++n) boost::this_fiber::yield();
      group.done();
    });
  }
  group.wait();
  return (now_ns() - start) / static_cast<double>(yields * kFibers);
}

using Channel = fibers::unbuffered_channel<long>;

// Fibers that wait at a channel, until it is closed.
class Crowd {
 public:
  explicit Crowd(long count) : group_(count) {
    for (long i = 0; i < count; ++i) {
      stacks.go([this] {
        waiting_.fetch_add(1, std::memory_order_relaxed);
        long value = 0;
        while (gate_.pop(value) == fibers::channel_op_status::success) {
        }
        group_.done();
      });
    }
    for (int i = 0; i < kYieldsToTheEnd; ++i) boost::this_fiber::yield();
    if (waiting_.load() != count) cannot_measure("not every fiber is parked");
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() {
    gate_.close();
    group_.wait();
  }

  void wake_one() { gate_.push(0); }

 private:
  Channel gate_;
  Group group_;
  std::atomic<long> waiting_{0};
};

double bytes_per_parked(long count) {
  const double before = resident_bytes();
  const Crowd crowd(count);
  return (resident_bytes() - before) / static_cast<double>(count);
}

constexpr long kTogether = 1'000'000;

double spawn_crowd(long count) {
  spawn_group(count);
  const long passes = std::max(1L, kTogether / count);
  double sum = 0;
  for (long pass = 0; pass < passes; ++pass) sum += spawn_group(count);
  return sum / static_cast<double>(passes);
}

double wake_crowd(long count) {
  Crowd crowd(count);
  const long wakes = std::max(1L, kTogether / count) * count;
  const double start = now_ns();
  for (long i = 0; i < wakes; ++i) crowd.wake_one();
  return (now_ns() - start) / static_cast<double>(wakes);
}

double ping_pong(long count) {
  Channel there;
  Channel back;
  const double start = now_ns();
  Group group(2);
  stacks.go([&] {
    long value = 0;
    while (there.pop(value) == fibers::channel_op_status::success) back.push(value + 1);
    group.done();
  });
  long last = 0;
  stacks.go([&] {
    long value = 0;
    for (long i = 0; i < count; ++i) {
      there.push(value);
      back.pop(value);
    }
    there.close();
    last = value;
    group.done();
  });
  group.wait();
  if (last != count) cannot_measure("a value was lost");
  return (now_ns() - start) / static_cast<double>(count);
}

double buffered(long count) {
  fibers::buffered_channel<long> ch(128);
  const double start = now_ns();
  Group group(2);
  stacks.go([&] {
    for (long i = 0; i < count; ++i) ch.push(i);
    ch.close();
    group.done();
  });
  long received = 0;
  stacks.go([&] {
    long value = 0;
    while (ch.pop(value) == fibers::channel_op_status::success) ++received;
    group.done();
  });
  group.wait();
  if (received != count) cannot_measure("a value was lost");
  return (now_ns() - start) / static_cast<double>(count);
}

double fan_in(long count) {
  constexpr long kAtATime = 1000;
  const double start = now_ns();
  for (long done = 0; done < count; done += kAtATime) spawn_group(kAtATime);
  return (now_ns() - start) / static_cast<double>(count);
}

double sieve(long count) {
  const double start = now_ns();
  std::vector<std::unique_ptr<Channel>> channels;
  channels.push_back(std::make_unique<Channel>());
  stacks.go([out = channels.back().get()] {
    for (long i = 2;; ++i) out->push(i);
  });
  for (long n = 0; n < count; ++n) {
    Channel* in = channels.back().get();
    long prime = 0;
    in->pop(prime);
    channels.push_back(std::make_unique<Channel>());
    stacks.go([in, out = channels.back().get(), prime] {
      for (;;) {
        long i = 0;
        in->pop(i);
        if (i % prime != 0) out->push(i);
      }
    });
  }
  const double ns = (now_ns() - start) / static_cast<double>(count);
  // The filters wait at these for ever.
  for (std::unique_ptr<Channel>& channel : channels) (void)channel.release();
  return ns;
}

// Each node's channel has room for what its children send, so that no child waits.
using Sums = fibers::buffered_channel<long>;

void skynet_node(Sums& out, long number, long leaves) {
  if (leaves == 1) {
    out.push(number);
    return;
  }
  constexpr int kChildren = 10;
  Sums in(16);
  for (int i = 0; i < kChildren; ++i) {
    const long child = number + i * (leaves / kChildren);
    stacks.go([&in, child, leaves] { skynet_node(in, child, leaves / kChildren); },
              fibers::launch::dispatch);
  }
  long sum = 0;
  for (int i = 0; i < kChildren; ++i) {
    long value = 0;
    in.pop(value);
    sum += value;
  }
  out.push(sum);
}

double skynet(long count) {
  const double start = now_ns();
  Sums out(2);
  stacks.go([&out, count] { skynet_node(out, 0, count); });
  long sum = 0;
  out.pop(sum);
  if (sum != count * (count - 1) / 2) cannot_measure("a leaf was lost");
  return (now_ns() - start) / static_cast<double>(count);
}

template <long kFibers>
double contended_mutex(long count) {
  fibers::mutex mutex;
  long value = 0;
  Group group(kFibers);
  const double start = now_ns();
  for (long i = 0; i < kFibers; ++i) {
    stacks.go([&] {
      for (long k = 0; k < count / kFibers; ++k) {
        const std::lock_guard hold(mutex);
        ++value;
      }
      group.done();
    });
  }
  group.wait();
  if (value != count / kFibers * kFibers) cannot_measure("the mutex let two in");
  return (now_ns() - start) / static_cast<double>(count);
}

double sleepers(long count) {
  const double start = now_ns();
  Group group(count);
  for (long i = 0; i < count; ++i) {
    stacks.go([&group] {
      boost::this_fiber::sleep_for(std::chrono::milliseconds(10));
      group.done();
    });
  }
  group.wait();
  return (now_ns() - start - 1e7) / static_cast<double>(count);
}

// Its stacks do not grow: this one is asked for large enough.
double first_recursion(long depth) {
  constexpr std::size_t kLarge = std::size_t{4} << 20;
  boost::this_fiber::sleep_for(std::chrono::milliseconds(kSettleMilliseconds));
  const double start = now_ns();
  fibers::fiber(std::allocator_arg, fibers::fixedsize_stack(kLarge), [&] {
    if (recursion(depth) != depth * (depth + 1) / 2) cannot_measure("the recursion went wrong");
  }).join();
  return (now_ns() - start) / 1000;
}

constexpr Known kWorkloads[] = {
    outside("switch", context_switch),
    twice("spawn", spawn_empty),
    twice("spawn-wait-group", spawn_group),
    {"spawn-one", spawn_and_wait},
    {"yield", yield_in_turns},
    {"memory", bytes_per_parked},
    with_peak("ping-pong", ping_pong),
    with_peak("buffered", buffered),
    with_peak("fan-in", fan_in),
    with_peak("sieve", sieve),
    with_peak("skynet", skynet),
    {"mutex-2", contended_mutex<2>},
    {"mutex-100", contended_mutex<100>},
    with_peak("sleepers", sleepers),
    {"recursion", first_recursion},
    {"spawn-crowd", spawn_crowd},
    {"wake-crowd", wake_crowd},
};

// Boost's locks and stealing each begin with a std::random_device on the stack, once in a thread,
// of five kilobytes. It had better not be a fiber's stack.
void have_random_numbers() {
  fibers::mutex mutex;
  const std::lock_guard hold(mutex);
  boost::this_fiber::sleep_for(std::chrono::milliseconds(1));
}

// On several processors each thread steals from the others, and sleeps while there is nothing.
template <typename F>
void on_processors(int procs, F&& measure) {
  processors = procs;
  if (procs == 1) {
    have_random_numbers();
    measure();
    return;
  }
  const auto steal = [procs] {
    constexpr bool kRests = true;
    fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(static_cast<std::uint32_t>(procs),
                                                                  kRests);
  };
  // Nobody ends them: the process does, also when a fiber is left that has no end, as a sieve's.
  static fibers::mutex mutex;
  static fibers::condition_variable end;
  for (int i = 1; i < procs; ++i) {
    std::thread([steal] {
      steal();
      have_random_numbers();
      std::unique_lock hold(mutex);
      end.wait(hold, [] { return false; });
    }).detach();
  }
  steal();
  have_random_numbers();
  measure();
}

}  // namespace

}  // namespace goro::bars

int main(int argc, char** argv) {
  using namespace goro::bars;
  peer_main(argc, argv, "Boost.Fiber " BOOST_LIB_VERSION, [](const Workload& workload) {
    return figures_of(workload, kWorkloads,
                      [](int procs, const auto& measure) { on_processors(procs, measure); });
  });
}
