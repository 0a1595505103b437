// Text about goroutines: backtraces, dumps, and the process's end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "contracts/model.h"

namespace goro {

// Formats into a buffer of its own and writes it to a file descriptor or a string, without
// allocating (unless it writes to a string): usable in a signal handler and when memory has run
// out.
class TextSink {
 public:
  explicit TextSink(int fd) : fd_(fd) {}
  explicit TextSink(std::string* text) : text_(text) {}
  TextSink(const TextSink&) = delete;
  TextSink& operator=(const TextSink&) = delete;
  ~TextSink() { flush(); }

  TextSink& put(const char* text);
  TextSink& number(std::uint64_t n);
  TextSink& signed_number(std::int64_t n);
  TextSink& hex(std::uint64_t n);
  void flush();

 private:
  int fd_ = -1;
  std::string* text_ = nullptr;
  std::size_t used_ = 0;
  char buffer_[2048];
};

// A captured backtrace: return addresses, innermost first.
struct Backtrace {
  static constexpr int kMax = 64;
  std::uintptr_t pc[kMax];
  int count = 0;
};

// Of the caller. Callable on any stack with 16 KB of room.
void capture_backtrace(Backtrace* trace);

// Of a goroutine that is off its stack, along its frame records.
void capture_parked(const G* gp, Backtrace* trace);

const char* status_name(std::uint32_t status);

// `goroutine 7 [chan receive]:` and the frames; null trace: none are known.
void print_goroutine(TextSink* out, const G* gp, const Backtrace* trace);
void print_backtrace(TextSink* out, const Backtrace& trace);

// Every goroutine that is not dead, then every P's queues.
void print_all(TextSink* out);

// `function(…)+0x12`, demangled if allowed (that allocates), and the file and offset for addr2line.
void print_symbol(TextSink* out, std::uintptr_t pc);

// Set while a dump must not allocate (inside a signal handler).
extern bool dump_in_signal;

}  // namespace goro
