// Slot 15, the capstone: a key-value server, as a program that stands on your runtime.
//
//   clients ── TCP ──► serve: accepts ── a goroutine for each connection ── talk
//                                                                             │
//       "SET fruit 5\r\napple\r\nGET fruit\r\n"  ── read ──► parse ── answer ─┤──► Store
//       "OK\r\nVALUE 5\r\napple\r\n"             ◄── write ───────────────────┘
//
// Nothing here is part of the runtime. It uses goro's public interface and is in a namespace of its
// own, so its loops can be stopped by signals as any program's can.
//
// The protocol. A request is a line, and for SET the value behind it:
//
//   request                            answer
//   GET key                            VALUE n, and n bytes; NONE
//   SET key n, and n bytes             OK
//   DEL key                            OK; NONE
//   INCR key                           NUMBER n: one more than it was, or than 0; that is stored
//   PING                               PONG
//   QUIT                               BYE, and the server ends the connection
//   what is wrong                      ERROR why
//
// Every line ends with CR LF, and so does every value, of requests and answers alike; those two
// bytes are in no length. A value may hold any bytes, CR LF too. A line has one word, or words with
// exactly one space between them. A CR or an LF alone is a byte like any other. A key has 1 to
// kMaxKey bytes from '!' to '~'. A length has one to nine digits and nothing else.
//
// Requests may come many at a time (pipelining), and in pieces of any size. The answers come in the
// order of the requests. After a request that was wrong the next one begins behind its line. But
// where the next one begins nobody knows if the line was too long, if it was a wrong SET, or if
// there is no CR LF behind a value. Such an error is fatal: it is told, and ends the connection.
//
// Stacks: serve, stop, talk and every goroutine that they start run on stacks that do not move, of
// kStack bytes or more. So locals may be of any type, and may be captured by reference.
//
// Locks: Server::lock and a shard's lock are held for moments only, never while a connection is
// read or written, and never both.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "goro/goro.h"

namespace kv {

inline constexpr std::size_t kMaxLine = 512;  // with its CR LF
inline constexpr std::size_t kMaxKey = 250;
inline constexpr std::size_t kMaxValue = std::size_t{1} << 20;

// Answers that are held back for the sake of one large write: no more than this, and one answer.
inline constexpr std::size_t kHeldBack = std::size_t{64} << 10;
// What the buffers of a connection may keep, each, while it waits for the client.
inline constexpr std::size_t kKept = std::size_t{4} << 10;
inline constexpr std::size_t kStack = std::size_t{64} << 10;

// How long the end of a connection waits for the client to see it.
inline constexpr std::chrono::milliseconds kLinger{500};
// Pauses of whoever cannot accept: the first one, each twice the one before, no longer than that.
inline constexpr std::chrono::milliseconds kFirstPause{5};
inline constexpr std::chrono::milliseconds kLongestPause{1000};

// ---- protocol.cpp ----

enum class Verb : std::uint8_t { get, set, del, incr, ping, quit };

// Its texts lie in the bytes that were parsed.
struct Request {
  Verb verb = Verb::ping;
  std::string_view key;
  std::string_view value;  // of SET
};

enum class Parsed : std::uint8_t {
  incomplete,  // more bytes are needed
  request,
  error,  // a wrong line; the next request begins behind it
  fatal,  // wrong, and nobody knows where the next one begins
};

// [parse_result]
struct ParseResult {
  Parsed what = Parsed::incomplete;
  // Of a request or an error: how many bytes it takes. Incomplete: how many there must be before
  // another look is worth it: more than there are, and no more than the request will have.
  std::size_t size = 0;
  Request request;
  std::string_view why;  // of an error, fatal or not: a text that lasts for ever
};
// [/parse_result]

// What do these bytes begin with? They may hold less than a request, or many. Told as soon as the
// line is there, in this order:
//   - "line too long", fatal: no CR LF among the first kMaxLine bytes, and they are there
//   - "unknown verb": the first word is none
//   - "wrong number of words"
//   - "bad key"
//   - "bad length", fatal
//   - "value too large", fatal: more than kMaxValue
// and when the value and two bytes more are there:
//   - "bad value", fatal: the two are not CR LF
// All of a SET's are fatal.
ParseResult parse(std::string_view bytes);

class Store;

// Does what a request asks for, and appends its answer. INCR of what is no number, or the largest:
// "ERROR not a number". QUIT: only the answer.
void answer(Store* store, const Request& request, std::string* out);

// ---- store.cpp ----

// Never changed once it is stored: whoever has read it may go on using it without a lock.
// [value]
using Value = std::shared_ptr<const std::string>;
// [/value]

// Lets a map look for a std::string_view.
struct KeyHash : std::hash<std::string_view> {
  using is_transparent = void;
};

struct alignas(64) Shard {
  goro::Mutex lock;
  std::unordered_map<std::string, Value, KeyHash, std::equal_to<>> values;  // under lock
};

// Keys and their values, for any number of goroutines. Each function takes effect at one moment,
// and takes the lock of its key's shard only.
class Store {
 public:
  // Null: there is none.
  Value get(std::string_view key);
  void set(std::string_view key, std::string_view value);
  // Was there one?
  bool del(std::string_view key);
  // One more than the value, which is 0 if there is none; stored in decimal. Nothing, and nothing
  // is changed, if it is no decimal number (digits, maybe '-' before them) of 64 bits with a sign,
  // or is the largest.
  std::optional<std::int64_t> incr(std::string_view key);

  Shard& shard_of(std::string_view key) { return shards_[KeyHash{}(key) % shards_.size()]; }

 private:
  std::array<Shard, 16> shards_;
};

// ---- server.cpp ----

// [server]
struct Server {
  explicit Server(const goro::TcpListener& from) : listener(from) {}

  const goro::TcpListener listener;
  Store store;
  goro::Mutex lock;
  bool stopping = false;               // under lock: stop has been called
  std::list<goro::TcpStream> streams;  // under lock: connections that somebody talks on
  const goro::WaitGroup talking;       // their goroutines. add() under lock, and not when stopping
};
// [/server]

// One connection, to its end. Reads what there is, answers all complete requests in it, and writes
// the answers in one piece, or when more than kHeldBack bytes of them are waiting; then reads on.
// So nothing more is read from a client that does not read its answers.
//
// It ends with a fatal error, QUIT, the end of what the client sends (half a request is dropped),
// or a read deadline that has passed (stop). Then everything that has been answered is written, and
// after that: close_write; whatever the client still sends is read and dropped, up to its end or
// for kLinger; close. (To close with bytes unread is to reset: the client may lose the last
// answers.) Any other error of the connection ends it at once. Throws nothing for a connection's
// sake.
void talk(Server* server, const goro::TcpStream& stream);

// Accepts, until the listener is closed; a goroutine of its own talks on each connection, which is
// in `streams` meanwhile. One that is accepted when the server is stopping is closed.
//
// Any other error of accept (no more descriptors, above all) is said on stderr, `kv: ` and what(),
// and it tries again after a pause. The pauses begin anew after each success.
void serve(Server* server);

// Ends the server: stopping, and the listener is closed; whoever reads is woken by a deadline that
// has passed, so that what was read completely is answered, and no more is read. Connections that
// are still there when `grace` is over are closed under whoever talks there. Returns when all their
// goroutines have ended. Once.
void stop(Server* server, std::chrono::milliseconds grace);

}  // namespace kv
