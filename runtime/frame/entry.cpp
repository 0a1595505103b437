#include "frame/entry.h"

#include <string>

#include "frame/dump.h"
#include "frame/end.h"

#if GORO_GROWABLE_STACKS && !GORO_CHAINED_STACKS
namespace goro {

[[noreturn]] void refuse_closure(const G* spawner, std::uintptr_t local, std::size_t offset) {
  std::string text;
  {
    TextSink out(&text);
    out.put("fatal error: go: the closure holds the address of a local: ").hex(local);
    out.put(" (at byte ").number(offset).put(" of the closure) lies on the stack of goroutine ");
    out.number(spawner->goid);
    out.put(
        ", which moves when it grows.\n"
        "Capture by value; or capture a handle (Channel, WaitGroup); or start goroutine ");
    out.number(spawner->goid);
    out.put(
        " with SpawnOptions{.stack = goro::chained()}, or goro::fixed_stack(bytes);\n"
        "or, if that word only looks like an address, pass SpawnOptions{.unchecked = true}.");
  }
  stop_with(text.c_str());
}

[[noreturn]] void refuse_pin(const G* gp) {
  std::string text;
  {
    TextSink out(&text);
    out.put("fatal error: pin_stack: goroutine ").number(gp->goid);
    out.put(
        " runs on a growable stack, which cannot be pinned on this processor.\n"
        "Start it with SpawnOptions{.stack = goro::chained()}, or with goro::fixed_stack(bytes).");
  }
  stop_with(text.c_str());
}

}  // namespace goro
#endif
