"""Goroutines in gdb: ./course debug loads this; by hand: (gdb) source runtime/debugging/goro_gdb.py

    info goroutines          every goroutine: its id, what it does or waits for, and where
    goroutine ID [COMMAND]   runs a gdb command as if that goroutine were the thread; without one, bt
    goroutine all [COMMAND]  the same for each

and what the debugger prints for a G, an M, a P, a channel.

A goroutine that runs is a thread's, and the command runs on that thread. One that does not run is a
stack pointer: its registers lie on its stack, as contracts/context_switch.h says. They are put into
the selected thread's registers while the command runs, and taken out again. The registers of a core
file cannot be changed; there a backtrace is made from the frame records.
"""

import re

import gdb

# contracts/context_switch.h: register, offset from the saved stack pointer; then the frame record,
# and where the caller's frame begins.
LAYOUTS = {
    "i386:x86-64": (
        {"r15": 8, "r14": 16, "r13": 24, "r12": 32, "rbx": 40, "rbp": 48, "rip": 56},
        "rsp", 48, 64),
    "aarch64": (
        dict({"x%d" % n: 80 + 8 * (n - 19) for n in range(19, 31)}, pc=168),
        "sp", 160, 176),
}

STATUS = {0: "idle", 1: "runnable", 2: "running", 3: "syscall", 4: "waiting", 6: "dead",
          8: "copystack", 9: "preempted"}
SCAN = 0x1000
WAITING, RUNNING, SYSCALL, DEAD, COPYSTACK = 4, 2, 3, 6, 8
ON_A_THREAD = (RUNNING, SYSCALL, COPYSTACK)


class NotHere(gdb.GdbError):
    """A sentence for the user; gdb prints it without a traceback."""


def plain(value):
    """An atomic's value, in whatever it is wrapped."""
    while value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
        held = [f for f in value.type.strip_typedefs().fields() if hasattr(f, "bitpos")]
        if len(held) != 1:
            break
        value = value[held[0]]
    return value


def global_value(name):
    for spelling in ("goro::" + name, "'goro::(anonymous namespace)::%s'" % name):
        try:
            return gdb.parse_and_eval(spelling)
        except gdb.error:
            pass
    raise NotHere("this program has no goro runtime, or no debug information (%s)" % name)


def words(address, count):
    memory = gdb.selected_inferior().read_memory(address, 8 * count)
    data = bytes(memory)
    return [int.from_bytes(data[i:i + 8], "little") for i in range(0, 8 * count, 8)]


def layout():
    name = gdb.selected_inferior().architecture().name()
    if name not in LAYOUTS:
        raise NotHere("goroutines are known on x86-64 and ARM64, not on " + name)
    return LAYOUTS[name]


def every_g():
    """The Gs that are somebody's: frame/allgs.cpp keeps them in slabs, in a line's distance."""
    g_type = gdb.lookup_type("goro::G")
    slab = plain(global_value("first_slab"))
    while slab != 0:
        first = int(slab) + g_type.alignof
        for i in range(int(plain(slab["used"]))):
            g = gdb.Value(first + i * g_type.sizeof).cast(g_type.pointer()).dereference()
            if status_of(g) not in (0, DEAD):
                yield g
        slab = plain(slab["next"])


def status_of(g):
    return int(plain(g["atomicstatus"])) & ~SCAN


def doing(g):
    status = status_of(g)
    if status == WAITING:
        reason = str(plain(g["waitreason"])).split("::")[-1].replace("_", " ")
        return reason if reason != "none" else "waiting"
    return STATUS.get(status, "???")


def thread_of(g):
    """The thread that runs g, or None."""
    m = plain(g["m"])
    if status_of(g) not in ON_A_THREAD or m == 0:
        return None
    handle = m["thread"].cast(gdb.lookup_type("unsigned long"))
    try:
        return gdb.selected_inferior().thread_from_handle(handle)
    except (gdb.error, TypeError, ValueError):
        return None


def older_segment(hi):
    """(lo, hi) of the segment before the one that ends at hi (contracts/chained_stack.h), or None:
    the mark of any other stack is even."""
    _, _, older_lo, older_hi, _, _, mark, _ = words(hi - 64, 8)
    return (older_lo, older_hi) if mark & 1 else None


def seam():
    """Where a function returns to that was called over a seam."""
    try:
        return int(gdb.parse_and_eval("(unsigned long)&goro_lessstack"))
    except gdb.error:
        return None


def records(g):
    """Return addresses of a goroutine that does not run, the newest first."""
    record = int(g["sched"]["sp"]) + layout()[2]
    lo, hi = int(g["stack"]["lo"]), int(g["stack"]["hi"])
    above, into_the_seam = lo, seam()
    while record % 8 == 0:
        older = older_segment(hi)
        over = older is not None and older[0] <= record < older[1]
        if over:
            above, hi = older
        if not above <= record <= hi - 16:
            return
        # The record at a seam returns into a prologue; behind it is where the function returns to.
        caller, back = words(record, 2) if not over else words(record, 3)[::2]
        if back == 0:
            return
        if back != into_the_seam:
            yield back
        above, record = record + 1, caller


def places(pc):
    """(function, line) of the call before a return address: what was inlined there, then what it
    was inlined into, of which gdb does not say the line."""
    line = gdb.find_pc_line(pc - 1)
    where = "%s:%d" % (line.symtab.filename, line.line) if line.symtab is not None else "???"
    found = []
    block = gdb.current_progspace().block_for_pc(pc - 1)
    while block is not None and not block.is_global and not block.is_static:
        if block.function is not None:
            found.append((block.function.print_name, "???" if found else where))
        block = block.superblock
    if not found:
        symbol = gdb.execute("info symbol %d" % (pc - 1), to_string=True).split(" + ")[0].strip()
        found.append(("???" if symbol.startswith("No symbol") else symbol, where))
    return found


def frames():
    """The same for each frame of the selected thread."""
    frame = gdb.newest_frame()
    while frame is not None:
        line = frame.find_sal()
        where = "%s:%d" % (line.symtab.filename, line.line) if line.symtab is not None else "???"
        yield frame.name() or "???", where
        try:
            frame = frame.older()
        except gdb.error:
            return


def of_the_runtime(name, where):
    return name.startswith(("goro_", "__morestack")) or re.match(r"(\w+ )?goro::", name) is not None \
        or "/runtime/include/goro/" in where or "/runtime/frame/" in where


def innermost(steps):
    """The first that is not the runtime's, or else the first."""
    first = None
    for name, where in steps:
        said = "%s at %s" % (re.sub(r"\((?!anonymous|\)).*", "", name), where)
        first = first or said
        if not of_the_runtime(name, where):
            return said
    return first or "???"


def where_is(g):
    if g["sched"]["sp"] == 0:
        return "not run yet"
    try:
        with AsGoroutine(g):
            return innermost(frames())
    except gdb.error:  # no registers to change, as in a core file
        return innermost(step for pc in records(g) for step in places(pc))


class InfoGoroutines(gdb.Command):
    """Every goroutine: its id, what it does or waits for, and where. A star: it runs."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        found = 0
        for g in every_g():
            found += 1
            thread = thread_of(g)
            if thread is not None:
                where = "thread %d" % thread.num
            elif status_of(g) in ON_A_THREAD:
                where = "on a thread that gdb cannot tell"
            else:
                where = where_is(g)
            print("%s %-5d %-24s %s" % ("*" if status_of(g) == RUNNING else " ",
                                        int(g["goid"]), "[" + doing(g) + "]", where))
        if found == 0:
            print("No goroutines: the runtime is not running (yet, or any more).")


class AsGoroutine:
    """The selected thread with the registers of a goroutine that does not run, or its thread."""

    def __init__(self, g):
        self.g = g
        self.kept = {}
        self.thread = None

    def __enter__(self):
        self.thread = gdb.selected_thread()
        running = thread_of(self.g)
        if running is not None:
            running.switch()
            gdb.newest_frame().select()
            return self
        if status_of(self.g) in ON_A_THREAD:
            raise NotHere("goroutine %d is on a thread that gdb cannot tell; try thread apply all bt" %
                          int(self.g["goid"]))
        registers, stack_pointer, _, size = layout()
        sp = int(self.g["sched"]["sp"])
        if sp == 0:
            raise NotHere("goroutine %d has not run yet" % int(self.g["goid"]))
        gdb.newest_frame().select()
        wanted = {stack_pointer: sp + size}
        for register, offset in registers.items():
            wanted[register] = words(sp + offset, 1)[0]
        try:
            for register, value in wanted.items():
                self.kept[register] = int(gdb.parse_and_eval("(unsigned long)$" + register))
                gdb.execute("set var $%s = %d" % (register, value), to_string=True)
        except gdb.error:
            self.restore()
            raise
        gdb.newest_frame().select()
        return self

    def restore(self):
        if self.kept:
            gdb.newest_frame().select()
            for register, value in self.kept.items():
                gdb.execute("set var $%s = %d" % (register, value), to_string=True)
            self.kept = {}

    def __exit__(self, *exception):
        if self.thread is not None and self.thread.is_valid():
            if not self.kept:
                self.thread.switch()
        self.restore()
        return False


def run_as(g, command):
    print("goroutine %d [%s]:" % (int(g["goid"]), doing(g)))
    try:
        with AsGoroutine(g):
            gdb.execute(command)
            return
    except gdb.error as problem:
        if command.split()[0] not in ("bt", "backtrace", "where"):
            raise NotHere("goroutine %d: %s" % (int(g["goid"]), problem))
    # No registers to change, as in a core file.
    number = 0
    for pc in records(g):
        for name, line in places(pc):
            print("#%-2d 0x%016x in %s at %s" % (number, pc, name, line))
            number += 1


class Goroutine(gdb.Command):
    """goroutine ID [COMMAND]: runs COMMAND (bt if there is none) as that goroutine; ID may be all."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        which, _, command = argument.strip().partition(" ")
        command = command.strip() or "bt"
        if which == "all":
            for g in list(every_g()):
                run_as(g, command)
            return
        if not which.isdigit():
            raise NotHere("goroutine ID [COMMAND], for example: goroutine 7 bt")
        for g in every_g():
            if int(g["goid"]) == int(which):
                run_as(g, command)
                return
        raise NotHere("there is no goroutine %s; info goroutines lists them" % which)


def name_of_g(pointer):
    if pointer == 0:
        return "none"
    g = pointer.dereference()
    return "g0" if int(g["goid"]) == 0 else "G%d" % int(g["goid"])


def gs_of_queue(waitq):
    names = []
    sudog = plain(waitq["first"])
    while sudog != 0 and len(names) < 100:
        names.append(name_of_g(sudog["g"]))
        sudog = sudog["next"]
    return "[" + " ".join(names) + "]"


def describe_g(g):
    stack = g["stack"]
    return "%s [%s], stack of %d" % (name_of_g(g.address), doing(g),
                                     int(stack["hi"]) - int(stack["lo"]))


def describe_m(m):
    p = plain(m["p"])
    doing_now = ", spinning" if plain(m["spinning"]) else ""
    doing_now += ", asleep" if plain(m["blocked"]) else ""
    return "M%d runs %s on %s%s" % (int(m["id"]), name_of_g(plain(m["curg"])),
                                    "P%d" % int(p["id"]) if p != 0 else "no P", doing_now)


def describe_p(p):
    states = ["idle", "running", "syscall", "gcstop", "dead"]
    state = int(plain(p["status"]))
    head, tail = int(plain(p["runqhead"])), int(plain(p["runqtail"]))
    ring = p["runq"]
    size = ring.type.range()[1] + 1
    queue = []
    for i in range((tail - head) % 2**32):
        queue.append(name_of_g(plain(ring[(head + i) % size])))
    return "P%d %s, runnext %s, LRQ [%s]" % (int(p["id"]),
                                             states[state] if state < 5 else "???",
                                             name_of_g(plain(p["runnext"])), " ".join(queue))


def describe_hchan(c):
    return "channel%s, %d of %d values, receivers %s, senders %s" % (
        " (closed)" if plain(c["closed"]) else "", int(plain(c["qcount"])), int(c["dataqsiz"]),
        gs_of_queue(c["recvq"]), gs_of_queue(c["sendq"]))


def describe_handle(handle):
    c = plain(handle)
    return "nil channel" if c == 0 else describe_hchan(c.dereference())


class Described:
    """One line about a value; print/r shows its fields."""

    def __init__(self, value, describe):
        self.value = value
        self.describe = describe

    def to_string(self):
        return self.describe(self.value)


DESCRIBED = {"goro::G": describe_g, "goro::M": describe_m, "goro::P": describe_p,
             "goro::Hchan": describe_hchan}
HANDLES = ("goro::Channel<", "goro::SendChannel<", "goro::ReceiveChannel<")


def printer(value):
    name = value.type.unqualified().strip_typedefs().tag or ""
    if name in DESCRIBED:
        return Described(value, DESCRIBED[name])
    if name.startswith(HANDLES):
        return Described(value, describe_handle)
    return None


InfoGoroutines()
Goroutine()
gdb.pretty_printers.append(printer)
# The runtime's own signals: they would stop the debugger at every turn.
gdb.execute("handle SIGURG nostop noprint pass", to_string=True)
