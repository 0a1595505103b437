// What is near the limit of the machine: switches by bare assembly between stacks that nobody
// schedules, and epoll without anybody who waits for it.
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "bench/bare_switch.h"
#include "bench/clock.h"
#include "bench/loopback.h"
#include "bench/peer.h"
#include "bench/recursion.h"

namespace goro::bars {

namespace {

constexpr std::size_t kStackBytes = std::size_t{64} << 10;
struct alignas(kBareAlign) StackRoom {
  std::array<std::byte, kStackBytes> bytes;
};
std::array<StackRoom, 2> rooms;

BareContext starter;
std::array<BareContext, 2> contexts;

void switch_to(BareContext* from, const BareContext* to) {
  goro_bare_switch(&from->sp, to->sp);
}

// Two contexts from their beginnings, until one switches to the starter.
void run_two(void (*first)(), void (*second)()) {
  for (std::size_t i = 0; i < 2; ++i) {
    const auto lo = reinterpret_cast<std::uintptr_t>(rooms[i].bytes.data());
    contexts[i].partner = &contexts[1 - i];
    prepare(&contexts[i], lo + kStackBytes, i == 0 ? first : second);
  }
  switch_to(&starter, contexts.data());
}

// -- switch: both count down the same number, so that either may be the one that ends --

long switches_left = 0;

template <std::size_t kWhich>
void switch_loop() {
  BareContext* self = &contexts[kWhich];
  while (switches_left-- > 0) goro_bare_switch(&self->sp, self->partner->sp);
  switch_to(self, &starter);
}

double bare_switch_ns(long count) {
  switches_left = count;
  const double start = now_ns();
  run_two(switch_loop<0>, switch_loop<1>);
  return (now_ns() - start) / static_cast<double>(count);
}

double bare_switch(long count) {
  return fastest_slice(bare_switch_ns, count);
}

// -- yield: to the tail of a queue, and on with its head --

struct Queue {
  std::array<BareContext*, 4> ring{};
  std::size_t head = 0;
  std::size_t tail = 0;

  void put(BareContext* context) { ring[tail++ % ring.size()] = context; }
  BareContext* get() { return ring[head++ % ring.size()]; }
} queue;

template <std::size_t kWhich>
void yield_loop() {
  BareContext* self = &contexts[kWhich];
  while (switches_left-- > 0) {
    queue.put(self);
    switch_to(self, queue.get());
  }
  switch_to(self, &starter);
}

double yield_in_turns(long count) {
  queue = {};
  queue.put(&contexts[1]);
  switches_left = count;
  const double start = now_ns();
  run_two(yield_loop<0>, yield_loop<1>);
  return (now_ns() - start) / static_cast<double>(count);
}

// -- ping-pong: a value in a variable, and a switch --

long mailbox = 0;
long round_trips = 0;

void ping() {
  long value = 0;
  for (long i = 0; i < round_trips; ++i) {
    mailbox = value;
    switch_to(contexts.data(), &contexts[1]);
    value = mailbox;
  }
  mailbox = value;
  switch_to(contexts.data(), &starter);
}

void pong() {
  for (;;) {
    ++mailbox;
    switch_to(&contexts[1], contexts.data());
  }
}

double ping_pong(long count) {
  round_trips = count;
  const double start = now_ns();
  run_two(ping, pong);
  if (mailbox != count) cannot_measure("a value was lost");
  return (now_ns() - start) / static_cast<double>(count);
}

// -- recursion: on memory that is large enough, and that nobody has touched --

long recursion_depth = 0;

void recurse() {
  mailbox = recursion(recursion_depth);
  switch_to(contexts.data(), &starter);
}

double first_recursion(long depth) {
  constexpr std::size_t kLarge = std::size_t{4} << 20;
  recursion_depth = depth;
  usleep(kSettleMilliseconds * 1000);
  const double start = now_ns();
  void* stack = mmap(nullptr, kLarge, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED) cannot_measure("no memory for a stack");
  prepare(contexts.data(), reinterpret_cast<std::uintptr_t>(stack) + kLarge, recurse);
  switch_to(&starter, contexts.data());
  const double us = (now_ns() - start) / 1000;
  if (mailbox != depth * (depth + 1) / 2) cannot_measure("the recursion went wrong");
  munmap(stack, kLarge);
  return us;
}

// -- echo: epoll, level-triggered, and sockets that are only touched when they are ready --

// One end of a connection.
struct Socket {
  int fd = -1;
  bool client = false;
  long left = 0;        // messages that a client has yet to get back
  std::size_t got = 0;  // bytes of the one that is under way
};

void send_message(const Socket& socket, const std::byte* bytes, std::size_t n) {
  expect(write(socket.fd, bytes, n) == static_cast<ssize_t>(n), "write");
}

// Returns whether it has all that it waits for.
bool serve(Socket& socket) {
  std::array<std::byte, 4096> buffer;
  const ssize_t n = read(socket.fd, buffer.data(), socket.client ? kMessage : buffer.size());
  expect(n >= 0, "read");
  if (n == 0) return true;
  if (!socket.client) {
    send_message(socket, buffer.data(), static_cast<std::size_t>(n));
    return false;
  }
  socket.got += static_cast<std::size_t>(n);
  if (socket.got < kMessage) return false;
  socket.got = 0;
  if (--socket.left == 0) {
    close(socket.fd);
    return true;
  }
  send_message(socket, buffer.data(), kMessage);
  return false;
}

// Serves all of them until each has what it waits for.
void poll_sockets(const std::vector<Socket*>& sockets) {
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  expect(poller >= 0, "epoll_create1");
  for (Socket* socket : sockets) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = socket;
    expect(epoll_ctl(poller, EPOLL_CTL_ADD, socket->fd, &event) == 0, "epoll_ctl");
  }
  for (std::size_t left = sockets.size(); left > 0;) {
    std::array<epoll_event, 128> events;
    const int n = epoll_wait(poller, events.data(), events.size(), -1);
    for (int i = 0; i < n; ++i) {
      auto* socket = static_cast<Socket*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (!serve(*socket)) continue;
      epoll_ctl(poller, EPOLL_CTL_DEL, socket->fd, nullptr);
      --left;
    }
  }
  close(poller);
}

template <bool kOneThread>
double echo(long count, long connections) {
  Loopback loopback;
  const long each = count / connections;
  std::vector<Socket> ends(static_cast<std::size_t>(connections) * 2);
  std::vector<Socket*> clients;
  std::vector<Socket*> servers;
  for (std::size_t i = 0; i < ends.size(); i += 2) {
    const auto [client, server] = loopback.connection();
    ends[i] = {client, true, each, 0};
    ends[i + 1].fd = server;
    clients.push_back(&ends[i]);
    servers.push_back(&ends[i + 1]);
  }
  const std::array<std::byte, kMessage> message{};
  const double start = now_ns();
  for (const Socket* client : clients) send_message(*client, message.data(), kMessage);
  if (kOneThread) {
    clients.insert(clients.end(), servers.begin(), servers.end());
    poll_sockets(clients);
  } else {
    std::thread server([&] { poll_sockets(servers); });
    poll_sockets(clients);
    server.join();
  }
  return (now_ns() - start) / static_cast<double>(each * connections);
}

int processors = 1;

double echo_of(long count, long connections) {
  return processors == 1 ? echo<true>(count, connections) : echo<false>(count, connections);
}

double echo_of_64(long count) {
  return echo_of(count, 64);
}

double echo_of_1000(long count) {
  return echo_of(count, 1000);
}

constexpr Known kWorkloads[] = {
    {"switch", bare_switch},        {"yield", yield_in_turns}, {"ping-pong", ping_pong},
    {"recursion", first_recursion}, {"echo-64", echo_of_64},   {"echo-1000", echo_of_1000},
};

}  // namespace

}  // namespace goro::bars

int main(int argc, char** argv) {
  using namespace goro::bars;
  peer_main(argc, argv, "assembly and system calls", [](const Workload& workload) {
    return figures_of(workload, kWorkloads, [](int procs, const auto& measure) {
      processors = procs;
      measure();
    });
  });
}
