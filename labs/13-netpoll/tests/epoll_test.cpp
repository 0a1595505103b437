// The epoll instance, on pipes and sockets that the test holds both ends of.
#include <sys/resource.h>

#include <array>
#include <cstdio>
#include <deque>
#include <thread>

#include "support.h"

namespace goro::testing {
namespace {

TEST(Instance, IsMadeOnceAndEnds) {
  const Words words;
  GORO_STEP("netpoll_init, twice; then netpoll_end");
  const std::set<int> before = open_fds();
  EXPECT_FALSE(netpoll_inited()) << "there is none before netpoll_init";
  EXPECT_EQ(netpoll_init(), 0);
  EXPECT_TRUE(netpoll_inited());
  const std::set<int> made = open_fds();
  EXPECT_EQ(made.size(), before.size() + 2) << "two descriptors: epoll and the eventfd";
  EXPECT_EQ(netpoll_init(), 0);
  EXPECT_EQ(open_fds(), made) << "the second netpoll_init finds that there is one already";
  netpoll_end();
  EXPECT_FALSE(netpoll_inited());
  EXPECT_EQ(open_fds(), before) << "netpoll_end must close both";
  netpoll_end();
  GORO_STEP("and once more from the start");
  EXPECT_EQ(netpoll_init(), 0);
  EXPECT_TRUE(netpoll_inited()) << "the next run makes an instance of its own";
  netpoll_end();
}

TEST(Instance, IsNotInheritedByOtherPrograms) {
  const Poller poller;
  GORO_STEP("netpoll_init; what it has opened");
  for (const int fd : open_fds()) {
    if (poller.before.count(fd) != 0) continue;
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0)
        << "a program that this one starts would keep it open: EPOLL_CLOEXEC, EFD_CLOEXEC";
  }
  ASSERT_GE(poller.wake_fd, 0) << "there must be an eventfd";
  EXPECT_NE(fcntl(poller.wake_fd, F_GETFL) & O_NONBLOCK, 0)
      << "a thread that empties the eventfd after another has done so must not block in it: "
         "EFD_NONBLOCK";
}

TEST(Instance, CallsSleepersOver) {
  const Words words;
  somebody_sleeps_there();
  GORO_STEP("an M sleeps on the futex (poll_until); netpoll_init");
  EXPECT_EQ(netpoll_init(), 0);
  EXPECT_EQ(sched.poll_broken.load(), 1U)
      << "whoever sleeps on the futex would hear nothing of the network: poller_has_epoll";
  netpoll_end();
}

TEST(Instance, WithoutOneThereIsNothing) {
  const Words words;
  GORO_STEP("netpoll(0) before netpoll_init");
  std::int32_t count = -1;
  GQueue list = netpoll(0, &count);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(count, 0) << "*count is always set";
}

TEST(Open, SaysWhyNot) {
  Poller poller;
  GORO_STEP("netpoll_open of a regular file, and of a descriptor that is not open");
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr) << "the test needs a file";
  EXPECT_EQ(netpoll_open(fileno(file), &poller.pd), EPERM)
      << "a file never blocks, epoll does not take it: errno must be returned";
  std::fclose(file);
  EXPECT_EQ(netpoll_open(1023, &poller.pd), EBADF);
}

TEST(Open, AWriterIsReadyAtOnce) {
  Poller poller;
  const Ends ends;
  GORO_STEP("a new socket, whose buffers are empty: G1 waits to write, G2 to read");
  const G* writer = poller.park(PollMode::write);
  poller.park(PollMode::read);
  poller.open(ends.fds[0]);
  EXPECT_EQ(poller.look(), Ids{writer->goid})
      << "epoll reports at once what is possible when a descriptor is added (EPOLLOUT), and G2 has "
         "nothing to read";
  EXPECT_EQ(word_of(poller.pd, PollMode::write), "ready");
  EXPECT_EQ(word_of(poller.pd, PollMode::read), "G2");
}

TEST(Open, EachChangeIsReportedOnce) {
  Poller poller;
  const Ends ends;
  poller.open(ends.fds[0]);
  poller.look();
  const G* reader = poller.park(PollMode::read);
  GORO_STEP("G1 waits to read; the other end sends a byte, which nobody reads");
  ends.send(1);
  EXPECT_EQ(poller.look(), Ids{reader->goid});
  GORO_STEP("G1 forgets the edge and waits again, without having read");
  poller.pd.side(PollMode::read).g.store(kPollNone);
  EXPECT_EQ(poller.look(), Ids{});
  EXPECT_EQ(word_of(poller.pd, PollMode::read), "none")
      << "edge-triggered (EPOLLET): what has not changed is not reported again, or a server with "
         "a thousand open connections would hear of all of them in each look";
  GORO_STEP("the other end sends another byte");
  ends.send(1);
  poller.look();
  EXPECT_EQ(word_of(poller.pd, PollMode::read), "ready") << "that is a change";
}

TEST(Close, TakesTheDescriptorOut) {
  Poller poller;
  const Ends ends;
  poller.open(ends.fds[0]);
  poller.look();
  poller.pd.side(PollMode::write).g.store(kPollNone);
  GORO_STEP("netpoll_close; then the other end sends a byte");
  netpoll_close(ends.fds[0]);
  ends.send(1);
  EXPECT_EQ(poller.look(), Ids{});
  EXPECT_EQ(word_of(poller.pd, PollMode::read), "none") << "nobody wants to hear of it any more";
}

TEST(Event, IsKeptIfNobodyWaits) {
  Poller poller;
  const Ends ends;
  poller.open(ends.fds[0]);
  ends.send(1);
  GORO_STEP("a socket with a byte to read, and nobody waits");
  EXPECT_EQ(poller.look(), Ids{});
  EXPECT_EQ(word_of(poller.pd, PollMode::read), "ready")
      << "epoll does not report it again: it must be kept in the word";
  EXPECT_EQ(word_of(poller.pd, PollMode::write), "ready");
}

TEST(Event, TheOtherSidesEndIsNewsForAReader) {
  Poller poller;
  const Ends ends;
  poller.open(ends.fds[0]);
  poller.look();
  poller.pd.side(PollMode::write).g.store(kPollNone);
  const G* reader = poller.park(PollMode::read);
  GORO_STEP("G1 waits to read; the other end will send nothing more (shutdown)");
  EXPECT_EQ(shutdown(ends.fds[1], SHUT_WR), 0);
  EXPECT_EQ(poller.look(), Ids{reader->goid}) << "it must be woken to read the end";
}

TEST(Event, AHangUpIsNewsForAReader) {
  Poller poller;
  std::array<int, 2> fds{};
  ASSERT_EQ(pipe2(fds.data(), O_NONBLOCK | O_CLOEXEC), 0);
  poller.open(fds[0]);
  poller.look();
  const G* reader = poller.park(PollMode::read);
  GORO_STEP("G1 waits to read from an empty pipe; the end for writing is closed (EPOLLHUP alone)");
  ::close(fds[1]);
  EXPECT_EQ(poller.look(), Ids{reader->goid}) << "EPOLLHUP is news for readers, too";
  ::close(fds[0]);
}

TEST(Event, AnErrorIsNewsForAWriter) {
  Poller poller;
  std::array<int, 2> fds{};
  ASSERT_EQ(pipe2(fds.data(), O_NONBLOCK | O_CLOEXEC), 0);
  const std::vector<char> much(4096);
  while (::write(fds[1], much.data(), much.size()) > 0) {
  }
  poller.open(fds[1]);
  poller.look();
  const G* writer = poller.park(PollMode::write);
  GORO_STEP("G1 waits to write into a full pipe; the end for reading is closed (EPOLLERR alone)");
  ::close(fds[0]);
  EXPECT_EQ(poller.look(), Ids{writer->goid})
      << "it must be woken, to find out that its writing is in vain";
  ::close(fds[1]);
}

TEST(Event, OfAFormerUseIsPassedOver) {
  Poller poller;
  const Ends ends;
  poller.open(ends.fds[0]);
  ends.send(1);
  GORO_STEP("an event is under way; the PollDesc is used again for another descriptor (++fdseq)");
  poller.pd.fdseq.fetch_add(1);
  const G* reader = poller.park(PollMode::read);
  EXPECT_EQ(poller.look(), Ids{});
  EXPECT_EQ(word_of(poller.pd, PollMode::read), "G" + std::to_string(reader->goid))
      << "the event is about the former descriptor: it carries the fdseq of that time";
  EXPECT_EQ(word_of(poller.pd, PollMode::write), "none");
}

TEST(Event, MoreThanOneLookTakesAreNotLost) {
  constexpr std::size_t kMany = 300;
  Poller poller;
  std::deque<PollDesc> descs;
  std::vector<int> fds;
  GORO_STEP(kMany, " descriptors can be read, and a goroutine waits for each");
  for (std::size_t i = 0; i < kMany; ++i) {
    fds.push_back(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
    ASSERT_GE(fds.back(), 0) << "the test needs " << kMany << " descriptors";
    PollDesc& desc = descs.emplace_back();
    poller.park(desc, PollMode::read);
    poller.open(fds.back(), &desc);
  }
  std::set<std::uint64_t> woken;
  std::size_t most = 0;
  for (std::size_t looks = 0; looks < kMany && woken.size() < kMany; ++looks) {
    const Ids ids = poller.look();
    most = std::max(most, ids.size());
    woken.insert(ids.begin(), ids.end());
  }
  EXPECT_EQ(woken.size(), kMany) << "what one look does not take, the next ones must";
  EXPECT_LE(most, 128U) << "at most 128 events in one look";
  EXPECT_GT(most, 1U) << "one event in each look is a system call for each event";
  for (const int fd : fds) ::close(fd);
}

TEST(Wake, EndsAWaitOnceAndIsReadThen) {
  Poller poller;
  GORO_STEP("netpoll_wake; then netpoll(-1) (a test that ends by its time limit was not woken)");
  netpoll_wake();
  EXPECT_TRUE(poller.wake_is_pending()) << "netpoll_wake must write to the eventfd";
  std::int32_t count = -1;
  GQueue list = netpoll(-1, &count);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(count, 0);
  EXPECT_FALSE(poller.wake_is_pending())
      << "a netpoll that waits reads the eventfd, or no later one would wait any more";
}

TEST(Wake, IsNotEatenByALook) {
  Poller poller;
  GORO_STEP("netpoll_wake, meant for an M that is about to sleep; before that, another looks");
  netpoll_wake();
  EXPECT_EQ(poller.look(), Ids{});
  EXPECT_TRUE(poller.wake_is_pending())
      << "netpoll(0) must leave the eventfd alone: the sleeper would never be woken";
}

TEST(Wake, ManyAreAsGoodAsOne) {
  Poller poller;
  GORO_STEP("netpoll_wake 1000 times; then netpoll(-1)");
  for (int i = 0; i < 1000; ++i) netpoll_wake();
  std::int32_t count = -1;
  netpoll(-1, &count);
  EXPECT_FALSE(poller.wake_is_pending()) << "one read takes them all";
}

TEST(Wake, ReachesAThreadThatWaits) {
  const Poller poller;
  GORO_STEP("a thread is in netpoll(-1), or about to be; netpoll_wake");
  GORO_STEP("(a test that ends by its time limit was not woken)");
  std::int32_t count = -1;
  std::thread waits([&] { netpoll(-1, &count); });
  netpoll_wake();
  waits.join();
  EXPECT_EQ(count, 0);
}

TEST(Wake, DoesNotHideOtherNews) {
  Poller poller;
  const Ends ends;
  poller.open(ends.fds[0]);
  poller.look();
  const G* reader = poller.park(PollMode::read);
  GORO_STEP("netpoll_wake, and G1 has something to read; then netpoll(-1)");
  netpoll_wake();
  ends.send(1);
  std::int32_t count = -1;
  GQueue list = netpoll(-1, &count);
  EXPECT_EQ(count, 1) << "the eventfd is one event among others";
  EXPECT_EQ(id_of(list.pop()), reader->goid);
}

TEST(Wait, EndsByItself) {
  Poller poller;
  GORO_STEP(
      "netpoll for one nanosecond, and for a millisecond; nothing happens (a test that ends by its "
      "time limit waited for ever)");
  for (const std::int64_t delay : {1, 1'000'000}) {
    std::int32_t count = -1;
    netpoll(delay, &count);
    EXPECT_EQ(count, 0);
  }
}

TEST(Wait, MayBeAsLongAsATimerIs) {
  Poller poller;
  GORO_STEP("netpoll for 146 years; netpoll_wake has been called already");
  netpoll_wake();
  std::int32_t count = -1;
  netpoll(kNever, &count);
  EXPECT_FALSE(poller.wake_is_pending())
      << "a delay that does not fit the system call's argument must be cut short, not fail";
}

}  // namespace
}  // namespace goro::testing
