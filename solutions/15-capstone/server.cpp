// Connections: what is read, answered and written, and how they and the server end.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <mutex>
#include <span>
#include <system_error>
#include <utility>

#include "contracts/kv_server.h"

namespace kv {

namespace {

constexpr std::size_t kLeastRead = kKept;
constexpr std::size_t kMostRead = kHeldBack;

void give_back_if_large(std::string* buffer) {
  if (buffer->capacity() > kKept) std::string().swap(*buffer);
}

class Conversation {
 public:
  Conversation(Store* store, const goro::TcpStream& stream) : store_(store), stream_(stream) {}

  void hold() {
    do {
      work_off();
      flush();
      give_back_if_large(&out_);
    } while (!over_ && read_more());
  }

 private:
  // Answers all complete requests that are there.
  void work_off() {
    std::size_t done = 0;
    needed_ = 0;
    while (!over_ && needed_ == 0 && done < in_.size()) {
      const ParseResult found = parse(std::string_view(in_).substr(done));
      switch (found.what) {
        case Parsed::incomplete:
          needed_ = found.size;
          break;
        case Parsed::request:
          answer(store_, found.request, &out_);
          over_ = found.request.verb == Verb::quit;
          break;
        case Parsed::error:
        case Parsed::fatal:
          out_.append("ERROR ").append(found.why).append("\r\n");
          over_ = found.what == Parsed::fatal;
          break;
      }
      if (found.what != Parsed::incomplete) done += found.size;
      if (out_.size() > kHeldBack) flush();
    }
    in_.erase(0, done);
    if (in_.empty()) give_back_if_large(&in_);
  }

  void flush() {
    if (!out_.empty()) stream_.write(std::as_bytes(std::span(out_)));
    out_.clear();
  }

  // False: nothing more comes, or nothing more is wanted.
  bool read_more() {
    const std::size_t have = in_.size();
    const std::size_t missing = needed_ > have ? needed_ - have : 0;
    in_.resize(have + std::clamp(missing, kLeastRead, kMostRead));
    std::size_t got = 0;
    try {
      got = stream_.read(std::as_writable_bytes(std::span(in_).subspan(have)));
    } catch (const std::system_error& error) {
      if (error.code() != goro::NetError::timeout) throw;
    }
    in_.resize(have + got);
    return got != 0;
  }

  Store* store_;
  const goro::TcpStream& stream_;
  std::string in_;          // read, and not answered yet
  std::string out_;         // answered, and not written yet
  std::size_t needed_ = 0;  // parse's, for in_; 0: nothing is known
  bool over_ = false;
};

// The client sees the end, and has time to read what comes before it.
// [linger]
void linger(const goro::TcpStream& stream) {
  stream.close_write();
  stream.set_read_deadline(goro::now() + kLinger);
  std::array<std::byte, 2048> dropped;
  while (stream.read(dropped) != 0) {
  }
}
// [/linger]

void hurry(const goro::TcpStream& stream) {
  try {
    stream.set_read_deadline(goro::now());
  } catch (const std::system_error&) {
    // Its goroutine has closed it, and is about to take it from the list.
  }
}

// Null if the server is stopping.
// [start_talking]
void start_talking(Server* server, goro::TcpStream stream) {
  const std::lock_guard hold(server->lock);
  if (server->stopping) return;
  const auto at = server->streams.insert(server->streams.end(), std::move(stream));
  server->talking.go({.stack = goro::fixed_stack(kStack)}, [server, at] {
    talk(server, *at);
    const std::lock_guard hold_again(server->lock);
    server->streams.erase(at);
  });
}
// [/start_talking]

}  // namespace

void talk(Server* server, const goro::TcpStream& stream) {
  try {
    Conversation(&server->store, stream).hold();
    linger(stream);
  } catch (const std::system_error&) {
    // Reset, closed by stop, or the client took its time: there is nobody to tell.
  }
  stream.close();
}

void serve(Server* server) {
  std::chrono::milliseconds pause{0};
  for (;;) {
    try {
      start_talking(server, server->listener.accept());
      pause = pause.zero();
      continue;
    } catch (const std::system_error& error) {
      if (error.code() == goro::NetError::closed) return;
      std::fprintf(stderr, "kv: %s\n", error.what());
    }
    pause = std::clamp(pause * 2, kFirstPause, kLongestPause);
    goro::sleep(pause);
  }
}

// [stop]
void stop(Server* server, std::chrono::milliseconds grace) {
  {
    const std::lock_guard hold(server->lock);
    server->stopping = true;
    for (const goro::TcpStream& stream : server->streams) hurry(stream);
  }
  server->listener.close();
  const goro::Channel<int> ended;
  goro::go({.stack = goro::fixed_stack(kStack)}, [talking = server->talking, ended] {
    talking.wait();
    ended.close();
  });
  goro::select(goro::on_receive(ended, [](std::optional<int>) {}),
               goro::on_receive(goro::after(grace), [server](std::optional<goro::time_point>) {
                 const std::lock_guard hold(server->lock);
                 for (const goro::TcpStream& stream : server->streams) stream.close();
               }));
  ended.receive();
}
// [/stop]

}  // namespace kv
