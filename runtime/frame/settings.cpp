#include "frame/settings.h"

#include "contracts/services/stackcheck.h"

#include <cstdlib>
#include <cstring>

namespace goro {

namespace {

// No C++ allocation here: operator new asks for the settings.
Settings read_settings() {
  Settings read;
  if (const char* text = std::getenv("GORO_MAXPROCS"); text != nullptr) {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    if (end != text && *end == '\0' && n > 0 && n <= 65536) read.maxprocs = static_cast<int>(n);
  }
  for (const char* at = std::getenv("GORO_DEBUG"); at != nullptr && *at != '\0';) {
    const char* comma = std::strchr(at, ',');
    const std::size_t length =
        comma != nullptr ? static_cast<std::size_t>(comma - at) : std::strlen(at);
    constexpr char kStackcheck[] = "stackcheck=1";
    if (length == sizeof(kStackcheck) - 1 && std::strncmp(at, kStackcheck, length) == 0) {
      read.stackcheck = true;
    }
    at = comma != nullptr ? comma + 1 : nullptr;
  }
  return read;
}

}  // namespace

bool stackcheck_is_on = false;

// Constant-initialised, then read before any other constructor: operator new asks on every call.
static Settings the_settings;
__attribute__((constructor(101))) static void read_environment() {
  the_settings = read_settings();
  stackcheck_is_on = the_settings.stackcheck;
}

const Settings& settings() {
  return the_settings;
}

}  // namespace goro
