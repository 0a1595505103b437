// The workloads with a thread of the operating system in each goroutine's place.
#include <gnu/libc-version.h>
#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "bench/clock.h"
#include "bench/loopback.h"
#include "bench/peer.h"
#include "bench/recursion.h"

namespace goro::bars {

namespace {

void join(std::vector<std::thread>& threads) {
  for (std::thread& thread : threads) thread.join();
  threads.clear();
}

double spawn(long count) {
  constexpr long kAtATime = 1000;
  std::vector<std::thread> threads;
  const double start = now_ns();
  for (long done = 0; done < count; done += kAtATime) {
    for (long i = 0; i < std::min(kAtATime, count - done); ++i) threads.emplace_back([] {});
    join(threads);
  }
  return (now_ns() - start) / static_cast<double>(count);
}

double spawn_and_wait(long count) {
  const double start = now_ns();
  for (long i = 0; i < count; ++i) std::thread([] {}).join();
  return (now_ns() - start) / static_cast<double>(count);
}

double yield_in_turns(long count) {
  std::vector<std::thread> threads;
  const double start = now_ns();
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([count] {
      for (long n = 0; n < count / 2; ++n) sched_yield();
    });
  }
  join(threads);
  return (now_ns() - start) / static_cast<double>(count);
}

// A word that one thread waits for and another sets.
class Baton {
 public:
  void pass() {
    word_.store(1, std::memory_order_release);
    futex(FUTEX_WAKE_PRIVATE, 1);
  }
  void wait() {
    while (word_.exchange(0, std::memory_order_acquire) == 0) futex(FUTEX_WAIT_PRIVATE, 0);
  }

 private:
  void futex(int operation, int value) {
    syscall(SYS_futex, &word_, operation, value, nullptr, nullptr, 0);
  }

  std::atomic<int> word_{0};
};

double ping_pong(long count) {
  Baton there;
  Baton back;
  long value = 0;
  const double start = now_ns();
  std::thread pong([&] {
    for (long i = 0; i < count; ++i) {
      there.wait();
      ++value;
      back.pass();
    }
  });
  for (long i = 0; i < count; ++i) {
    there.pass();
    back.wait();
  }
  pong.join();
  if (value != count) cannot_measure("a value was lost");
  return (now_ns() - start) / static_cast<double>(count);
}

double buffered(long count) {
  constexpr long kRoom = 128;
  std::mutex mutex;
  std::condition_variable not_full;
  std::condition_variable not_empty;
  std::array<int, kRoom> ring{};
  long sent = 0;
  long received = 0;
  const double start = now_ns();
  std::thread sender([&] {
    for (long i = 0; i < count; ++i) {
      std::unique_lock hold(mutex);
      not_full.wait(hold, [&] { return sent - received < kRoom; });
      ring[static_cast<std::size_t>(sent % kRoom)] = static_cast<int>(i);
      if (++sent - received == 1) not_empty.notify_one();
    }
  });
  for (long i = 0; i < count; ++i) {
    std::unique_lock hold(mutex);
    not_empty.wait(hold, [&] { return sent != received; });
    if (ring[static_cast<std::size_t>(received % kRoom)] != i) cannot_measure("a value was lost");
    if (sent - received++ == kRoom) not_full.notify_one();
  }
  sender.join();
  return (now_ns() - start) / static_cast<double>(count);
}

template <long kThreads>
double contended_mutex(long count) {
  std::mutex mutex;
  long value = 0;
  std::vector<std::thread> threads;
  const double start = now_ns();
  for (long i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (long k = 0; k < count / kThreads; ++k) {
        const std::lock_guard hold(mutex);
        ++value;
      }
    });
  }
  join(threads);
  if (value != count / kThreads * kThreads) cannot_measure("the mutex let two in");
  return (now_ns() - start) / static_cast<double>(count);
}

// Threads that wait at a semaphore until the end.
class Crowd {
 public:
  explicit Crowd(long count) {
    sem_init(&gate_, 0, 0);
    for (long i = 0; i < count; ++i) {
      threads_.emplace_back([this] {
        waiting_.fetch_add(1);
        for (;;) {
          sem_wait(&gate_);
          if (ended_.load()) return;
          woken_.fetch_add(1);
        }
      });
    }
    while (waiting_.load() != count) sched_yield();
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() {
    ended_.store(true);
    for (std::size_t i = 0; i < threads_.size(); ++i) sem_post(&gate_);
    join(threads_);
  }

  // Until so many have been woken.
  void wake(long count) {
    const long before = woken_.load();
    for (long i = 0; i < count; ++i) sem_post(&gate_);
    while (woken_.load() != before + count) sched_yield();
  }

 private:
  sem_t gate_;
  std::atomic<long> waiting_{0};
  std::atomic<long> woken_{0};
  std::atomic<bool> ended_{false};
  std::vector<std::thread> threads_;
};

double bytes_per_parked(long count) {
  const double before = resident_bytes();
  const Crowd crowd(count);
  return (resident_bytes() - before) / static_cast<double>(count);
}

double wake_crowd(long count) {
  constexpr long kPasses = 10;
  Crowd crowd(count);
  const double start = now_ns();
  for (long i = 0; i < kPasses; ++i) crowd.wake(count);
  return (now_ns() - start) / static_cast<double>(count * kPasses);
}

// All of them exist at the same time.
double spawn_crowd(long count) {
  const double start = now_ns();
  { const Crowd crowd(count); }
  return (now_ns() - start) / static_cast<double>(count);
}

double sleepers(long count) {
  std::vector<std::thread> threads;
  const double start = now_ns();
  for (long i = 0; i < count; ++i) {
    threads.emplace_back([] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); });
  }
  join(threads);
  return (now_ns() - start - 1e7) / static_cast<double>(count);
}

// A thread's stack is large from the beginning; its memory comes when it is touched.
double first_recursion(long depth) {
  double us = 0;
  std::this_thread::sleep_for(std::chrono::milliseconds(kSettleMilliseconds));
  std::thread([&] {
    const double start = now_ns();
    if (recursion(depth) != depth * (depth + 1) / 2) cannot_measure("the recursion went wrong");
    us = (now_ns() - start) / 1000;
  }).join();
  return us;
}

double blocking_calls(long calls) {
  constexpr long kThreads = 1000;
  std::vector<std::thread> threads;
  const double start = now_ns();
  for (long i = 0; i < kThreads; ++i) {
    threads.emplace_back([calls] {
      for (long k = 0; k < calls; ++k) usleep(1000);
    });
  }
  join(threads);
  return (now_ns() - start) / static_cast<double>(calls * kThreads);
}

// A thread at each end of each connection.
double echo(long count, long connections) {
  Loopback loopback;
  std::vector<std::thread> threads;
  std::vector<int> clients;
  for (long i = 0; i < connections; ++i) {
    const auto [client, its_server] = loopback.connection();
    clients.push_back(client);
    threads.emplace_back([server = its_server] {
      std::array<char, 4096> buffer;
      for (ssize_t n = 0; (n = read(server, buffer.data(), buffer.size())) > 0;) {
        expect(write(server, buffer.data(), static_cast<std::size_t>(n)) == n, "write");
      }
      close(server);
    });
  }
  const long each = count / connections;
  const double start = now_ns();
  std::vector<std::thread> callers;
  for (const int client : clients) {
    callers.emplace_back([client, each] {
      std::array<char, kMessage> message{};
      for (long n = 0; n < each; ++n) {
        expect(write(client, message.data(), kMessage) == kMessage, "write");
        for (std::size_t got = 0; got < kMessage;) {
          const ssize_t more = read(client, &message[got], kMessage - got);
          expect(more > 0, "read");
          got += static_cast<std::size_t>(more);
        }
      }
      close(client);
    });
  }
  join(callers);
  const double ns = (now_ns() - start) / static_cast<double>(each * connections);
  join(threads);
  return ns;
}

double echo_of_64(long count) {
  return echo(count, 64);
}

double echo_of_1000(long count) {
  return echo(count, 1000);
}

constexpr Known kWorkloads[] = {
    twice("spawn", spawn),
    {"spawn-one", spawn_and_wait},
    {"yield", yield_in_turns},
    {"memory", bytes_per_parked},
    with_peak("ping-pong", ping_pong),
    with_peak("buffered", buffered),
    {"mutex-2", contended_mutex<2>},
    {"mutex-100", contended_mutex<100>},
    with_peak("sleepers", sleepers),
    {"recursion", first_recursion},
    {"syscalls", blocking_calls},
    with_peak("echo-64", echo_of_64),
    with_peak("echo-1000", echo_of_1000),
    {"spawn-crowd", spawn_crowd},
    {"wake-crowd", wake_crowd},
};

// One P is one processor; all of them are what this process has.
void on_processors(int procs) {
  if (procs != 1) return;
  cpu_set_t mine;
  CPU_ZERO(&mine);
  const int here = sched_getcpu();
  CPU_SET(here < 0 ? 0 : here, &mine);
  sched_setaffinity(0, sizeof mine, &mine);
}

}  // namespace

}  // namespace goro::bars

int main(int argc, char** argv) {
  using namespace goro::bars;
  const std::string version = std::string("glibc ") + gnu_get_libc_version();
  peer_main(argc, argv, version.c_str(), [](const Workload& workload) {
    try {
      return figures_of(workload, kWorkloads, [](int procs, const auto& measure) {
        on_processors(procs);
        measure();
      });
    } catch (const std::system_error& error) {
      cannot_measure((std::string("cannot start so many threads: ") + error.what()).c_str());
    }
  });
}
