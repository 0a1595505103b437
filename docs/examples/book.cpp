// Small experiments of the chapters in docs/chapters/ and of docs/what-people-say.md.
//
//   docs_book NAME    runs one; without a name, lists them
//
// What each prints is the same on every machine, but for the counts; CMakeLists.txt says what must
// be in it.
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "goro/goro.h"

namespace {

using namespace std::chrono_literals;

void print(const char* what, const std::vector<int>& numbers) {
  std::printf("%s", what);
  for (const int number : numbers) std::printf(" %d", number);
  std::puts("");
}

// The threads of this process, the runtime's idle ones and sysmon included.
int threads() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    if (!entry.path().empty()) ++count;
  }
  return count;
}

// [let_others_run]
// Twice: a yield goes to the tail of the GRQ, and on every 61st tick the GRQ comes first.
void let_others_run() {
  goro::yield();
  goro::yield();
}
// [/let_others_run]

void spawn_order() {
  // [spawn_order]
  std::vector<int> order;
  const goro::WaitGroup group;
  for (int i = 0; i < 8; ++i) {
    group.go([&order, i] { order.push_back(i); });
  }
  group.wait();
  // [/spawn_order]
  print("ran:", order);
}

void woken_order() {
  std::vector<int> order;
  // [woken_order]
  const goro::Channel<int> numbers;
  const goro::WaitGroup group;
  group.go([numbers, &order] {
    numbers.receive();
    order.push_back(0);
  });
  let_others_run();  // goroutine 0 waits for a number
  for (int i = 1; i <= 3; ++i) {
    group.go([&order, i] { order.push_back(i); });
  }
  numbers.send(7);  // wakes goroutine 0, which comes last
  group.wait();
  // [/woken_order]
  print("ran:", order);
}

void close_order() {
  std::vector<int> order;
  // [close_order]
  const goro::Channel<int> never;
  const goro::WaitGroup group;
  for (int i = 1; i <= 6; ++i) {
    group.go([never, &order, i] {
      never.receive();
      order.push_back(i);
    });
    let_others_run();  // they begin to wait one after the other
  }
  never.close();
  group.wait();
  // [/close_order]
  print("ran:", order);
}

void blocking() {
  // [blocking]
  const goro::WaitGroup group;
  const goro::Channel<int> gate;
  for (int i = 0; i < 50; ++i) {
    group.go([gate] { gate.receive(); });
  }
  let_others_run();
  std::printf("50 goroutines wait at a channel: %d threads\n", threads());
  gate.close();
  group.wait();

  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) std::perror("pipe2");
  std::atomic<int> inside{0};
  for (int i = 0; i < 50; ++i) {
    group.go([&inside, end = pipe[0]] {
      goro::system_call([&inside, end] {
        ++inside;
        char byte = 0;
        return ::read(end, &byte, 1);  // until the other end is closed
      });
    });
  }
  while (inside.load() < 50) goro::sleep(1ms);
  std::printf("50 goroutines wait in read(): %d threads\n", threads());
  ::close(pipe[1]);
  group.wait();
  // [/blocking]
  ::close(pipe[0]);
}

void connections() {
  // [connections]
  const goro::TcpListener listener = goro::TcpListener::listen("127.0.0.1:0");
  const goro::WaitGroup group;
  std::vector<goro::TcpStream> clients;
  for (int i = 0; i < 400; ++i) {
    clients.push_back(goro::TcpStream::connect(listener.address()));
    group.go([server = listener.accept()] {
      std::array<std::byte, 1> byte{};
      server.read(byte);  // until the client closes
    });
  }
  let_others_run();
  std::printf("400 goroutines wait for a connection: %d threads\n", threads());
  for (const goro::TcpStream& client : clients) client.close();
  group.wait();
  // [/connections]
}

void short_calls() {
  // [short_calls]
  constexpr int kCalls = 1'000'000;
  const auto time = [](auto call) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) call();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    return took.count() / kCalls;
  };
  const double bare = time([] { ::getppid(); });
  const double ours = time([] { goro::system_call([] { ::getppid(); }); });
  std::printf("getppid: %.0f ns; in a system_call: %.0f ns\n", bare, ours);
  // [/short_calls]
}

void files() {
  // [files]
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  const int file = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) std::perror("pipe2");
  const auto add = [&](int fd) {
    return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? "yes" : std::strerror(errno);
  };
  std::printf("epoll takes a pipe: %s\n", add(pipe[0]));
  std::printf("epoll takes a file: %s\n", add(file));
  // [/files]
  for (const int fd : {epoll, file, pipe[0], pipe[1]}) ::close(fd);
}

void fair_select() {
  // [fair_select]
  const goro::Channel<int> a(1);
  const goro::Channel<int> b(1);
  int from_a = 0;
  for (int i = 0; i < 100'000; ++i) {
    a.try_send(i);
    b.try_send(i);
    goro::select(goro::on_receive(a, [&](std::optional<int>) { ++from_a; }),
                 goro::on_receive(b, [](std::optional<int>) {}));
  }
  std::printf("both were always ready; a was taken in %d %% of the selects\n",
              (from_a + 500) / 1000);
  // [/fair_select]
}

void loop() {
  // [loop]
  std::atomic<bool> begun{false};
  std::atomic<bool> stop{false};
  const goro::WaitGroup group;
  group.go([&begun, &stop] {
    begun.store(true);
    while (!stop.load(std::memory_order_relaxed)) {  // calls nothing, and has the only P
    }
  });
  while (!begun.load()) goro::yield();
  std::puts("goroutine 1 runs again");
  stop.store(true, std::memory_order_relaxed);
  group.wait();
  // [/loop]
}

void clock_loop() {
  // [clock_loop]
  std::atomic<bool> begun{false};
  std::atomic<bool> stop{false};
  const goro::WaitGroup group;
  const auto begin = std::chrono::steady_clock::now();
  group.go([&begun, &stop] {
    begun.store(true);
    while (!stop.load(std::memory_order_relaxed)) {
      (void)std::chrono::steady_clock::now();  // nearly all of the time it is in a library
    }
  });
  while (!begun.load()) goro::yield();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::printf("goroutine 1 runs again after %.0f ms\n", took.count());
  stop.store(true, std::memory_order_relaxed);
  group.wait();
  // [/clock_loop]
}

void parallel() {
  // [parallel]
  std::atomic<int> here{0};
  const auto meet = [&here] {
    here.fetch_add(1);
    while (here.load() < 2) {  // without giving way: only real parallelism ends this
    }
  };
  const goro::WaitGroup group;
  group.go(meet);
  group.go(meet);
  group.wait();
  std::puts("two goroutines ran at the same time");
  // [/parallel]
}

// Some tens of microseconds, without a call.
void compute() {
  std::atomic<int> sum{0};
  for (int i = 0; i < 50'000; ++i) sum.store(i, std::memory_order_relaxed);
}

void hog() {
  // [hog]
  goro::Mutex mutex;
  bool served = false;  // under the mutex
  std::atomic<bool> begun{false};
  int turns = 0;
  const goro::WaitGroup group;
  group.go([&] {  // locks the mutex again as soon as it has unlocked it
    for (bool enough = false; !enough;) {
      const std::lock_guard<goro::Mutex> guard(mutex);
      begun.store(true);
      compute();
      ++turns;
      enough = served;
    }
  });
  while (!begun.load()) goro::yield();
  mutex.lock();
  served = true;
  const int waited = turns;
  mutex.unlock();
  std::printf("the hog had the mutex %d times before the other one had it once\n", waited);
  group.wait();
  // [/hog]
}

void sleepers() {
  // [sleepers]
  const goro::WaitGroup group;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) {
    group.go([] { goro::sleep(100ms); });
  }
  const int at_work = threads();
  group.wait();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::printf("10000 sleeps of 100 ms: %.0f ms, %d threads\n", took.count(), at_work);
  // [/sleepers]
}

void stop_timer() {
  // [stop_timer]
  const goro::Timer timer(1ms);
  goro::sleep(20ms);  // it is due long since
  std::printf("in the channel: %zu\n", timer.channel().size());
  const bool stopped = timer.stop();  // and nobody has received
  std::optional<goro::time_point> late;
  const bool received = timer.channel().try_receive(late);
  std::printf("stopped: %s, received: %s\n", stopped ? "yes" : "no", received ? "yes" : "no");
  // [/stop_timer]
}

struct Experiment {
  const char* name;
  void (*run)();
  int procs;
};

constexpr Experiment kExperiments[] = {
    {"spawn-order", spawn_order, 1},
    {"woken-order", woken_order, 1},
    {"close-order", close_order, 1},
    {"blocking", blocking, 2},
    {"connections", connections, 2},
    {"short-calls", short_calls, 1},
    {"files", files, 1},
    {"fair-select", fair_select, 1},
    {"loop", loop, 1},
    {"clock-loop", clock_loop, 1},
    {"parallel", parallel, 2},
    {"hog", hog, 2},
    {"sleepers", sleepers, 2},
    {"stop-timer", stop_timer, 1},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Experiment& experiment : kExperiments) {
    if (argc == 2 && std::strcmp(argv[1], experiment.name) == 0) {
      goro::run(experiment.run, {.procs = experiment.procs});
      return 0;
    }
    if (argc == 1) std::puts(experiment.name);
  }
  return argc == 1 ? 0 : 1;
}
