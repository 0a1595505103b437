// Backtraces: which functions a stack is in the middle of, and how that is told.
#include <unwind.h>

#include <cstring>
#include <initializer_list>
#include <string_view>

#include "contracts/chained_stack.h"
#include "contracts/context_switch.h"
#include "frame/demangle.h"
#include "frame/dump.h"
#include "frame/lines.h"
#include "frame/settings.h"
#include "frame/symbols.h"

namespace goro {

void capture_backtrace(Backtrace* trace) {
  trace->count = 0;
  _Unwind_Backtrace(
      [](_Unwind_Context* context, void* arg) {
        auto* t = static_cast<Backtrace*>(arg);
        int interrupted = 0;
        const std::uintptr_t pc = _Unwind_GetIPInfo(context, &interrupted);
        if (pc == 0 || t->count == Backtrace::kMax) return _URC_END_OF_STACK;
        if (is_seam(pc)) return _URC_NO_REASON;
        t->pc[t->count++] = interrupted != 0 ? pc + 1 : pc;
        return _URC_NO_REASON;
      },
      trace);
}

void capture_frames(const G* gp, std::uintptr_t record, Backtrace* trace) {
  trace->count = 0;
  // Frame records are {saved frame pointer, return address}; on one segment each lies above the one
  // before.
  Stack within = gp->stack;
  std::uintptr_t above = within.lo;
  while (trace->count < Backtrace::kMax && record % 8 == 0) {
    const bool seam = over_the_seam(gp, &within, record);
    if (seam) above = within.lo;
    if (record < above || record + 16 > within.hi) break;
    const auto* words = reinterpret_cast<const std::uintptr_t*>(record);
    const std::uintptr_t pc = words[seam ? 2 : 1];
    if (pc == 0) break;
    if (!is_seam(pc)) trace->pc[trace->count++] = pc;
    above = record + 1;
    record = words[0];
  }
}

void capture_parked(const G* gp, Backtrace* trace) {
  trace->count = 0;
  const bool in_syscall = (gp->atomicstatus.load(std::memory_order_relaxed) & ~kGScan) ==
                          static_cast<std::uint32_t>(GStatus::syscall);
  const M* mp = gp->m.look();
  if (in_syscall ? mp == nullptr : gp->sched.sp == 0) return;
  capture_frames(gp, in_syscall ? mp->syscall_frame : gp->sched.sp + kSwitchFrameRecord, trace);
}

namespace {

constexpr std::size_t kNameRoom = 1024;

bool starts_with_one_of(std::string_view text, std::initializer_list<std::string_view> starts) {
  for (const std::string_view start : starts) {
    if (text.starts_with(start)) return true;
  }
  return false;
}

// The folder that this file's folder is in, as the compiler was told it.
std::string_view runtime_folder() {
  constexpr std::string_view kThisFile = __FILE__;
  return kThisFile.substr(0, kThisFile.rfind("frame/"));
}

// "solutions/09-channels/…"
bool is_of_a_solution(std::string_view file) {
  constexpr std::string_view kOwner = "solutions/";
  const auto digit = [&](std::size_t at) {
    return at < file.size() && file[at] >= '0' && file[at] <= '9';
  };
  for (std::size_t at = file.find(kOwner); at != std::string_view::npos;
       at = file.find(kOwner, at + 1)) {
    const std::size_t lab = at + kOwner.size();
    const bool whole = at == 0 || file[at - 1] == '/';
    if (whole && digit(lab) && digit(lab + 1) && file.substr(lab + 2).starts_with('-')) return true;
  }
  return false;
}

// Of the runtime, the tests' harness or a library. A slot that a student submits is not.
bool is_machinery(std::string_view file) {
  if (is_of_a_solution(file) || file.find("/include/goro/") != std::string_view::npos ||
      file.starts_with("/usr/include/") || file.find("/include/c++/") != std::string_view::npos ||
      file.find("/googletest/") != std::string_view::npos) {
    return true;
  }
  if (!file.starts_with(runtime_folder())) return false;
  return starts_with_one_of(file.substr(runtime_folder().size()),
                            {"frame/", "contracts/", "include/", "simulation/", "testing/"});
}

bool is_of_the_system(const Symbol& symbol) {
  return !symbol.of_program && (symbol.file == nullptr ||
                                starts_with_one_of(symbol.file, {"/lib", "/usr/", "linux-vdso"}));
}

// The same where there is no debug information.
bool is_machinery(const Symbol& symbol) {
  if (!symbol.of_program) return is_of_the_system(symbol);
  return symbol.name != nullptr &&
         starts_with_one_of(symbol.name, {"_ZN4goro", "_ZNK4goro", "goro_", "_ZN7testing",
                                          "_ZNK7testing", "_ZNSt", "_ZSt", "__", "_start"});
}

bool shows_everything() {
  return settings().traceback_system;
}

// How the functions at one address are shown.
struct Manner {
  bool everything;               // the machinery too
  bool only_first = false;       // of those inlined into one another
  std::uint64_t created_in = 0;  // the goroutine, behind the name
};

// The lambda that a template is for: the first argument that is one in
// "call<main::{lambda()#1}>()".
std::string_view lambda_in(std::string_view name) {
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const char c = name[at];
    const bool separates = depth == 1 && (c == ',' || c == '>');
    if (separates && name.substr(start, at - start).find("{lambda") != std::string_view::npos) {
      return name.substr(start, at - start);
    }
    if (c == '<') ++depth;
    if (c == '>') --depth;
    if ((c == '<' && depth == 1) || separates) start = at + 1;
  }
  return {};
}

// Debug information of a lambda has no more than "operator()". If it is inlined into the template
// that calls it, as a goroutine's function is, that one's name tells which it is.
void put_name(TextSink* out, const char* name, const Symbol& symbol, const Manner& manner) {
  char room[kNameRoom];
  std::string_view lambda;
  if (name != nullptr && std::strcmp(name, "operator()") == 0 && symbol.name != nullptr) {
    lambda = lambda_in(demangled(symbol.name, room, sizeof(room)));
  }
  if (!lambda.empty()) {
    out->put(lambda.data(), lambda.size());
  } else {
    out->put(name == nullptr ? "???" : demangled(name, room, sizeof(room)));
  }
  if (manner.created_in != 0) out->put(" in goroutine ").number(manner.created_in);
  out->put("\n\t");
}

struct Shown {
  TextSink* out;  // null: it is only counted
  std::uintptr_t pc;
  const Symbol& symbol;
  const Manner& manner;
  int last;  // the index of the function that the others are inlined into
  int count;
};

// Debug information of slots names their files from the course's root on; its readers take that for
// relative to the build folder.
const char* place_of(const char* file) {
  const std::string_view path = file;
  const std::string_view root = runtime_folder().substr(0, runtime_folder().rfind("runtime/"));
  if (!path.starts_with(root) || !path.substr(root.size()).starts_with("build")) return file;
  for (const std::string_view owner : {"/labs/", "/solutions/"}) {
    if (const std::size_t at = path.find(owner, root.size()); at != std::string_view::npos) {
      return file + at + 1;
    }
  }
  return file;
}

void show_line(const SourceLine& line, int index, void* arg) {
  auto* shown = static_cast<Shown*>(arg);
  if (!shown->manner.everything && (is_of_the_system(shown->symbol) || is_machinery(line.file))) {
    return;
  }
  if (shown->manner.only_first && shown->count > 0) return;
  ++shown->count;
  TextSink* out = shown->out;
  if (out == nullptr) return;
  const bool own = index == shown->last && shown->symbol.name != nullptr;
  put_name(out, own ? shown->symbol.name : line.function, shown->symbol, shown->manner);
  out->put(place_of(line.file)).put(":").number(static_cast<std::uint64_t>(line.line));
  if (shown->symbol.start != 0) out->put(" +").hex(shown->pc - shown->symbol.start);
  out->put("\n");
}

// Returns how many functions that were, 0 if none is to be shown.
int show(TextSink* out, std::uintptr_t pc, const Symbol& symbol, const Manner& manner) {
  Shown shown{out, pc - 1, symbol, manner, 0, 0};
  const int lines = source_lines(
      pc - 1, [](const SourceLine&, int, void*) {}, nullptr);
  if (lines > 0) {
    shown.last = lines - 1;
    source_lines(pc - 1, show_line, &shown);
    return shown.count;
  }
  if (!manner.everything && is_machinery(symbol)) return 0;
  if (out != nullptr) {
    put_name(out, symbol.name, symbol, manner);
    out->put(symbol.file != nullptr ? symbol.file : "???").put("+");
    out->hex(pc - 1 - symbol.base).put("\n");
  }
  return 1;
}

void show_one(TextSink* out, std::uintptr_t pc, Manner manner) {
  const Symbol symbol = find_symbol(pc - 1);
  manner.only_first = true;
  manner.everything = shows_everything() || show(nullptr, pc, symbol, manner) == 0;
  show(out, pc, symbol, manner);
}

int show_all(TextSink* out, const Backtrace& trace, bool everything) {
  int shown = 0;
  for (int i = 0; i < trace.count; ++i) {
    const Symbol symbol = find_symbol(trace.pc[i] - 1);
    if (symbol.name != nullptr && std::strcmp(symbol.name, "goro_gostart") == 0) break;
    shown += show(out, trace.pc[i], symbol, {.everything = everything});
  }
  return shown;
}

}  // namespace

void cut_at_run(Backtrace* trace) {
  for (int i = 0; i < trace->count; ++i) {
    const char* name = find_symbol(trace->pc[i] - 1).name;
    if (name != nullptr && std::string_view(name).starts_with("_ZN4goro6detail8run_main")) {
      trace->count = i;
    }
  }
}

void print_symbol(TextSink* out, std::uintptr_t pc) {
  show_one(out, pc, {.everything = false});
}

void print_creator(TextSink* out, std::uintptr_t pc, std::uint64_t goid) {
  out->put("created by ");
  show_one(out, pc, {.everything = false, .created_in = goid});
}

bool has_program_functions(const Backtrace& trace) {
  return show_all(nullptr, trace, false) > 0;
}

void print_backtrace(TextSink* out, const Backtrace& trace) {
  show_all(out, trace, shows_everything() || !has_program_functions(trace));
}

}  // namespace goro
