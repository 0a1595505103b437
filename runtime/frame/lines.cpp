#include "frame/lines.h"

#if GORO_SOURCE_LINES
#include <backtrace.h>

#include <atomic>
#endif

namespace goro {

#if GORO_SOURCE_LINES

const bool knows_source_lines = true;

namespace {

struct Visit {
  void (*f)(const SourceLine& line, int index, void* arg);
  void* arg;
  int count;
};

void ignore_error(void*, const char*, int) {}

// It cannot be freed, so there is one; a second thread that comes at the same moment loses a page.
backtrace_state* state() {
  static std::atomic<backtrace_state*> made{nullptr};
  backtrace_state* found = made.load(std::memory_order_acquire);
  if (found == nullptr) {
    constexpr int kThreads = 1;
    found = backtrace_create_state("/proc/self/exe", kThreads, ignore_error, nullptr);
    made.store(found, std::memory_order_release);
  }
  return found;
}

}  // namespace

int source_lines(std::uintptr_t pc, void (*f)(const SourceLine& line, int index, void* arg),
                 void* arg) {
  Visit visit{f, arg, 0};
  if (state() == nullptr) return 0;
  backtrace_pcinfo(
      state(), pc,
      [](void* data, std::uintptr_t, const char* file, int line, const char* function) {
        auto* v = static_cast<Visit*>(data);
        if (file == nullptr) return 0;
        v->f(SourceLine{function, file, line}, v->count, v->arg);
        ++v->count;
        return 0;
      },
      ignore_error, &visit);
  return visit.count;
}

#else

const bool knows_source_lines = false;

int source_lines(std::uintptr_t, void (*)(const SourceLine& line, int index, void* arg), void*) {
  return 0;
}

#endif

}  // namespace goro
