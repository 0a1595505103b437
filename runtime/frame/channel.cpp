// A channel's memory, and its elements on the move.
#include "contracts/channel.h"

#include <new>

#include "contracts/services/acquirem.h"
#include "contracts/services/elements.h"
#include "contracts/services/waiting.h"
#include "frame/timer.h"

namespace goro {

static_assert(offsetof(Hchan, handles) == 0);

namespace {

// Where the buffer begins: right behind the channel, so that a small one shares its cache line.
std::size_t buffer_offset(const ElementType* type) {
  return (sizeof(Hchan) + type->align - 1) / type->align * type->align;
}

std::size_t alignment(const ElementType* type) {
  return type->align < alignof(Hchan) ? alignof(Hchan) : type->align;
}

// The operation ends with an exception.
void give_up(Sudog* partner, Unlock unlockf) {
  unlockf();
  if (partner != nullptr) {
    partner->elem = nullptr;
    partner->success = false;
    wake_to_look_again(partner);
  }
  releasem(getm());
}

}  // namespace

Hchan* makechan(const ElementType* type, std::size_t capacity) {
  if (capacity > kMaxBuffer / type->size) detail::throw_size_out_of_range();
  const std::size_t offset = buffer_offset(type);
  const std::size_t bytes = offset + capacity * type->size;
  void* room = alignment(type) > __STDCPP_DEFAULT_NEW_ALIGNMENT__
                   ? ::operator new (bytes, std::align_val_t{alignment(type)})
                   : ::operator new(bytes);
  auto* c = new (room) Hchan;
  c->type = type;
  c->trivial = type->trivial;
  c->elemsize = static_cast<std::uint32_t>(type->size);
  c->dataqsiz = capacity;
  c->buf = static_cast<std::byte*>(room) + offset;
  return c;
}

void put_element_by_move(Hchan* c, std::size_t i, void* from, Unlock unlockf) {
  try {
    c->type->move(chanbuf(c, i), from);
  } catch (...) {
    give_up(nullptr, unlockf);
    throw;
  }
}

void take_element_by_move(Hchan* c, std::size_t i, void* place, Sudog* partner, Unlock unlockf) {
  try {
    c->type->deliver(place, chanbuf(c, i));
  } catch (...) {
    give_up(partner, unlockf);
    throw;
  }
  c->type->destroy(chanbuf(c, i));
}

void hand_over_by_move(Hchan* c, void* place, void* from, Sudog* partner, Unlock unlockf) {
  try {
    c->type->deliver(place, from);
  } catch (...) {
    give_up(partner, unlockf);
    throw;
  }
}

Sudog* refill_by_move(Hchan* c, std::size_t i, Sudog* sg) {
  for (; sg != nullptr; sg = c->sendq.dequeue()) {
    try {
      c->type->move(chanbuf(c, i), sg->elem);
      return sg;
    } catch (...) {
      sg->elem = nullptr;
      sg->success = false;
    }
    // With the lock held: it will wait for us to let go.
    wake_to_look_again(sg);
  }
  return nullptr;
}

namespace detail {

std::size_t chanlen(const Hchan* c) {
  return c == nullptr || c->timer != nullptr ? 0 : c->qcount.load(std::memory_order_relaxed);
}

std::size_t chancap(const Hchan* c) {
  return c == nullptr || c->timer != nullptr ? 0 : c->dataqsiz;
}

void chanfree(Hchan* c) {
  if (c->timer != nullptr) timer_channel_freed(c);
  // Whoever waits here has no handle, so nobody can reach it any more. It waits until the run ends,
  // and must not be looked for at a channel that is gone.
  for (Waitq* q : {&c->recvq, &c->sendq}) {
    for (Sudog* sg = q->first.load(std::memory_order_relaxed); sg != nullptr; sg = sg->next) {
      sg->c = nullptr;
    }
  }
  const ElementType* type = c->type;
  if (!type->trivial) {
    for (std::size_t n = c->qcount.load(std::memory_order_relaxed); n != 0; --n) {
      type->destroy(chanbuf(c, c->recvx));
      c->recvx = c->recvx + 1 == c->dataqsiz ? 0 : c->recvx + 1;
    }
  }
  c->~Hchan();
  if (alignment(type) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
    ::operator delete (c, std::align_val_t{alignment(type)});
  } else {
    ::operator delete(c);
  }
}

[[noreturn, gnu::noinline]] void throw_size_out_of_range() {
  throw_panic("makechan: size out of range");
}

[[noreturn]] void block() {
  park_for_ever(WaitReason::select_no_cases);
}

}  // namespace detail
}  // namespace goro
