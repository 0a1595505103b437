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
  TextSink& put(const char* text, std::size_t length);
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

// A captured backtrace: return addresses, innermost first. Where a signal interrupted a function,
// the address behind the one it was at: in either case the byte before belongs to the call.
struct Backtrace {
  static constexpr int kMax = 64;
  std::uintptr_t pc[kMax];
  int count = 0;
};

// Of the caller. Callable on any stack with 16 KB of room.
void capture_backtrace(Backtrace* trace);

// Of a goroutine, along its frame records, from the one at `record` on.
void capture_frames(const G* gp, std::uintptr_t record, Backtrace* trace);

// Of a goroutine that is off its stack.
void capture_parked(const G* gp, Backtrace* trace);

// M0's scheduler runs on the stack of whoever called run(): leaves that caller's frames out.
void cut_at_run(Backtrace* trace);

const char* status_name(std::uint32_t status);

// `goroutine 7 [chan receive]:` and the frames; null trace: none are known.
void print_goroutine(TextSink* out, const G* gp, const Backtrace* trace);

// For each function, innermost first, its name and, on a line of its own, `file:line +0x12`, how
// far into the function that is; without debug information `program+0x1234`, for addr2line.
// Functions of the runtime, of the tests' harness and of libraries are left out, unless there is
// nothing else or the environment has GORO_TRACEBACK=system.
void print_backtrace(TextSink* out, const Backtrace& trace);

// Whether it has functions that are not left out.
bool has_program_functions(const Backtrace& trace);

// `created by function in goroutine 1` and where the go statement is.
void print_creator(TextSink* out, std::uintptr_t pc, std::uint64_t goid);

// Every goroutine that is not dead, then every P's queues.
void print_all(TextSink* out);

// The function that a return address belongs to, and where it stands. Of functions inlined into one
// another, the first that is not the runtime's or a library's.
void print_symbol(TextSink* out, std::uintptr_t pc);

// Set inside a signal handler: a dump must neither allocate nor use much stack.
extern bool dump_in_signal;

}  // namespace goro
