// The server under load: what a request costs, how long the slowest of a hundred waits beside hogs,
// and what connections cost in threads and memory. Time is taken from clients' side.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "contracts/kv_server.h"
#include "contracts/model.h"
#include "goro/goro.h"
#include "testing/run_benchmarks.h"

namespace {

// Loops without calls: only signals stop them.
[[gnu::noinline]] void hog(const bool* stop) {
  while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
  }
}

const goro::SpawnOptions kRoomy{.stack = goro::fixed_stack(kv::kStack)};

// A server that accepts, on goroutine 1's stack. Ends without stop.
struct Running {
  Running() : server(goro::TcpListener::listen("127.0.0.1:0")) {
    serving.go(kRoomy, [this] { kv::serve(&server); });
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    server.listener.close();
    serving.wait();
    server.talking.wait();
  }
  kv::Server server;
  goro::WaitGroup serving;
};

// A socket that blocks the thread which uses it.
class PlainClient {
 public:
  explicit PlainClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) fail();
  }
  PlainClient(PlainClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  PlainClient(const PlainClient&) = delete;
  PlainClient& operator=(const PlainClient&) = delete;
  ~PlainClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  void ask(std::string_view request, std::size_t answer) const {
    send(request);
    receive(answer);
  }
  void send(std::string_view request) const {
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      fail();
    }
  }
  void receive(std::size_t answer) const {
    std::array<char, 1024> buffer;
    while (answer > 0) {
      const ssize_t n = ::recv(fd_, buffer.data(), std::min(answer, buffer.size()), 0);
      if (n <= 0) fail();
      answer -= static_cast<std::size_t>(n);
    }
  }

 private:
  [[noreturn]] static void fail() {
    std::fputs("the server ended a connection, or there are too few descriptors\n", stderr);
    std::exit(1);
  }
  int fd_;
};

// -- what a request costs: client and server on one P, which may change threads --

void ask_again_and_again(benchmark::State& state, const std::string& requests, std::size_t answers,
                         int each) {
  goro::run(
      [&] {
        const Running running;
        const goro::TcpStream client = goro::TcpStream::connect(running.server.listener.address());
        std::vector<std::byte> buffer(answers);
        for (auto _ : state) {
          client.write(std::as_bytes(std::span(requests)));
          for (std::size_t have = 0; have < answers;) {
            const std::size_t n = client.read(std::span(buffer).subspan(have));
            if (n == 0) std::exit(1);
            have += n;
          }
        }
        client.close();
      },
      {.procs = 1, .main_stack = std::size_t{8} << 20});
  state.SetItemsProcessed(state.iterations() * each);
}

void BM_OneRequestAtATime(benchmark::State& state) {
  ask_again_and_again(state, "SET fruit 5\r\napple\r\n", 4, 1);
}
BENCHMARK(BM_OneRequestAtATime)->MeasureProcessCPUTime();

void BM_PipelinedRequests(benchmark::State& state) {
  constexpr int kRequests = 128;
  std::string requests;
  std::size_t answers = 0;
  for (int i = 0; i < kRequests; i += 2) {
    requests += "SET fruit 5\r\napple\r\nGET fruit\r\n";
    answers += 4 + 16;
  }
  ask_again_and_again(state, requests, answers, kRequests);
}
BENCHMARK(BM_PipelinedRequests)->MeasureProcessCPUTime();

// -- how long it takes beside hogs --

// The slowest of a hundred requests, of four clients, beside a hog for each of two Ps.
void BM_TailBesideHogs(benchmark::State& state) {
  constexpr int kClients = 4;
  constexpr int kRequests = 100;
  using Clock = std::chrono::steady_clock;
  std::vector<double> waits;
  for (auto _ : state) {
    bool stop = false;
    goro::run(
        [&] {
          const goro::WaitGroup hogs;
          {
            const Running running;
            std::atomic<int> running_hogs{0};
            for (int i = 0; i < 2; ++i) {
              hogs.go([s = &stop, count = &running_hogs] {
                count->fetch_add(1);
                hog(s);
              });
            }
            while (running_hogs.load() < 2) goro::yield();
            std::array<std::vector<double>, kClients> each;
            std::vector<std::thread> clients;
            for (std::vector<double>& mine : each) {
              clients.emplace_back([&mine, port = running.server.listener.address().port()] {
                const PlainClient client(port);
                for (int i = 0; i < kRequests; ++i) {
                  const auto asked = Clock::now();
                  client.ask("SET fruit 5\r\napple\r\nGET fruit\r\n", 4 + 16);
                  const auto answered = Clock::now();
                  mine.push_back(
                      std::chrono::duration<double, std::milli>(answered - asked).count());
                }
              });
            }
            goro::system_call([&] {
              for (std::thread& client : clients) client.join();
            });
            for (const std::vector<double>& mine : each) {
              waits.insert(waits.end(), mine.begin(), mine.end());
            }
          }
          __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
          hogs.wait();
        },
        {.procs = 2});
  }
  std::sort(waits.begin(), waits.end());
  state.counters["p99_ms"] = waits[waits.size() * 99 / 100];
  state.counters["p50_ms"] = waits[waits.size() / 2];
}
BENCHMARK(BM_TailBesideHogs)->Iterations(1)->UseRealTime();

// -- threads and memory --

constexpr int kCrowd = 400;

void BM_ThreadsOfACrowd(benchmark::State& state) {
  for (auto _ : state) {
    goro::run(
        [&] {
          const Running running;
          std::vector<PlainClient> clients;
          for (int i = 0; i < kCrowd; ++i)
            clients.emplace_back(running.server.listener.address().port());
          for (int round = 0; round < 5; ++round) {
            for (const PlainClient& client : clients) client.send("PING\r\n");
            goro::system_call([&] {
              for (const PlainClient& client : clients) client.receive(6);
            });
          }
          state.counters["threads"] = goro::on_system_stack([] {
            goro::sched.lock.lock();
            const auto count = static_cast<double>(goro::sched.mcount);
            goro::sched.lock.unlock();
            return count;
          });
        },
        {.procs = 2});
  }
}
BENCHMARK(BM_ThreadsOfACrowd)->Iterations(1)->UseRealTime();

double resident_bytes() {
  double pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re"); file != nullptr) {
    if (std::fscanf(file, "%*f %lf", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// What a connection holds that has stored a large value, and says nothing now.
double bytes_of_a_connection() {
  double each = 0;
  goro::run(
      [&] {
        const Running running;
        const std::uint16_t port = running.server.listener.address().port();
        const std::string request = "SET v 65536\r\n" + std::string(65536, 'v') + "\r\n";
        std::vector<PlainClient> clients;
        clients.reserve(kCrowd);
        goro::system_call([&] { PlainClient(port).ask(request, 4); });
        const double before = resident_bytes();
        for (int i = 0; i < kCrowd; ++i) {
          clients.emplace_back(port);
          goro::system_call([&] { clients.back().ask(request, 4); });
        }
        each = (resident_bytes() - before) / kCrowd;
      },
      {.procs = 2});
  return each;
}

// In a child: memory that was touched before would not count.
void BM_MemoryOfAConnection(benchmark::State& state) {
  for (auto _ : state) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return state.SkipWithError("no pipe");
    const pid_t child = fork();
    if (child == 0) {
      const double each = bytes_of_a_connection();
      _exit(write(ends[1], &each, sizeof(each)) == sizeof(each) ? 0 : 1);
    }
    close(ends[1]);
    double each = 0;
    const bool complete = read(ends[0], &each, sizeof(each)) == sizeof(each);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (!complete) {
      // A starter's own words and status are for whoever started this program.
      if (WIFEXITED(status)) std::_Exit(WEXITSTATUS(status));
      return state.SkipWithError("the child process measured nothing");
    }
    state.counters["bytes"] = each;
  }
}
BENCHMARK(BM_MemoryOfAConnection)->Iterations(1)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  goro::testing::run_benchmarks();
  benchmark::Shutdown();
  return 0;
}
