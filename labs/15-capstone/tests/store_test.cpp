// The store, and the answers that are made from it.
#include <optional>

#include "support.h"

namespace kv::testing {
namespace {

std::string text_of(const Value& value) {
  return value == nullptr ? "(none)" : *value;
}

std::string answer_to(Store* store, const Request& request) {
  std::string out;
  answer(store, request, &out);
  return out;
}

TEST(Store, GivesBackWhatWasSet) {
  Store store;
  GORO_STEP("set two keys, one of them twice");
  EXPECT_EQ(text_of(store.get("a")), "(none)");
  store.set("a", "first");
  store.set("b", std::string_view("\0\r\n", 3));
  store.set("a", "");
  EXPECT_EQ(text_of(store.get("a")), "") << "an empty value is a value";
  EXPECT_EQ(text_of(store.get("b")), std::string("\0\r\n", 3));
  EXPECT_EQ(text_of(store.get("c")), "(none)");
}

TEST(Store, KeepsItsOwnCopies) {
  Store store;
  GORO_STEP("set a key from a buffer, and used the buffer for something else");
  std::string key = "key";
  std::string value = "value";
  store.set(key, value);
  key = "kex";
  value = "other";
  EXPECT_EQ(text_of(store.get("key")), "value")
      << "a request's texts lie in the connection's buffer, which is used again at once";
}

TEST(Store, AValueThatWasReadStaysAsItWas) {
  Store store;
  store.set("a", "old");
  GORO_STEP("read a value, and then set and deleted its key");
  const Value read = store.get("a");
  store.set("a", "new");
  EXPECT_EQ(text_of(read), "old") << "somebody may be writing it to a client just now";
  store.del("a");
  EXPECT_EQ(text_of(read), "old");
}

TEST(Store, DeletesOnce) {
  Store store;
  store.set("a", "1");
  store.set("b", "2");
  GORO_STEP("deleted a twice");
  EXPECT_TRUE(store.del("a"));
  EXPECT_FALSE(store.del("a")) << "there is none any more";
  EXPECT_EQ(text_of(store.get("a")), "(none)");
  EXPECT_EQ(text_of(store.get("b")), "2");
}

TEST(Store, CountsUp) {
  Store store;
  GORO_STEP("counted up a key that does not exist, twice");
  EXPECT_EQ(store.incr("n"), 1);
  EXPECT_EQ(store.incr("n"), 2);
  EXPECT_EQ(text_of(store.get("n")), "2") << "the number is stored, in decimal";
  GORO_STEP("counted up numbers that were set");
  store.set("n", "-1");
  EXPECT_EQ(store.incr("n"), 0);
  store.set("n", "9223372036854775806");
  EXPECT_EQ(store.incr("n"), INT64_MAX);
  store.set("n", "0041");
  EXPECT_EQ(store.incr("n"), 42);
}

TEST(Store, CountsNothingElse) {
  Store store;
  for (const char* text : {"", "x", "1x", " 1", "1 ", "+1", "-", "1.5", "9223372036854775807",
                           "9223372036854775808", "-9223372036854775809"}) {
    GORO_STEP("counted up \"", text, "\"");
    store.set("n", text);
    EXPECT_EQ(store.incr("n"), std::nullopt) << "that is no number that could be counted up";
    EXPECT_EQ(text_of(store.get("n")), text) << "and nothing may be changed";
  }
}

TEST(Store, LocksOneShardOnly) {
  GORO_STEP("held the lock of one shard (a test that ends by its time limit waited for it)");
  bool right = false;
  goro::run(
      [&] {
        Store store;
        store.set("held", "0");
        std::string other = "other";
        while (&store.shard_of(other) == &store.shard_of("held")) other += "-";
        Shard& shard = store.shard_of("held");
        shard.lock.lock();
        goro::Channel<int> done(1);
        goro::go(kRoomy, [at = &store, done] {
          at->set("held", "1");
          done.send(1);
        });
        store.set(other, "1");
        right = store.incr(other) == 2 && store.get(other) != nullptr && store.del(other);
        for (int i = 0; i < 100; ++i) goro::yield();
        right = right && done.size() == 0;
        shard.lock.unlock();
        right = right && done.receive().has_value() && text_of(store.get("held")) == "1";
      },
      {.procs = 2});
  EXPECT_TRUE(right) << "other shards' keys need another lock, and this shard's keys need this one";
}

TEST(Store, NoCountIsLost) {
  constexpr int kEach = 20000;
  GORO_STEP("on four Ps, eight goroutines count up one key, ", kEach, " times each");
  std::optional<std::int64_t> sum;
  goro::run(
      [&] {
        Store store;
        const goro::WaitGroup group;
        for (int i = 0; i < 8; ++i) {
          group.go(kRoomy, [at = &store] {
            for (int n = 0; n < kEach; ++n) at->incr("n");
          });
        }
        group.wait();
        sum = store.incr("n");
      },
      {.procs = 4});
  EXPECT_EQ(sum, 8 * kEach + 1) << "between reading the number and storing the next one, nobody "
                                   "else may have the shard";
}

TEST(Answer, OfEachRequest) {
  Store store;
  struct Case {
    Request request;
    std::string answer;
  };
  const std::string odd("a\r\n\0b", 5);
  for (const Case& c : {
           Case{{Verb::ping, "", ""}, "PONG\r\n"},
           Case{{Verb::get, "k", ""}, "NONE\r\n"},
           Case{{Verb::del, "k", ""}, "NONE\r\n"},
           Case{{Verb::set, "k", odd}, "OK\r\n"},
           Case{{Verb::get, "k", ""}, value_of(odd)},
           Case{{Verb::incr, "k", ""}, "ERROR not a number\r\n"},
           Case{{Verb::set, "k", ""}, "OK\r\n"},
           Case{{Verb::get, "k", ""}, "VALUE 0\r\n\r\n"},
           Case{{Verb::del, "k", ""}, "OK\r\n"},
           Case{{Verb::incr, "k", ""}, "NUMBER 1\r\n"},
           Case{{Verb::get, "k", ""}, "VALUE 1\r\n1\r\n"},
           Case{{Verb::quit, "", ""}, "BYE\r\n"},
       }) {
    GORO_STEP("verb ", static_cast<int>(c.request.verb), " of key \"", c.request.key, "\"");
    EXPECT_EQ(answer_to(&store, c.request), c.answer);
  }
}

TEST(Answer, IsAppended) {
  Store store;
  GORO_STEP("answered two requests into one buffer");
  std::string out = "before ";
  answer(&store, {Verb::ping, "", ""}, &out);
  answer(&store, {Verb::get, "x", ""}, &out);
  EXPECT_EQ(out, "before PONG\r\nNONE\r\n") << "answers that wait to be written must not be lost";
}

}  // namespace
}  // namespace kv::testing
