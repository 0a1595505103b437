// The file that GORO_TRACE=FILE writes. Shared with ./course trace, which turns it into JSON.
//
//   FileHeader, then `reasons` words of kWordSize bytes: what a goroutine can wait for
//   for every run:
//     RunHeader
//     `buffers` times: BufferHeader, then `count` records
//
// All numbers as the machine has them, little-endian on both of ours. A buffer holds what one M
// did, in order; an M has as many buffers as it filled, numbered by `serial`.
#pragma once

#include <cstddef>
#include <cstdint>

namespace goro::trace {

inline constexpr char kMagic[8] = {'G', 'O', 'R', 'O', 'T', 'R', 'C', '1'};
inline constexpr std::uint32_t kRunMagic = 0x0a6e7552;
inline constexpr std::size_t kWordSize = 32;

// In parentheses what id, argument and number are.
enum class Kind : std::uint8_t {
  time = 0,      // `when` is the clock, all 64 bits of it
  p_taken = 1,   // this M holds a P from here on (its id)
  p_length = 2,  // length of an LRQ, by sysmon (the P's id, -, length)
  grq_length = 3,
  m_begins = 4,  // (-, 1 for sysmon)
  m_ends = 5,
  m_sleeps = 6,  // without a P: nobody needs it
  m_polls =
      7,  // without a P: until a timer is due, or somebody can go on who waits for the network
  m_wakes = 8,  // (-, 1 if it is to spin)
  world_stops = 9,
  world_starts = 10,
  m_looks = 11,  // (-, 1 if it spins) its P's queue and the GRQ have nothing: it looks elsewhere

  // With GORO_DEBUG=tracequeues=1: what changed in the queue of this M's P since it last said so.
  // Before the event at which that is seen, and most of it is what the M's event before did.
  runnext = 12,   // (who is there or 0)
  lrq_has = 13,   // (who is there, -, the slot: it counts on and on)
  lrq_ends = 14,  // (the tail, -, the head)
  slice = 15,     // (-, -, P::schedtick)

  // All below: of a goroutine (its id, -, its number: what happens to a goroutine is numbered,
  // but for its stops, which only whoever ran it records).
  created = 16,  // (-, 1 if the M's goroutine created it)
  // (-, with tracequeues, of one that waited at a channel: 1 was served, 2 it is closed)
  readied = 17,      // it waited, and can go on
  starts = 18,       // runs on this M
  calls = 19,        // begins a system call
  returns = 20,      // comes out of it, and still has a P
  requeued = 21,     // comes out of it without one, and has to wait for one
  stack_moved = 22,  // (-, binary logarithm of its new size)

  // Stops running on this M (-, -, 0).
  parks = 24,  // (-, why)
  yields = 25,
  preempted = 26,
  ends = 27,

  // The M's goroutine stops for one of these reasons, and another starts at the same moment: id
  // and number are the other's, the argument is the first one's.
  parks_for = 32,
  yields_for = 33,
  preempted_for = 34,
  ends_for = 35,

  // The same, and just before, that goroutine readied the one that starts: the number is that of
  // the readying, the start's is one more.
  readies_and_parks_for = 40,
  readies_and_yields_for = 41,
  readies_and_preempted_for = 42,
  readies_and_ends_for = 43,

  // Such a hand-over, again and again, in turns with the record that follows: `when` has in place
  // of ticks how many times more it happened, and the last one's number. Each time its goroutine's
  // numbers went up by two. unfold() tells it at length.
  readies_and_parks_for_repeated = 48,
  readies_and_yields_for_repeated = 49,
  readies_and_preempted_for_repeated = 50,
  readies_and_ends_for_repeated = 51,
};

inline constexpr std::uint8_t kSwitch =
    static_cast<std::uint8_t>(Kind::parks_for) - static_cast<std::uint8_t>(Kind::parks);

inline constexpr std::uint8_t kHandOver = static_cast<std::uint8_t>(Kind::readies_and_parks_for) -
                                          static_cast<std::uint8_t>(Kind::parks_for);

inline constexpr std::uint8_t kRepeated =
    static_cast<std::uint8_t>(Kind::readies_and_parks_for_repeated) -
    static_cast<std::uint8_t>(Kind::readies_and_parks_for);

// A hand-over's numbers are two, so the next one of the same goroutine is as much later.
inline constexpr std::uint32_t kNumbersOfHandOver = 2;

constexpr bool is_of_goroutine(Kind kind) {
  return kind >= Kind::created;
}
// Said before the event of the same M that it belongs to, and without a time of its own.
constexpr bool is_ahead(Kind kind) {
  return kind == Kind::p_taken || (kind >= Kind::runnext && kind <= Kind::slice);
}
constexpr bool is_stop(Kind kind) {
  return kind >= Kind::parks && kind <= Kind::ends;
}
constexpr bool is_hand_over(Kind kind) {
  return kind >= Kind::readies_and_parks_for && kind <= Kind::readies_and_ends_for;
}
constexpr bool is_repeated(Kind kind) {
  return kind >= Kind::readies_and_parks_for_repeated &&
         kind <= Kind::readies_and_ends_for_repeated;
}
// Hand-overs are switches, too.
constexpr bool is_switch(Kind kind) {
  return (kind >= Kind::parks_for && kind <= Kind::ends_for) || is_hand_over(kind);
}

// How the M's goroutine stopped, of a switch or a hand-over.
constexpr Kind stop_of(Kind kind) {
  return static_cast<Kind>(static_cast<std::uint8_t>(kind) - kSwitch -
                           (is_hand_over(kind) ? kHandOver : 0));
}

struct Record {
  std::uint64_t what = 0;  // kind, 8 bits; argument, 8 bits; id, 48 bits
  // Ticks since the buffer's last record with a time, 32 bits, 0: no time was taken; number, 32
  // bits.
  std::uint64_t when = 0;

  [[nodiscard]] constexpr Kind kind() const { return static_cast<Kind>(what & 0xff); }
  [[nodiscard]] constexpr std::uint8_t argument() const {
    return static_cast<std::uint8_t>(what >> 8);
  }
  [[nodiscard]] constexpr std::uint64_t id() const { return what >> 16; }
  [[nodiscard]] constexpr std::uint32_t ticks() const { return static_cast<std::uint32_t>(when); }
  [[nodiscard]] constexpr std::uint32_t number() const {
    return static_cast<std::uint32_t>(when >> 32);
  }
};
static_assert(sizeof(Record) == 16);

// One of the times that a record tells of, counted from 0.
constexpr Record time_of(const Record& record, std::uint32_t which) {
  if (!is_repeated(record.kind())) return record;
  const std::uint32_t later = (record.ticks() - which) * kNumbersOfHandOver;
  return {record.what - kRepeated, std::uint64_t{record.number() - later} << 32};
}

// Calls f with each of a buffer's records, those that are repeated as often as they happened.
template <typename F>
void unfold(const Record* records, std::size_t count, F&& f) {
  for (std::size_t i = 0; i < count;) {
    if (!is_repeated(records[i].kind())) {
      f(records[i++]);
      continue;
    }
    // Whichever of the two came first also came last, or they are equally many.
    const std::uint32_t again = records[i].ticks();
    const bool in_turns = i + 1 < count;
    const std::uint32_t others =
        in_turns && is_repeated(records[i + 1].kind()) ? records[i + 1].ticks() : 0;
    for (std::uint32_t n = 0; n <= again; ++n) {
      f(time_of(records[i], n));
      if (in_turns && n <= others) f(time_of(records[i + 1], n));
    }
    i += in_turns ? 2 : 1;
  }
}

struct FileHeader {
  char magic[8];
  std::uint32_t pid;
  std::uint32_t reasons;
};

struct RunHeader {
  std::uint32_t magic;
  std::uint32_t procs;
  std::uint64_t first_ticks;  // the clock when the run began, and the time
  std::int64_t first_ns;
  std::uint64_t last_ticks;
  std::int64_t last_ns;
  std::uint64_t lost;  // records that had to make room for later ones
  std::uint32_t buffers;
  std::uint32_t cut_off;  // 1: the process ended in the middle of the run
};

struct BufferHeader {
  std::int64_t m;
  std::uint32_t serial;
  std::uint32_t count;
};

}  // namespace goro::trace
