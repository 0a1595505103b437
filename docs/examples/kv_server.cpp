// Lab 15's key-value server as a program: `SET fruit 5`, `apple`, `GET fruit`.
//
//   docs_kv_server [ADDRESS]     default 127.0.0.1:7788; port 0: any
//
// SIGTERM and SIGINT end it, and every client gets the answers to what it has asked.
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <initializer_list>
#include <system_error>

#include "contracts/kv_server.h"
#include "goro/goro.h"

namespace {

using namespace std::chrono_literals;

// Of this thread, and of all that it starts.
int block_and_watch(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int serve_until(int signals, const char* address) {
  try {
    kv::Server server(goro::TcpListener::listen(address));
    std::printf("listening on %s\n", server.listener.address().text().c_str());
    std::fflush(stdout);
    const goro::WaitGroup serving;
    serving.go({.stack = goro::fixed_stack(kv::kStack)}, [&server] { kv::serve(&server); });
    goro::wait_readable(signals);
    kv::stop(&server, 5s);
    serving.wait();
    return 0;
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int signals = block_and_watch({SIGINT, SIGTERM});
  return goro::run([&] { return serve_until(signals, argc > 1 ? argv[1] : "127.0.0.1:7788"); });
}
