#include "frame/demangle.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "frame/dump.h"

#if GORO_DEMANGLER
// libsupc++'s (cmake/SourceLines.cmake): hands the name over in pieces. 0 if it was one.
extern "C" int goro_demangle(const char* mangled,
                             void (*piece)(const char* text, std::size_t length, void* arg),
                             void* arg);
#endif

namespace goro {

namespace {

struct Room {
  char* at;
  std::size_t left;
};

// All that fits, with a zero behind it.
void put_piece(const char* text, std::size_t length, void* arg) {
  auto* room = static_cast<Room*>(arg);
  const std::size_t part = std::min(length, room->left - 1);
  std::memcpy(room->at, text, part);
  room->at += part;
  room->left -= part;
  *room->at = '\0';
}

// Which of several copies of a function it is says nothing to a reader.
void cut_clone(char* text) {
  if (char* clone = std::strstr(text, " [clone ."); clone != nullptr) *clone = '\0';
}

}  // namespace

const char* demangled(const char* name, char* room, std::size_t size) {
  if (std::strncmp(name, "_Z", 2) != 0 || size == 0) return name;
  Room out{room, size};
#if GORO_DEMANGLER
  // It needs a hundred bytes of stack for each letter.
  constexpr std::size_t kLongest = 1000;
  constexpr std::size_t kLongestInSignal = 400;
  if (std::strlen(name) > (dump_in_signal ? kLongestInSignal : kLongest)) return name;
  if (goro_demangle(name, put_piece, &out) != 0) return name;
#else
  if (dump_in_signal) return name;
  char* plain = abi::__cxa_demangle(name, nullptr, nullptr, nullptr);
  if (plain == nullptr) return name;
  put_piece(plain, std::strlen(plain), &out);
  std::free(plain);
#endif
  cut_clone(room);
  return room;
}

}  // namespace goro
