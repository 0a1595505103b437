// goro's program. Each workload has its twins in go/bars.go, boost_fiber.cpp and threads.cpp; what
// one does, the others do.
#include "bench/workloads.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

#include "bench/clock.h"
#include "bench/recursion.h"
#include "bench/switches.h"
#include "goro/goro.h"

namespace goro::bars {

namespace {

// Waiting for the end of goroutines that tell nobody: whoever yields goes behind all that are
// runnable now. Another P may still hold a few hundred then, so yield again; of a million they are
// nothing.
constexpr int kYieldsToTheEnd = 4;

double spawn_empty(long count) {
  const double start = now_ns();
  for (long i = 0; i < count; ++i) go([] {});
  for (int i = 0; i < kYieldsToTheEnd; ++i) yield();
  return (now_ns() - start) / static_cast<double>(count);
}

double spawn_wait_group(long count) {
  const double start = now_ns();
  const WaitGroup group;
  for (long i = 0; i < count; ++i) group.go([] {});
  group.wait();
  return (now_ns() - start) / static_cast<double>(count);
}

double spawn_and_wait(long count) {
  const double start = now_ns();
  for (long i = 0; i < count; ++i) {
    const WaitGroup group;
    group.go([] {});
    group.wait();
  }
  return (now_ns() - start) / static_cast<double>(count);
}

double yield_in_turns(long count) {
  constexpr int kGoroutines = 2;
  const long yields = count / kGoroutines;
  const double start = now_ns();
  const WaitGroup group;
  for (int i = 0; i < kGoroutines; ++i) {
    group.go([yields] {
      for (long n = 0; n < yields; ++n) yield();
    });
  }
  group.wait();
  return (now_ns() - start) / static_cast<double>(yields * kGoroutines);
}

double bytes_per_parked(long count) {
  const double before = resident_bytes();
  const Channel<int> gate;
  const WaitGroup group;
  for (long i = 0; i < count; ++i) group.go([gate] { gate.receive(); });
  for (int i = 0; i < kYieldsToTheEnd; ++i) yield();
  const double after = resident_bytes();
  if (num_goroutine() != static_cast<std::size_t>(count) + 1) {
    cannot_measure("not every goroutine is parked");
  }
  gate.close();
  group.wait();
  return (after - before) / static_cast<double>(count);
}

// Two goroutines hand a value to and fro; one of `count` is a round trip.
double ping_pong(long count) {
  const Channel<int> there;
  const Channel<int> back;
  const double start = now_ns();
  go([there, back] {
    while (const auto v = there.receive()) back.send(*v + 1);
  });
  const Channel<int> done;
  go([there, back, done, count] {
    int value = 0;
    for (long i = 0; i < count; ++i) {
      there.send(value);
      value = *back.receive();
    }
    there.close();
    done.send(value);
  });
  if (*done.receive() != static_cast<int>(count)) std::exit(3);
  return (now_ns() - start) / static_cast<double>(count);
}

// One goroutine sends, one receives, through a buffer of 128.
double buffered(long count) {
  const Channel<int> ch(128);
  const double start = now_ns();
  go([ch, count] {
    for (long i = 0; i < count; ++i) ch.send(static_cast<int>(i));
    ch.close();
  });
  const Channel<long> done;
  go([ch, done] {
    long received = 0;
    while (ch.receive()) ++received;
    done.send(received);
  });
  if (*done.receive() != count) std::exit(3);
  return (now_ns() - start) / static_cast<double>(count);
}

// Two senders, and one who selects from both.
double select_of_two(long count) {
  const Channel<int> a;
  const Channel<int> b;
  const double start = now_ns();
  for (const Channel<int>& ch : {a, b}) {
    go([ch, n = count / 2] {
      for (long i = 0; i < n; ++i) ch.send(static_cast<int>(i));
    });
  }
  const Channel<long> done;
  go([a, b, done, n = count / 2 * 2] {
    long sum = 0;
    for (long i = 0; i < n; ++i) {
      select(on_receive(a, [&](std::optional<int> v) { sum += *v; }),
             on_receive(b, [&](std::optional<int> v) { sum += *v; }));
    }
    done.send(sum);
  });
  done.receive();
  return (now_ns() - start) / static_cast<double>(count);
}

// A thousand goroutines at a time count one group down.
double fan_in(long count) {
  constexpr long kAtATime = 1000;
  const double start = now_ns();
  for (long done = 0; done < count; done += kAtATime) {
    const WaitGroup group;
    for (long i = 0; i < kAtATime; ++i) group.go([] {});
    group.wait();
  }
  return (now_ns() - start) / static_cast<double>(count);
}

// A chain of filters; one of `count` is a prime.
double sieve(long count) {
  const double start = now_ns();
  Channel<int> from;
  go([from] {
    for (int i = 2;; ++i) from.send(i);
  });
  for (long n = 0; n < count; ++n) {
    const int prime = *from.receive();
    const Channel<int> next;
    go([from, next, prime] {
      for (;;) {
        const int i = *from.receive();
        if (i % prime != 0) next.send(i);
      }
    });
    from = next;
  }
  return (now_ns() - start) / static_cast<double>(count);
}

// A tree of goroutines with ten children each; leaves send their number, and nodes the sum.
void skynet_node(const Channel<long>& out, long number, long leaves) {
  if (leaves == 1) return out.send(number);
  constexpr int kChildren = 10;
  const Channel<long> in;
  for (int i = 0; i < kChildren; ++i) {
    const long child = number + i * (leaves / kChildren);
    go([in, child, leaves] { skynet_node(in, child, leaves / kChildren); });
  }
  long sum = 0;
  for (int i = 0; i < kChildren; ++i) sum += *in.receive();
  out.send(sum);
}

double skynet(long count) {
  const double start = now_ns();
  const Channel<long> out;
  go([out, count] { skynet_node(out, 0, count); });
  if (*out.receive() != count * (count - 1) / 2) std::exit(3);
  return (now_ns() - start) / static_cast<double>(count);
}

// Goroutines that want one mutex.
template <long kGoroutines>
double contended_mutex(long count) {
  struct Shared {
    Mutex mutex;
    long value = 0;
  };
  const auto shared = std::make_unique<Shared>();
  const double start = now_ns();
  const WaitGroup group;
  for (long i = 0; i < kGoroutines; ++i) {
    group.go([s = shared.get(), n = count / kGoroutines] {
      for (long k = 0; k < n; ++k) {
        s->mutex.lock();
        ++s->value;
        s->mutex.unlock();
      }
    });
  }
  group.wait();
  if (shared->value != count / kGoroutines * kGoroutines) std::exit(3);
  return (now_ns() - start) / static_cast<double>(count);
}

// Timers that are all set before the first fires, each for 10 ms; less the 10 ms.
double timers(long count) {
  const WaitGroup group;
  group.add(static_cast<int>(count));
  const double start = now_ns();
  for (long i = 0; i < count; ++i) {
    after_func(std::chrono::milliseconds(10), [group] { group.done(); });
  }
  group.wait();
  return (now_ns() - start - 1e7) / static_cast<double>(count);
}

// Goroutines that sleep for 10 ms; less the 10 ms.
double sleepers(long count) {
  const double start = now_ns();
  const WaitGroup group;
  for (long i = 0; i < count; ++i) {
    group.go([] { sleep(std::chrono::milliseconds(10)); });
  }
  group.wait();
  return (now_ns() - start - 1e7) / static_cast<double>(count);
}

// An echo server and its clients on the loopback, all of them goroutines of this process; each
// client waits for its answer before it sends again. One round trip of 128 bytes.
double echo(long count, int connections) {
  constexpr std::size_t kMessage = 128;
  constexpr std::size_t kStack = std::size_t{64} << 10;
  const TcpListener listener = TcpListener::listen("127.0.0.1:0");
  go([listener] {
    for (;;) {
      go({.stack = fixed_stack(kStack)}, [stream = listener.accept()] {
        std::array<std::byte, 4096> buffer;
        while (const std::size_t n = stream.read(buffer)) stream.write(std::span(buffer).first(n));
      });
    }
  });
  const long each = count / connections;
  const Channel<int> begin;
  const WaitGroup connected;
  const WaitGroup done;
  connected.add(connections);
  for (int i = 0; i < connections; ++i) {
    done.go({.stack = fixed_stack(kStack)}, [=] {
      const TcpStream stream = TcpStream::connect(listener.address());
      connected.done();
      begin.receive();
      std::array<std::byte, kMessage> message{};
      for (long n = 0; n < each; ++n) {
        stream.write(message);
        for (std::size_t got = 0; got < kMessage;) {
          const std::size_t more = stream.read(std::span(message).subspan(got));
          if (more == 0) std::exit(3);
          got += more;
        }
      }
    });
  }
  connected.wait();
  const double start = now_ns();
  begin.close();
  done.wait();
  return (now_ns() - start) / static_cast<double>(each * connections);
}

double echo_of_64(long count) {
  return echo(count, 64);
}

double echo_of_1000(long count) {
  return echo(count, 1000);
}

double nanoseconds_of_recursion(long depth) {
  const double start = now_ns();
  if (recursion(depth) != depth * (depth + 1) / 2) cannot_measure("the recursion went wrong");
  return now_ns() - start;
}

// All of it, in microseconds: on the stack that a new goroutine has, which has to become large.
double first_recursion(long depth) {
  sleep(std::chrono::milliseconds(kSettleMilliseconds));
  const Channel<double> result;
  go([result, depth] { result.send(nanoseconds_of_recursion(depth) / 1000); });
  return *result.receive();
}

// A thousand goroutines that block in the kernel for a millisecond, `calls` times each.
double blocking_calls(long calls) {
  constexpr long kGoroutines = 1000;
  const double start = now_ns();
  const WaitGroup group;
  for (long i = 0; i < kGoroutines; ++i) {
    group.go([calls] {
      for (long k = 0; k < calls; ++k) system_call([] { usleep(1000); });
    });
  }
  group.wait();
  return (now_ns() - start) / static_cast<double>(calls * kGoroutines);
}

// -- cost against size: per goroutine, of crowds of `count` --

// Passes over a crowd, so that small ones are measured for as long as large ones.
long passes_of(long count) {
  constexpr long kTogether = 1'000'000;
  return std::max(1L, kTogether / count);
}

double spawn_crowd(long count) {
  spawn_wait_group(count);  // memory that this process has never touched is another row's
  const long passes = passes_of(count);
  double sum = 0;
  for (long pass = 0; pass < passes; ++pass) sum += spawn_wait_group(count);
  return sum / static_cast<double>(passes);
}

// Goroutines that wait at one channel; each is woken in its turn, and waits again.
double wake_crowd(long count) {
  const Channel<int> gate;
  const WaitGroup group;
  for (long i = 0; i < count; ++i) {
    group.go([gate] {
      while (gate.receive()) {
      }
    });
  }
  for (int i = 0; i < kYieldsToTheEnd; ++i) yield();
  const long wakes = passes_of(count) * count;
  const double start = now_ns();
  for (long i = 0; i < wakes; ++i) gate.send(0);
  const double ns = now_ns() - start;
  gate.close();
  group.wait();
  return ns / static_cast<double>(wakes);
}

double goroutine_switch(long count) {
  return fastest_slice(goroutine_switch_ns, count);
}

constexpr Known kWorkloads[] = {
    outside("switch", goroutine_switch),
    twice("spawn", spawn_empty),
    twice("spawn-wait-group", spawn_wait_group),
    {"spawn-one", spawn_and_wait},
    {"yield", yield_in_turns},
    {"memory", bytes_per_parked},
    with_peak("ping-pong", ping_pong),
    with_peak("buffered", buffered),
    with_peak("select", select_of_two),
    with_peak("fan-in", fan_in),
    with_peak("sieve", sieve),
    with_peak("skynet", skynet),
    {"mutex-2", contended_mutex<2>},
    {"mutex-100", contended_mutex<100>},
    with_peak("timers", timers),
    with_peak("sleepers", sleepers),
    {"recursion", first_recursion},
    {"syscalls", blocking_calls},
    with_peak("echo-64", echo_of_64),
    with_peak("echo-1000", echo_of_1000),
    {"spawn-crowd", spawn_crowd},
    {"wake-crowd", wake_crowd},
};

}  // namespace

std::vector<double> run_workload(const Workload& workload) {
  return figures_of(workload, kWorkloads,
                    [](int procs, const auto& measure) { run(measure, {.procs = procs}); });
}

}  // namespace goro::bars
