// How headers of the library block and wake goroutines. Not for programs.
#pragma once

namespace goro {
struct G;
}

namespace goro::detail {

// For waiting lists: which words a dump shows.
enum class Waiting {
  chan_receive,
  chan_receive_nil,
  chan_send,
  chan_send_nil,
  waitgroup,
  semaphore
};

// The running goroutine; throws Panic outside of goro::run.
G* current_goroutine();

// Stops the running goroutine and calls commit(arg) on the system stack: false: it goes on at once.
// True: it waits for make_ready, which another thread may have called before commit returned.
void park(bool (*commit)(void* arg), void* arg, Waiting why);

// On the system stack: a goroutine that waits goes on.
void make_ready(G* gp);

void on_system_stack(void (*fn)(void*), void* arg);

// A short lock, to be held on the system stack only: nothing there can be preempted while it is
// held.
class SystemLock {
 public:
  void lock();
  void unlock();

 private:
  bool held_ = false;
};

}  // namespace goro::detail
