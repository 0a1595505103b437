// PollDescs: made many at a time, used again, and kept for as long as the process lives. Go:
// pollCache, poll_runtime_pollOpen, poll_runtime_pollClose.
#include <unistd.h>

#include <memory>
#include <new>

#include "contracts/netpoll.h"
#include "contracts/services/fatal.h"
#include "frame/netpoll.h"

namespace goro {

std::atomic<std::int32_t> netpoll_waiters{0};

namespace {

struct DescChunk {
  static constexpr int kDescs = 16;
  PollDesc descs[kDescs];
  DescChunk* next = nullptr;
};

RuntimeMutex cache_lock;
DescChunk* desc_chunks = nullptr;
PollDesc* free_descs = nullptr;

// Under cache_lock.
void put_all(DescChunk* chunk) {
  for (PollDesc& pd : chunk->descs) {
    pd.link = free_descs;
    free_descs = &pd;
  }
}

PollDesc* take() {
  cache_lock.lock();
  if (free_descs == nullptr) {
    auto* chunk = new DescChunk;
    chunk->next = desc_chunks;
    desc_chunks = chunk;
    put_all(chunk);
  }
  PollDesc* pd = free_descs;
  free_descs = pd->link;
  pd->in_use = true;
  cache_lock.unlock();
  return pd;
}

void put(PollDesc* pd) {
  // What epoll has reported of this use, and nobody has looked at yet, is out of date.
  pd->fdseq.fetch_add(1);
  cache_lock.lock();
  pd->in_use = false;
  pd->link = free_descs;
  free_descs = pd;
  cache_lock.unlock();
}

bool has_waiter(PollDesc* pd, PollMode mode) {
  const std::uintptr_t g = pd->side(mode).g.load();
  return g != kPollNone && g != kPollReady;
}

}  // namespace

int poll_open(int fd, PollDesc** pd) {
  if (const int error = netpoll_init(); error != 0) return error;
  PollDesc* desc = take();
  desc->lock.lock();
  desc->fd = fd;
  desc->closing = false;
  for (PollSide& side : desc->sides) {
    side.g.store(kPollNone);
    side.deadline = 0;
  }
  desc->info.store(0);
  desc->fdseq.fetch_add(1);
  desc->lock.unlock();
  if (const int error = netpoll_open(fd, desc); error != 0) {
    put(desc);
    return error;
  }
  *pd = desc;
  return 0;
}

void poll_close(PollDesc* pd) {
  if (!pd->closing) fatal("runtime: close polldesc w/o unblock");
  if (has_waiter(pd, PollMode::read)) fatal("runtime: blocked read on closing polldesc");
  if (has_waiter(pd, PollMode::write)) fatal("runtime: blocked write on closing polldesc");
  netpoll_close(pd->fd);
  put(pd);
}

void netpoll_reset() {
  sockets_reset();
  free_descs = nullptr;
  for (DescChunk* chunk = desc_chunks; chunk != nullptr; chunk = chunk->next) {
    for (PollDesc& pd : chunk->descs) {
      if (pd.in_use) ::close(pd.fd);
      // Its timers too: the heaps that they were in are gone.
      std::destroy_at(&pd);
      std::construct_at(&pd);
    }
    put_all(chunk);
  }
  netpoll_end();
  netpoll_waiters.store(0);
}

}  // namespace goro
