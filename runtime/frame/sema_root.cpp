// Who waits where: a treap by address, in each of 251 roots. Go: sema.go (semTable, semaRoot).
//
// A treap is a search tree by key whose random priorities form a heap; so it is balanced, likely,
// with little code. Of those who wait at one address only the first is in the tree. The others are
// a ring through waitlink, and the first's waitlink is the last of them:
//
//   first ──► last ──► second ──► third ──► … ──► last        alone: null
#include <cstdint>

#include "contracts/services/random.h"
#include "contracts/sync.h"
#include "frame/sema_root.h"

namespace goro {

namespace {

constexpr std::uintptr_t kRoots = 251;

SemaRoot semtable[kRoots];

// Tickets, for any thread. Under the root's lock, but shared among roots: a mixture of the address
// and of how often, which needs no memory of its own.
std::uint32_t ticket_for(const void* addr, const Sudog* s) {
  auto x = reinterpret_cast<std::uintptr_t>(addr) * 0x9E3779B97F4A7C15U ^
           reinterpret_cast<std::uintptr_t>(s) * 0xC2B2AE3D27D4EB4FU;
  x ^= x >> 29;
  return static_cast<std::uint32_t>(x >> 3) | 1;
}

// s takes the place of t in the tree.
void replace(SemaRoot* root, const Sudog* t, Sudog* s) {
  s->ticket = t->ticket;
  s->parent = t->parent;
  s->prev = t->prev;
  s->next = t->next;
  if (s->prev != nullptr) s->prev->parent = s;
  if (s->next != nullptr) s->next->parent = s;
  if (s->parent == nullptr) {
    root->treap = s;
  } else if (s->parent->prev == t) {
    s->parent->prev = s;
  } else {
    s->parent->next = s;
  }
}

// child, which is prev or next of its parent, and the parent change places.
void rotate_up(SemaRoot* root, Sudog* child) {
  Sudog* parent = child->parent;
  Sudog* above = parent->parent;
  Sudog* between = nullptr;
  if (parent->prev == child) {
    between = child->next;
    child->next = parent;
    parent->prev = between;
  } else {
    between = child->prev;
    child->prev = parent;
    parent->next = between;
  }
  if (between != nullptr) between->parent = parent;
  parent->parent = child;
  child->parent = above;
  if (above == nullptr) {
    root->treap = child;
  } else if (above->prev == parent) {
    above->prev = child;
  } else {
    above->next = child;
  }
}

// Down to a leaf, and off.
void remove(SemaRoot* root, Sudog* s) {
  while (s->prev != nullptr || s->next != nullptr) {
    const bool left =
        s->next == nullptr || (s->prev != nullptr && s->prev->ticket < s->next->ticket);
    rotate_up(root, left ? s->prev : s->next);
  }
  if (s->parent == nullptr) {
    root->treap = nullptr;
  } else if (s->parent->prev == s) {
    s->parent->prev = nullptr;
  } else {
    s->parent->next = nullptr;
  }
}

// Into the ring whose last is `last`, as its first; null: s is the ring.
void insert_behind(Sudog* last, Sudog* s) {
  if (last == nullptr) {
    s->waitlink = s;
  } else {
    s->waitlink = last->waitlink;
    last->waitlink = s;
  }
}

}  // namespace

SemaRoot* root_for(const atomic<std::uint32_t>* addr) {
  return &semtable[(reinterpret_cast<std::uintptr_t>(addr) >> 3) % kRoots];
}

void SemaRoot::queue(atomic<std::uint32_t>* addr, Sudog* s, bool lifo) {
  s->elem = addr;
  s->next = nullptr;
  s->prev = nullptr;
  s->waitlink = nullptr;
  Sudog* parent = nullptr;
  Sudog** at = &treap;
  while (Sudog* t = *at) {
    if (t->elem == addr) {
      if (lifo) {
        replace(this, t, s);
        t->parent = nullptr;
        t->prev = nullptr;
        t->next = nullptr;
        Sudog* last = t->waitlink;
        insert_behind(last, t);
        s->waitlink = last == nullptr ? t : last;
      } else {
        insert_behind(t->waitlink, s);
        t->waitlink = s;
      }
      return;
    }
    parent = t;
    at = reinterpret_cast<std::uintptr_t>(addr) < reinterpret_cast<std::uintptr_t>(t->elem)
             ? &t->prev
             : &t->next;
  }
  s->ticket = ticket_for(addr, s);
  s->parent = parent;
  *at = s;
  while (s->parent != nullptr && s->parent->ticket > s->ticket) rotate_up(this, s);
}

Sudog* SemaRoot::dequeue(atomic<std::uint32_t>* addr) {
  Sudog* s = treap;
  while (s != nullptr && s->elem != addr) {
    s = reinterpret_cast<std::uintptr_t>(addr) < reinterpret_cast<std::uintptr_t>(s->elem)
            ? s->prev
            : s->next;
  }
  if (s == nullptr) return nullptr;
  if (Sudog* last = s->waitlink; last != nullptr) {
    Sudog* second = last->waitlink;
    replace(this, s, second);
    last->waitlink = second->waitlink;
    second->waitlink = last == second ? nullptr : last;
  } else {
    remove(this, s);
  }
  s->elem = nullptr;
  s->next = nullptr;
  s->prev = nullptr;
  s->parent = nullptr;
  s->waitlink = nullptr;
  s->ticket = 0;
  return s;
}

void semtable_reset() {
  for (SemaRoot& root : semtable) {
    root.treap = nullptr;
    root.nwait.store(0);
  }
}

}  // namespace goro
