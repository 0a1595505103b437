// Waiting for a signal, with tickets.
//
// A signal that comes between unlock and sleep must not be lost, and must not wake somebody who
// drew a ticket after it. The tickets see to both: they are called in the order in which they were
// drawn, and whoever comes to sleep on one that was called does not sleep.
#include "contracts/getg.h"
#include "contracts/lifecycle.h"
#include "contracts/services/acquirem.h"
#include "contracts/services/waiting.h"
#include "contracts/sync.h"
#include "goro/detail/park.h"

namespace goro {

namespace {

// Tickets wrap around.
bool was_called(std::uint32_t ticket, std::uint32_t next) {
  return static_cast<std::int32_t>(ticket - next) < 0;
}

// In the frame of the goroutine that waits.
struct NotifyWait {
  NotifyList* list;
  Sudog sudog;
};

bool join_list(G* gp, void* arg) {
  auto* wait = static_cast<NotifyWait*>(arg);
  NotifyList* list = wait->list;
  list->lock.lock();
  if (was_called(wait->sudog.ticket, list->notify.load(std::memory_order_relaxed))) {
    list->lock.unlock();
    return false;
  }
  wait->sudog.g = gp;
  if (list->tail == nullptr) {
    list->head = &wait->sudog;
  } else {
    list->tail->next = &wait->sudog;
  }
  list->tail = &wait->sudog;
  list->lock.unlock();
  return true;
}

// The one with `ticket`, out of the list, or null. Under the lock.
Sudog* take_out(NotifyList* list, std::uint32_t ticket) {
  Sudog* before = nullptr;
  for (Sudog* s = list->head; s != nullptr; before = s, s = s->next) {
    if (s->ticket != ticket) continue;
    (before == nullptr ? list->head : before->next) = s->next;
    if (s->next == nullptr) list->tail = before;
    return s;
  }
  return nullptr;
}

}  // namespace

std::uint32_t notify_list_add(NotifyList* list) {
  return list->wait.fetch_add(1);
}

void notify_list_wait(NotifyList* list, std::uint32_t ticket) {
  detail::current_goroutine();
  NotifyWait wait{list, {}};
  wait.sudog.ticket = ticket;
  gopark(join_list, &wait, WaitReason::sync_cond_wait);
}

void notify_list_notify_one(NotifyList* list) {
  // Every ticket was called: nobody waits, or is about to.
  if (list->wait.load() == list->notify.load()) return;
  M* mp = acquirem();
  list->lock.lock();
  Sudog* s = nullptr;
  if (const std::uint32_t ticket = list->notify.load(std::memory_order_relaxed);
      ticket != list->wait.load()) {
    list->notify.store(ticket + 1);
    // Not there: it has yet to come, and will see that it was called.
    s = take_out(list, ticket);
  }
  list->lock.unlock();
  releasem(mp);
  if (s != nullptr) wake(s->g);
}

void notify_list_notify_all(NotifyList* list) {
  if (list->wait.load() == list->notify.load()) return;
  M* mp = acquirem();
  list->lock.lock();
  Sudog* s = list->head;
  list->head = nullptr;
  list->tail = nullptr;
  list->notify.store(list->wait.load());
  list->lock.unlock();
  releasem(mp);
  while (s != nullptr) {
    Sudog* next = s->next;  // first: once woken, its frame is its own
    wake(s->g);
    s = next;
  }
}

}  // namespace goro
