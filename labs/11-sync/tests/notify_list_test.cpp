// Step 5: tickets.
#include "support.h"

namespace goro::testing {
namespace {

// Goroutines in a NotifyList, with the tickets given, in this order.
class Listed {
 public:
  Listed(FakeM& fake, NotifyList* list, const std::vector<std::uint32_t>& tickets) {
    for (const std::uint32_t ticket : tickets) {
      Sudog& s = sudogs_.emplace_back();
      s.g = fake.g(GStatus::waiting);
      s.ticket = ticket;
      (list->tail == nullptr ? list->head : list->tail->next) = &s;
      list->tail = &s;
    }
  }

  [[nodiscard]] const Sudog* sudog(std::size_t i) const { return &sudogs_[i]; }

 private:
  std::deque<Sudog> sudogs_;
};

TEST(NotifyAdd, DrawsTicketsInOrder) {
  NotifyList list;
  GORO_STEP("three tickets");
  EXPECT_EQ(notify_list_add(&list), 0U) << "the first ticket is 0: the value before the addition";
  EXPECT_EQ(notify_list_add(&list), 1U) << "each ticket is drawn once";
  EXPECT_EQ(notify_list_add(&list), 2U) << "each ticket is drawn once";
  EXPECT_EQ(list.wait.load(), 3U) << "wait is the next ticket to be drawn";
  EXPECT_EQ(list.notify.load(), 0U) << "nobody has called any";
}

TEST(NotifyOne, ACallForNobodyIsForgotten) {
  FakeM fake;
  NotifyList list;
  list.wait.store(5);
  list.notify.store(5);
  GORO_STEP("five tickets were drawn and called; one more call, and one for all");
  notify_list_notify_one(&list);
  notify_list_notify_all(&list);
  EXPECT_EQ(list.notify.load(), 5U)
      << "a ticket that nobody has drawn must not be called: its owner would not wait at all";
}

TEST(NotifyOne, WakesTheOwnerOfTheNextTicket) {
  FakeM fake;
  NotifyList list;
  list.wait.store(3);
  GORO_STEP(
      "tickets 0, 1 and 2; goroutine 1 has ticket 1, goroutine 2 ticket 0, goroutine 3 ticket 2");
  const Listed listed(fake, &list, {1, 0, 2});
  notify_list_notify_one(&list);
  EXPECT_EQ(list.notify.load(), 1U) << "ticket 0 is called";
  EXPECT_EQ(run_order(fake.p()), (Ids{2})) << "goroutine 2 drew ticket 0, but came to the list "
                                              "later: search for the ticket, do not take "
                                              "the head";
  ASSERT_EQ(list.head, listed.sudog(0)) << "the others stay in the list";
  ASSERT_EQ(list.head->next, listed.sudog(2)) << "the others stay in the list, in their order";
  notify_list_notify_one(&list);
  EXPECT_EQ(run_order(fake.p()), (Ids{1, 2}))
      << "then goroutine 1, with ticket 1 (woken last: in runnext)";
  notify_list_notify_one(&list);
  EXPECT_EQ(run_order(fake.p()), (Ids{3, 2, 1})) << "then goroutine 3, with ticket 2";
  EXPECT_EQ(list.head, nullptr) << "the list is empty";
  EXPECT_EQ(list.tail, nullptr)
      << "an empty list has no tail: the next one to wait would be put behind it";
  EXPECT_TRUE(lock_is_free(list.lock)) << "the list's lock must be given back";
  EXPECT_EQ(fake.m()->locks, 0) << "every acquirem needs its releasem";
}

TEST(NotifyOne, TheTailMayBeTakenOut) {
  FakeM fake;
  NotifyList list;
  list.wait.store(2);
  GORO_STEP("goroutine 1 has ticket 1, goroutine 2, behind it, ticket 0; one call");
  const Listed listed(fake, &list, {1, 0});
  notify_list_notify_one(&list);
  EXPECT_EQ(list.tail, listed.sudog(0)) << "the last of the list was taken out: the tail is the "
                                           "one before it, or the next one to wait "
                                           "is hung onto a goroutine that has gone";
  EXPECT_EQ(list.head, listed.sudog(0)) << "goroutine 1 stays";
}

TEST(NotifyOne, CallsATicketWhoseOwnerHasYetToCome) {
  FakeM fake;
  NotifyList list;
  list.wait.store(2);
  GORO_STEP("tickets 0 and 1 are drawn; only goroutine 1, with ticket 1, is in the list; one call");
  const Listed listed(fake, &list, {1});
  notify_list_notify_one(&list);
  EXPECT_EQ(list.notify.load(), 1U) << "ticket 0 is called, though its owner is not here yet";
  EXPECT_EQ(run_order(fake.p()), Ids{}) << "goroutine 1 has ticket 1: it was not called";
  EXPECT_TRUE(lock_is_free(list.lock)) << "the list's lock must be given back";
  EXPECT_EQ(fake.m()->locks, 0) << "every acquirem needs its releasem, also when nobody was found";
}

TEST(NotifyAll, WakesTheWholeListInItsOrder) {
  FakeM fake;
  NotifyList list;
  list.wait.store(4);
  GORO_STEP("four tickets are drawn; goroutines 1, 2 and 3 are in the list; a call for all");
  const Listed listed(fake, &list, {0, 1, 2});
  notify_list_notify_all(&list);
  EXPECT_EQ(run_order(fake.p()), (Ids{3, 1, 2})) << "all are woken, in the order of the list";
  EXPECT_EQ(list.notify.load(), 4U)
      << "all tickets that are drawn are called, also the one whose owner has yet to come";
  EXPECT_EQ(list.head, nullptr) << "the list is empty";
  EXPECT_EQ(list.tail, nullptr) << "the list is empty, at both ends";
  EXPECT_TRUE(lock_is_free(list.lock)) << "the list's lock must be given back";
}

// Does a goroutine that waits for `ticket` go on by itself? One P.
bool goes_on_at_once(NotifyList* list, std::uint32_t ticket) {
  bool went_on = false;
  goro::run(
      [&] {
        go([list, ticket, out = &went_on] {
          notify_list_wait(list, ticket);
          *out = true;
        });
        let_others_run();
      },
      {.procs = 1});
  return went_on;
}

TEST(NotifyWait, ATicketThatWasCalledDoesNotWait) {
  NotifyList list;
  list.wait.store(2);
  list.notify.store(1);
  GORO_STEP("ticket 0 was called before its owner came to wait");
  EXPECT_TRUE(goes_on_at_once(&list, 0)) << "the signal came between unlock and wait, and it "
                                            "counts: look at notify under the lock, and "
                                            "do not park";
  EXPECT_EQ(list.head, nullptr) << "who does not wait is not in the list";
  EXPECT_FALSE(goes_on_at_once(&list, 1)) << "ticket 1 was not called yet: its owner must wait";
}

TEST(NotifyWait, TicketsWrapAround) {
  constexpr std::uint32_t kLast = 0xFFFF'FFFF;
  {
    NotifyList list;
    list.wait.store(1);
    list.notify.store(0);
    GORO_STEP("tickets 4294967295 and 0 are drawn, and the former is called");
    EXPECT_TRUE(goes_on_at_once(&list, kLast))
        << "notify is 0 now, and 4294967295 comes before it: compare the difference, as a signed "
           "number, with 0";
    EXPECT_FALSE(goes_on_at_once(&list, 0)) << "ticket 0 was not called yet";
  }
  NotifyList list;
  list.wait.store(1);
  list.notify.store(kLast);
  GORO_STEP("the same, and neither is called");
  EXPECT_FALSE(goes_on_at_once(&list, 0)) << "notify is 4294967295, and 0 comes after it: 0 was "
                                             "not called, though it is the smaller number";
}

TEST(Cond, BroadcastWakesInGosOrder) {
  Order order;
  Mutex mutex;
  Cond cond(mutex);
  GORO_STEP("one P: goroutines 1 to 6 wait, one after the other; broadcast, with the mutex free");
  goro::run(
      [&] {
        for (int i = 1; i <= 6; ++i) {
          go([i, m = &mutex, c = &cond, out = &order] {
            m->lock();
            c->wait();
            out->push_back(i);
            m->unlock();
          });
          let_others_run();
        }
        cond.broadcast();
        let_others_run();
      },
      {.procs = 1});
  EXPECT_EQ(order, (Order{6, 1, 2, 3, 4, 5}))
      << "Go's order: the last that is readied sits in runnext, the others stand in the queue";
}

TEST(Cond, SignalWakesTheOneThatHasWaitedLongest) {
  Order order;
  std::vector<std::size_t> woken;
  Mutex mutex;
  Cond cond(mutex);
  G* gp = nullptr;
  bool said = false;
  GORO_STEP(
      "one P: goroutines 1 to 3 wait, one after the other; four signals, and time to run after "
      "each");
  goro::run(
      [&] {
        for (int i = 1; i <= 3; ++i) {
          go([i, m = &mutex, c = &cond, out = &order, g = &gp] {
            *g = getg();
            m->lock();
            c->wait();
            out->push_back(i);
            m->unlock();
          });
          let_others_run();
        }
        said = waits_for(gp, WaitReason::sync_cond_wait);
        for (int i = 0; i < 4; ++i) {
          cond.signal();
          let_others_run();
          woken.push_back(order.size());
        }
      },
      {.procs = 1});
  EXPECT_TRUE(said) << "a dump must show [sync.Cond.Wait]: WaitReason::sync_cond_wait";
  EXPECT_EQ(order, (Order{1, 2, 3})) << "tickets are called in the order in which they were drawn";
  EXPECT_EQ(woken, (std::vector<std::size_t>{1, 2, 3, 3}))
      << "each signal wakes one; the fourth finds nobody";
}

}  // namespace
}  // namespace goro::testing
