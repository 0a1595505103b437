#include "frame/settings.h"

#include "contracts/services/stackcheck.h"

#include <cstdlib>
#include <cstring>

namespace goro {

namespace {

// The number behind `name=` in the `length` bytes at `at`; -1 when something else stands there.
long value_of(const char* at, std::size_t length, const char* name) {
  const std::size_t size = std::strlen(name);
  if (length < size + 2 || std::strncmp(at, name, size) != 0 || at[size] != '=') return -1;
  char* end = nullptr;
  const long value = std::strtol(at + size + 1, &end, 10);
  constexpr long kMost = 1'000'000'000;
  return end == at + length && value >= 0 && value <= kMost ? value : -1;
}

// No C++ allocation here: operator new asks for the settings.
Settings read_settings() {
  Settings read;
  if (const char* text = std::getenv("GORO_MAXPROCS"); text != nullptr) {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    if (end != text && *end == '\0' && n > 0 && n <= 65536) read.maxprocs = static_cast<int>(n);
  }
  if (const char* text = std::getenv("GORO_TRACEBACK"); text != nullptr) {
    read.traceback_system = std::strcmp(text, "system") == 0;
  }
  if (const char* file = std::getenv("GORO_TRACE"); file != nullptr) {
    if (std::strlen(file) < sizeof(read.trace)) std::memcpy(read.trace, file, std::strlen(file));
    // This process's file: those that it starts would write over it.
    unsetenv("GORO_TRACE");
  }
  for (const char* at = std::getenv("GORO_DEBUG"); at != nullptr && *at != '\0';) {
    const char* comma = std::strchr(at, ',');
    const std::size_t length =
        comma != nullptr ? static_cast<std::size_t>(comma - at) : std::strlen(at);
    if (const long value = value_of(at, length, "stackcheck"); value >= 0) {
      read.stackcheck = value == 1;
    } else if (const long ms = value_of(at, length, "schedtrace"); ms >= 0) {
      read.schedtrace = static_cast<int>(ms);
    } else if (const long detail = value_of(at, length, "scheddetail"); detail >= 0) {
      read.scheddetail = detail != 0;
    } else if (const long off = value_of(at, length, "preemptoff"); off >= 0) {
      read.preemptoff = off != 0;
    } else if (const long async = value_of(at, length, "asyncpreemptoff"); async >= 0) {
      read.asyncpreemptoff = async != 0;
    } else if (const long storm = value_of(at, length, "preemptstorm"); storm >= 0) {
      read.preemptstorm = storm != 0;
    } else if (const long chained = value_of(at, length, "chainedstacks"); chained >= 0) {
      read.chainedstacks = chained != 0;
    } else if (const long every = value_of(at, length, "traceexact"); every >= 0) {
      read.traceexact = every != 0;
    } else if (const long queues = value_of(at, length, "tracequeues"); queues >= 0) {
      read.tracequeues = queues != 0;
    } else if (const long many = value_of(at, length, "tracebuffers"); many > 0) {
      read.tracebuffers = many < 65'536 ? static_cast<int>(many) : 65'536;
    }
    at = comma != nullptr ? comma + 1 : nullptr;
  }
  return read;
}

}  // namespace

bool stackcheck_is_on = false;
StackKind stack_kind_if_none_asked = StackKind::growable;

// Constant-initialised, then read before any other constructor: operator new asks on every call.
static Settings the_settings;
__attribute__((constructor(101))) static void read_environment() {
  the_settings = read_settings();
  stackcheck_is_on = the_settings.stackcheck;
#if GORO_CHAINED_STACKS
  stack_kind_if_none_asked = the_settings.chainedstacks ? StackKind::chained : StackKind::growable;
#endif
}

void settings_preemptoff(bool off) {
  the_settings.preemptoff = off;
}

void settings_read_again() {
  read_environment();
}

const Settings& settings() {
  return the_settings;
}

}  // namespace goro
