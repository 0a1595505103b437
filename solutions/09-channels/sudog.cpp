// Sudogs: taken from the P and given back to it, without any lock. Go: proc.go (acquireSudog,
// releaseSudog).
#include "contracts/sudog.h"

#include "contracts/getg.h"
#include "contracts/services/fatal.h"
#include "contracts/services/waiting.h"

namespace goro {

namespace {

void push(SudogList* list, Sudog* s) {
  s->next = list->head;
  list->head = s;
  ++list->size;
}

Sudog* pop(SudogList* list) {
  Sudog* s = list->head;
  list->head = s->next;
  s->next = nullptr;
  --list->size;
  return s;
}

void check_clean(const Sudog* s) {
  if (s->elem != nullptr) fatal("runtime: sudog with non-nil elem");
  if (s->is_select) fatal("runtime: sudog with non-false isSelect");
  if (s->next != nullptr) fatal("runtime: sudog with non-nil next");
  if (s->prev != nullptr) fatal("runtime: sudog with non-nil prev");
  if (s->waitlink != nullptr) fatal("runtime: sudog with non-nil waitlink");
  if (s->c != nullptr) fatal("runtime: sudog with non-nil c");
}

}  // namespace

Sudog* acquire_sudog() {
  SudogList* local = &getm()->p->sudogcache;
  if (local->head == nullptr) {
    sched.sudoglock.lock();
    while (local->size < kSudogCache / 2 && sched.sudogcache.head != nullptr) {
      push(local, pop(&sched.sudogcache));
    }
    sched.sudoglock.unlock();
    if (local->head == nullptr) return sudog_alloc();
  }
  return pop(local);
}

void release_sudog(Sudog* s) {
  check_clean(s);
  s->g = nullptr;
  SudogList* local = &getm()->p->sudogcache;
  if (local->size == kSudogCache) {
    sched.sudoglock.lock();
    while (local->size > kSudogCache / 2) push(&sched.sudogcache, pop(local));
    sched.sudoglock.unlock();
  }
  push(local, s);
}

}  // namespace goro
