// talk: one connection, from its first byte to its end. Nothing here expects that anything happens
// soon: only that it happens, and what.
#include "contracts/netpoll.h"
#include "support.h"

namespace kv::testing {
namespace {

const std::string kScript =
    "SET a 7\r\nx\r\nGET \r\nGET a\r\nNONSENSE\r\nINCR n\r\nDEL a\r\nGET a\r\nPING\r\n";
const std::string kAnswers =
    "OK\r\nVALUE 7\r\nx\r\nGET \r\nERROR unknown verb\r\nNUMBER 1\r\nOK\r\nNONE\r\nPONG\r\n";

TEST(Talk, AnswersEachRequest) {
  GORO_STEP("sent eight requests, each after the answer to the one before");
  goro::run([] {
    OneTalk one;
    EXPECT_EQ(ask(one.client, "PING\r\n", "PONG\r\n"), "PONG\r\n");
    EXPECT_EQ(ask(one.client, set_of("k", "value"), "OK\r\n"), "OK\r\n");
    EXPECT_EQ(ask(one.client, get_of("k"), value_of("value")), value_of("value"));
    EXPECT_EQ(ask(one.client, "DEL k\r\n", "OK\r\n"), "OK\r\n");
    EXPECT_EQ(ask(one.client, get_of("k"), "NONE\r\n"), "NONE\r\n");
  });
}

TEST(Talk, RequestsMayBeSplitAnywhere) {
  GORO_STEP("sent eight requests in two pieces, split at each place in turn");
  goro::run([] {
    const TcpListener listener = TcpListener::listen("127.0.0.1:0");
    for (std::size_t at = 0; at <= kScript.size(); ++at) {
      OneTalk one(listener);
      // Its answer tells that the first piece was read.
      ASSERT_EQ(ask(one.client, "PING\r\n" + kScript.substr(0, at), "PONG\r\n"), "PONG\r\n");
      ASSERT_EQ(ask(one.client, kScript.substr(at), kAnswers), kAnswers)
          << "split after " << at << " bytes: what is left of a read is the beginning of the next";
    }
  });
}

TEST(Talk, AByteAtATime) {
  GORO_STEP("sent eight requests, each byte by itself");
  goro::run(
      [] {
        const OneTalk one;
        for (const char byte : kScript) {
          send(one.client, {&byte, 1});
          goro::yield();
        }
        EXPECT_EQ(receive(one.client, kAnswers.size()), kAnswers);
      },
      {.procs = 2});
}

TEST(Talk, PipelinedRequestsAreAnsweredInOrder) {
  constexpr int kRequests = 2000;
  GORO_STEP("sent ", kRequests, " requests in one piece");
  goro::run([] {
    std::string requests;
    std::string answers;
    for (int i = 0; i < kRequests; ++i) {
      requests += "INCR n\r\n";
      answers += "NUMBER " + std::to_string(i + 1) + "\r\n";
    }
    const OneTalk one;
    EXPECT_TRUE(ask(one.client, requests, answers) == answers)
        << "each request has one answer, and the answers come in the order of the requests";
  });
}

TEST(Talk, LargeValuesComeAndGo) {
  GORO_STEP("stored the largest value there may be, and read it twice");
  goro::run(
      [] {
        const OneTalk one;
        const std::string value = mixed(kMaxValue, 7);
        const std::string answers = "OK\r\n" + value_of(value) + value_of(value) + "PONG\r\n";
        const goro::WaitGroup sending;
        sending.go(kRoomy, [&] {
          send(one.client, set_of("big", value) + get_of("big") + get_of("big") + "PING\r\n");
        });
        EXPECT_TRUE(receive(one.client, answers.size()) == answers)
            << "every byte must come back as it was sent";
        sending.wait();
      },
      {.procs = 2});
}

TEST(Talk, AWrongLineEndsNothing) {
  GORO_STEP("sent wrong lines among right ones");
  goro::run([] {
    const OneTalk one;
    const std::string answers =
        "ERROR unknown verb\r\nPONG\r\nERROR bad key\r\nERROR wrong number of words\r\nNONE\r\n";
    EXPECT_EQ(ask(one.client, "what?\r\nPING\r\nGET \r\nDEL\r\nGET a\r\n", answers), answers);
  });
}

TEST(Talk, AFatalErrorIsToldAndThenTheEnd) {
  GORO_STEP("sent a request, a SET without an end, and 256 KB more");
  goro::run(
      [] {
        const OneTalk one;
        const goro::WaitGroup sending;
        sending.go(kRoomy, [&] {
          error_of([&] {
            send(one.client, "PING\r\nSET a 3\r\nabcdef\r\n" + std::string(256 << 10, 'x'));
          });
        });
        EXPECT_EQ(receive_all(one.client), "PONG\r\nERROR bad value\r\n")
            << "the client must be told why, and then see an orderly end: to close with bytes "
               "unread is to reset";
        sending.wait();
      },
      {.procs = 2});
}

TEST(Talk, QuitSaysByeAndNothingAfterIt) {
  GORO_STEP("sent QUIT between other requests");
  goro::run([] {
    const OneTalk one;
    send(one.client, "PING\r\nQUIT\r\nPING\r\nSET a 1\r\n1\r\n");
    EXPECT_EQ(receive_all(one.client), "PONG\r\nBYE\r\n")
        << "what comes after QUIT is not answered";
  });
}

TEST(Talk, AHalfClosedClientGetsItsAnswers) {
  GORO_STEP("sent two requests, and then said that nothing more will be sent");
  goro::run([] {
    const OneTalk one;
    send(one.client, "INCR n\r\nINCR n\r\n");
    one.client.close_write();
    EXPECT_EQ(receive_all(one.client), "NUMBER 1\r\nNUMBER 2\r\n")
        << "the client cannot send any more, but it can read: all answers, and then the end";
  });
}

TEST(Talk, HalfARequestIsDropped) {
  GORO_STEP("sent half a SET, and then said that nothing more will be sent");
  goro::run([] {
    OneTalk one;
    send(one.client, "SET a 5\r\nab");
    one.client.close_write();
    EXPECT_EQ(receive_all(one.client), "");
    one.talking.wait();
    EXPECT_EQ(one.server.store.get("a"), nullptr) << "nobody knows what the rest would have been";
  });
}

TEST(Talk, AResetIsNobodysError) {
  GORO_STEP("reset connections: one that says nothing, one in the middle of a large answer");
  goro::run(
      [] {
        OneTalk one;
        one.server.store.set("big", std::string(kMaxValue, 'b'));
        const std::uint16_t port = one.server.listener.address().port();
        PlainClient quiet(port);
        one.start();
        quiet.reset();
        PlainClient greedy(port);
        one.start();
        std::string requests;
        for (int i = 0; i < 32; ++i) requests += get_of("big");
        greedy.send(requests);
        while (greedy.waiting() < 1000) goro::yield();
        greedy.reset();
        EXPECT_TRUE(quiet.good() && greedy.good()) << "the test needs its sockets";
        EXPECT_EQ(ask(one.client, "PING\r\n", "PONG\r\n"), "PONG\r\n")
            << "an error of one connection must not leave talk: the program would end";
      },
      {.procs = 2});
}

// [slow_reader]
TEST(Talk, ASlowReaderCostsLittleMemory) {
  constexpr int kRequests = 64;
  constexpr std::size_t kMost = std::size_t{24} << 20;
  GORO_STEP("asked ", kRequests, " times for a value of 1 MB, and read nothing");
  std::size_t more = 0;
  std::string answers;
  goro::run(
      [&] {
        OneTalk one;
        const std::string value = mixed(kMaxValue, 3);
        EXPECT_EQ(ask(one.client, set_of("big", value) + get_of("big"), "OK\r\n" + value_of(value)),
                  "OK\r\n" + value_of(value));
        const PlainClient slow(one.server.listener.address().port());
        one.start();
        std::string requests;
        for (int i = 0; i < kRequests; ++i) requests += get_of("big");
        const std::size_t before = resident_bytes();
        slow.send(requests);
        while (slow.waiting() < 1000) goro::yield();
        EXPECT_EQ(ask(one.client, "PING\r\n", "PONG\r\n"), "PONG\r\n");
        const std::size_t after = resident_bytes();
        more = after > before ? after - before : 0;
        answers = goro::system_call([&] { return slow.receive(2 * value_of(value).size()); });
        EXPECT_TRUE(answers == value_of(value) + value_of(value));
      },
      {.procs = 2});
  EXPECT_LE(more, kMost) << "answers that nobody reads must not pile up: when kHeldBack bytes are "
                            "waiting they are written, and that waits for the client";
}
// [/slow_reader]

TEST(Talk, LingeringEnds) {
  GORO_STEP(
      "sent QUIT, and then neither closed nor stopped sending (a test that ends by its time "
      "limit waited for talk)");
  goro::run(
      [] {
        OneTalk one;
        std::atomic<bool> ended{false};
        const goro::WaitGroup sending;
        sending.go(kRoomy, [&] {
          error_of([&] {
            send(one.client, "QUIT\r\n");
            while (!ended.load()) {
              send(one.client, "more\r\n");
              goro::yield();
            }
          });
        });
        one.talking.wait();
        ended.store(true);
        EXPECT_EQ(receive(one.client, 5), "BYE\r\n");
        sending.wait();
      },
      {.procs = 2});
}

}  // namespace
}  // namespace kv::testing
