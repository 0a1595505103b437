#!/usr/bin/env python3
"""Copied, chained and fixed stacks beside each other: memory, recursion, and calls at a stack's end.

    runtime/bench/stacks.py --measure   builds and runs goro_stacks, on a machine that has nothing
                                        else to do (a minute), keeps the figures in stacks.json
                                        beside this file, and makes the tables
    runtime/bench/stacks.py             makes stacks.txt, and what pages quote of it, from the kept
                                        figures
    runtime/bench/stacks.py --check     fails when one of these is not what the figures give

Exit status: 0 done, 1 --check found something, 2 wrong use, 3 the figures cannot be had.
"""

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from peers import figure, quoting

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KEPT = HERE / "stacks.json"
TABLE = HERE / "stacks.txt"
PAGES = [ROOT / "README.md", HERE / "README.md", ROOT / "docs" / "stacks-in-cpp.md"]

KINDS = ["copied", "chained", "fixed"]
# A fixed stack is two mappings of the kernel's, of which a process may have 65,530.
PARKED = {"copied": 1_000_000, "chained": 1_000_000, "fixed": 10_000}
ROUNDS = 21
# Of work that a function does, in nanoseconds. What a call at the end of a stack costs is the median
# over these; an empty function is shown too, but is no work.
WORK = [1, 10, 30, 100]
BAR = 3.0
MEMORY_BAR = 2600


def fail(text):
    print(f"stacks.py: {text}", file=sys.stderr)
    sys.exit(3)


# -- measuring --

def machine():
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"),
                      re.MULTILINE)
    return f"{model[1] if model else 'a processor'}, {os.cpu_count()} processors, {platform.machine()}"


def run(*command):
    try:
        return subprocess.run(command, check=True, cwd=ROOT, text=True, stdout=subprocess.PIPE).stdout
    except OSError as error:
        fail(f"{command[0]}: {error.strerror}")
    except subprocess.CalledProcessError as error:
        fail(f"{' '.join(command)} ended with status {error.returncode}")


def measure():
    run("cmake", "--preset", "gcc-release")
    run("cmake", "--build", "build/gcc-release", "--target", "goro_stacks")
    program = "build/gcc-release/runtime/bench/goro_stacks"
    found = defaultdict(list)
    runs = [("calls", str(ROUNDS)), ("recursion", str(ROUNDS))]
    runs += [("memory", kind, str(count)) for kind, count in PARKED.items()]
    for arguments in runs:
        for said in run(program, *arguments).splitlines():
            what, kind, size, value = said.split()
            found[what, kind, int(size)].append(float(value))
    figures = [{"what": what, "kind": kind, "size": size, "median": statistics.median(values),
                "lowest": min(values), "highest": max(values)}
               for (what, kind, size), values in found.items()]
    return {"machine": machine(), "compiler": run("g++", "--version").splitlines()[0],
            "date": datetime.date.today().isoformat(),
            "command": "runtime/bench/stacks.py --measure", "rounds": ROUNDS, "figures": figures}


# -- the tables --

def medians(kept):
    return {(one["what"], one["kind"], one["size"]): one["median"] for one in kept["figures"]}


def line(name, cells):
    return (f"{name:<58}" + "".join(f"{cell:>12}" for cell in cells)).rstrip()


def row(found, name, what, size, unit="ns"):
    return line(name, [figure(found[what, kind, size], unit) if (what, kind, size) in found else "–"
                       for kind in KINDS])


def ordinary_calls(found, kind, work):
    """A call at the end of a stack, in calls of the same function on a stack that has room."""
    return found["call-at-the-end", kind, work] / found["call", kind, work]


def hot_split(found, kind):
    return statistics.median(ordinary_calls(found, kind, work) for work in WORK)


def table(kept):
    def block(name, lines):
        return [f"# [{name}]", *lines, f"# [/{name}]"]

    found = medians(kept)
    said = [kept["machine"], kept["compiler"],
            f"{kept['date']}; {kept['command']}: medians of {kept['rounds']} rounds"]
    memory = line(f"memory of one that waits, {PARKED['copied']:,} at once",
                  [figure(found["memory", kind, count], "bytes") + ("" if count == PARKED["copied"] else "*")
                   for kind, count in PARKED.items()])
    median = line("a call at the stack's end, in ordinary calls: median",
                  [*(f"{hot_split(found, kind):.2f}" for kind in KINDS[:2]), "–"])
    sizes = sorted({size for what, _, size in found if what == "recursion"})
    works = [0, *WORK]
    calls = [line("", KINDS)]
    for work in works:
        doing = f"of a function that works for about {work} ns" if work else "of an empty function"
        calls.append(row(found, f"a call {doing}", "call", work))
        calls.append(row(found, "  at the stack's end", "call-at-the-end", work))
        calls.append(line("  in ordinary calls", [
            *(f"{ordinary_calls(found, kind, work):.2f}" for kind in KINDS[:2]), "–"]))
    calls.append(median)
    deep = [line("", KINDS)]
    for size in sizes:
        deep.append(row(found, f"one call of {size:,}, the first time", "recursion", size))
        deep.append(row(found, "  once more", "recursion-again", size))
    deepest = sizes[-1]
    short = [line("", KINDS), memory, median,
             row(found, "an ordinary call, of a function that works for about 1 ns", "call", 1),
             row(found, f"one call of a recursion {sizes[1]:,} deep, the first time", "recursion", sizes[1]),
             row(found, f"one call of a recursion {deepest:,} deep, the first time", "recursion", deepest),
             row(found, "  once more", "recursion-again", deepest),
             f"* {PARKED['fixed']:,} at once: the kernel has no more mappings for a process"]
    missed = []
    if hot_split(found, "chained") > BAR:
        missed.append(f"a call at a chained stack's end ≤ {BAR:g} ordinary ones")
    if found["memory", "chained", PARKED["chained"]] > MEMORY_BAR:
        missed.append(f"memory of a chained one that waits ≤ {MEMORY_BAR:,} B")
    return "\n".join(block("machine", said) + block("short", short) + block("calls", calls)
                     + block("recursion", deep) + block("missed", missed or ["none"])) + "\n"


# -- the command line --

def read():
    try:
        return json.loads(KEPT.read_text(encoding="utf-8"))
    except OSError as error:
        fail(f"{KEPT}: {error.strerror}; --measure makes it")
    except json.JSONDecodeError as error:
        fail(f"{KEPT} is not what --measure writes: {error}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--measure", action="store_true")
    only.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.measure:
        KEPT.write_text(json.dumps(measure(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    kept = read()
    try:
        files = {TABLE: table(kept)}
    except (KeyError, TypeError) as error:
        fail(f"{KEPT} is not what --measure writes: {error!r}")
    for page in PAGES:
        files[page] = quoting(page.read_text(encoding="utf-8"), files[TABLE], "runtime/bench/stacks.txt")
    if options.check:
        stale = [path.name for path, text in files.items()
                 if not path.exists() or path.read_text(encoding="utf-8") != text]
        for name in stale:
            print(f"{name} does not say what {KEPT.name} says; run runtime/bench/stacks.py",
                  file=sys.stderr)
        return 1 if stale else 0
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
