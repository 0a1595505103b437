#!/usr/bin/env python3
"""Measures a thread against a goroutine, and draws what docs/threads-and-goroutines.md shows.

    cmake --preset gcc-release
    cmake --build build/gcc-release --target lab_00_bench lab_01_bench_ref
    docs/plots/threads_and_goroutines.py --measure build/gcc-release/labs

measures with the benchmarks of labs 00 and 01 (about two minutes), keeps the figures in
threads_and_goroutines.json beside this file, and draws. A figure is the lowest of several runs,
because whatever else the machine does only adds to it; a picture shows the median as well. Without
--measure it only draws, from the figures that are kept. --check draws nothing: it fails when a
picture or the table is not what the kept figures give.
"""

import argparse
import datetime
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
KEPT = HERE / "threads_and_goroutines.json"
TABLE = HERE / "threads_and_goroutines.txt"
PICTURES = HERE.parent / "pictures"

SWITCHES = 64  # in one iteration of BM_SwitchRoundTrip; each is there and back

# name of the figure: (program, benchmark, counter or None for the time of an iteration, divisor)
FIGURES = {
    "create_thread": ("lab_00_bench", "BM_CreateThread/real_time", None, 1),
    "create_goroutine": ("lab_00_bench", "BM_CreateGoroutine/real_time", None, 1),
    "crowd_thread": ("lab_00_bench", "BM_CreateThousandThreads/real_time", "each", 1),
    "crowd_goroutine": ("lab_00_bench", "BM_CreateThousandGoroutines/real_time", "each", 1),
    "switch_futex": ("lab_00_bench", "BM_SwitchThread<FutexBaton>/real_time", "one_way", 1),
    "switch_condvar": ("lab_00_bench", "BM_SwitchThread<CondvarBaton>/real_time", "one_way", 1),
    "switch_channel": ("lab_00_bench", "BM_SwitchGoroutineChannel/real_time", "one_way", 1),
    "switch_yield": ("lab_00_bench", "BM_SwitchGoroutineYield/real_time", "one_way", 1),
    "switch_bare": ("lab_01_bench_ref", "BM_SwitchRoundTrip", None, 2 * SWITCHES),
    "resident_thread": ("lab_00_bench", "BM_Memory/thousand_threads/iterations:1/real_time",
                        "resident_each", 1),
    "resident_goroutine": ("lab_00_bench", "BM_Memory/thousand_goroutines/iterations:1/real_time",
                           "resident_each", 1),
    "virtual_thread": ("lab_00_bench", "BM_Memory/thousand_threads/iterations:1/real_time",
                       "virtual_each", 1),
    "virtual_goroutine": ("lab_00_bench", "BM_Memory/thousand_goroutines/iterations:1/real_time",
                          "virtual_each", 1),
    "compute_1_1": ("lab_00_bench", "BM_Compute/one_to_one/real_time", None, 1),
    "compute_n_1": ("lab_00_bench", "BM_Compute/many_to_one/real_time", None, 1),
    "compute_m_n": ("lab_00_bench", "BM_Compute/many_to_many_4_threads/real_time", None, 1),
    "block_1_1": ("lab_00_bench", "BM_Block/one_to_one/real_time", None, 1),
    "block_n_1": ("lab_00_bench", "BM_Block/many_to_one/real_time", None, 1),
    "block_m_n": ("lab_00_bench", "BM_Block/many_to_many_4_threads/real_time", None, 1),
}
NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
# Many short runs: some of them have the processors to themselves.
REPETITIONS = 40
SECONDS_EACH = 0.05


def fail(text):
    print(f"threads_and_goroutines.py: {text}", file=sys.stderr)
    sys.exit(3)


def run(program):
    """Every repetition of every benchmark of a program, by name."""
    if not program.exists():
        fail(f"there is no {program}; build it first: cmake --build build/gcc-release --target "
             f"{program.name}")
    command = [str(program), f"--benchmark_repetitions={REPETITIONS}",
               f"--benchmark_min_time={SECONDS_EACH}", "--benchmark_format=json"]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if answer.returncode != 0:
        fail(f"{program} ended with status {answer.returncode}")
    rows = {}
    for row in json.loads(answer.stdout)["benchmarks"]:
        if row["run_type"] == "iteration" and not row.get("error_occurred"):
            rows.setdefault(row["run_name"], []).append(row)
    return rows


def processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def compiler(folder):
    """What the programs were built with, as CMake noted it."""
    cache = folder.resolve().parent / "CMakeCache.txt"
    for line in cache.read_text(encoding="utf-8").splitlines() if cache.exists() else []:
        if line.startswith("CMAKE_CXX_COMPILER:"):
            answer = subprocess.run([line.split("=", 1)[1], "--version"], stdout=subprocess.PIPE,
                                    check=False, text=True)
            return answer.stdout.splitlines()[0]
    return "unknown compiler"


def measure(folder):
    programs = {name: run(folder / name) for name in sorted({row[0] for row in FIGURES.values()})}
    figures = {}
    for name, (program, benchmark, counter, divisor) in FIGURES.items():
        rows = programs[program].get(benchmark)
        if not rows:
            fail(f"{program} has no result for {benchmark}")
        if counter is None:
            # Threads that wait for each other use little processor time, so there it is the clock's;
            # code that never waits is measured by the processor time it used.
            time = "real_time" if benchmark.endswith("/real_time") else "cpu_time"
            values = [row[time] * NANOSECONDS[row["time_unit"]] for row in rows]
        else:
            # Times are in seconds there, memory in bytes.
            values = [row[counter] * (1 if "_each" in counter else 1e9) for row in rows]
        figures[name] = {
            "lowest": min(values) / divisor,
            "median": statistics.median(values) / divisor,
        }
    count = len(next(iter(programs.values())))
    print(f"{count} benchmarks, {REPETITIONS} times each", file=sys.stderr)
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{os.cpu_count()} processors, {processor()}",
        "compiler": compiler(folder),
        "system": f"{platform.system()} {platform.release()}, {platform.libc_ver()[0]} "
                  f"{platform.libc_ver()[1]}",
        "repetitions": REPETITIONS,
        "figures": figures,
    }


# -- what the page shows --

def three_digits(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def scaled(value, units):
    """`value` in the largest of `units` (name, size) that it has one of."""
    for name, size in units:
        if value >= size:
            return f"{three_digits(value / size)} {name}"
    name, size = units[-1]
    return f"{three_digits(value / size)} {name}"


TIME = [("ms", 1e6), ("µs", 1e3), ("ns", 1.0)]
MEMORY = [("MB", 1e6), ("KB", 1e3), ("bytes", 1.0)]

# file: title, unit, rows of (label, figure, which kind)
CHARTS = {
    "00-create.svg": ("Make one and see it end (logarithmic)", TIME, [
        ("thread, one at a time", "create_thread", "thread"),
        ("thread, 1,000 at a time", "crowd_thread", "thread"),
        ("goroutine, one at a time", "create_goroutine", "goroutine"),
        ("goroutine, 1,000 at a time", "crowd_goroutine", "goroutine"),
    ]),
    "00-switch.svg": ("One switch from one to the other (logarithmic)", TIME, [
        ("threads, condition variable", "switch_condvar", "thread"),
        ("threads, bare futex", "switch_futex", "thread"),
        ("goroutines, channel", "switch_channel", "goroutine"),
        ("goroutines, yield", "switch_yield", "goroutine"),
        ("lab 01's assembly alone", "switch_bare", "goroutine"),
    ]),
    "00-memory.svg": ("What one of 1,000 that wait takes (logarithmic)", MEMORY, [
        ("thread, addresses", "virtual_thread", "thread"),
        ("thread, memory", "resident_thread", "thread"),
        ("goroutine, addresses", "virtual_goroutine", "goroutine"),
        ("goroutine, memory", "resident_goroutine", "goroutine"),
    ]),
    "00-models.svg": ("64 tasks under three models; a block is 1 ms (logarithmic)", TIME, [
        ("compute: a thread each (1:1)", "compute_1_1", "thread"),
        ("compute: 4 threads (M:N)", "compute_m_n", "goroutine"),
        ("compute: 1 thread (N:1)", "compute_n_1", "other"),
        ("block: a thread each (1:1)", "block_1_1", "thread"),
        ("block: 4 threads (M:N)", "block_m_n", "goroutine"),
        ("block: 1 thread (N:1)", "block_n_1", "other"),
    ]),
}

STYLE = """
    .page { fill: #ffffff; }
    text { fill: #1f2328; font: 14px system-ui, sans-serif; }
    .title { font-weight: 600; }
    .tick { fill: #59636e; font-size: 12px; }
    .grid { stroke: #d1d9e0; stroke-width: 1; }
    .thread { fill: #c2571a; }
    .goroutine { fill: #1f6feb; }
    .other { fill: #7a6bb5; }
    .spread { stroke: #59636e; stroke-width: 2; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #1b1f24; }
      text { fill: #e6edf3; }
      .tick { fill: #9198a1; }
      .grid { stroke: #3d444d; }
      .thread { fill: #f0883e; }
      .goroutine { fill: #58a6ff; }
      .other { fill: #a99be0; }
      .spread { stroke: #9198a1; }
    }
"""
WIDTH, LEFT, RIGHT, ROW, TOP, BOTTOM = 720, 230, 90, 34, 44, 34


def draw(title, units, rows, figures):
    low = math.floor(math.log10(min(figures[name]["lowest"] for _, name, _ in rows)) - 0.3)
    high = math.ceil(math.log10(max(figures[name]["median"] for _, name, _ in rows)))
    height = TOP + ROW * len(rows) + BOTTOM
    span = WIDTH - LEFT - RIGHT

    def x(value):
        at = (math.log10(value) - low) / (high - low)
        return round(LEFT + span * min(max(at, 0.0), 1.0), 1)

    said = "; ".join(f"{label}: {scaled(figures[name]['lowest'], units)}"
                     for label, name, _ in rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
           f'width="{WIDTH}" height="{height}" role="img" aria-labelledby="t d">',
           f'  <title id="t">{title}</title>', f'  <desc id="d">{said}</desc>',
           f"  <style>{STYLE}  </style>",
           f'  <rect class="page" width="{WIDTH}" height="{height}" rx="8"/>',
           f'  <text class="title" x="16" y="26">{title}</text>']
    for power in range(low, high + 1):
        at = x(10.0 ** power)
        out.append(f'  <line class="grid" x1="{at}" y1="{TOP}" x2="{at}" '
                   f'y2="{height - BOTTOM}"/>')
        out.append(f'  <text class="tick" x="{at}" y="{height - 12}" text-anchor="middle">'
                   f"{tick(10.0 ** power, units)}</text>")
    for i, (label, name, kind) in enumerate(rows):
        figure = figures[name]
        y = TOP + ROW * i
        end = x(figure["lowest"])
        middle = y + ROW / 2
        out.append(f'  <text x="{LEFT - 10}" y="{middle + 5}" text-anchor="end">{label}</text>')
        out.append(f'  <rect class="{kind}" x="{LEFT}" y="{y + 7}" '
                   f'width="{round(max(end - LEFT, 1.0), 1)}" height="{ROW - 14}" rx="3"/>')
        out.append(f'  <line class="spread" x1="{end}" y1="{middle}" '
                   f'x2="{x(figure["median"])}" y2="{middle}"/>')
        out.append(f'  <text x="{max(end, x(figure["median"])) + 8}" y="{middle + 5}">'
                   f'{scaled(figure["lowest"], units)}</text>')
    return "\n".join(out + ["</svg>", ""])


def tick(value, units):
    for name, size in units:
        if value >= size:
            return f"{value / size:g} {name}"
    return f"{value / units[-1][1]:g} {units[-1][0]}"


def table(kept):
    """Regions of text that the page quotes, so that a figure is in the page only if it is here."""
    figures = {name: figure["lowest"] for name, figure in kept["figures"].items()}

    def time(name):
        return scaled(figures[name], TIME)

    def memory(name):
        return scaled(figures[name], MEMORY)

    def times(large, small):
        ratio = figures[large] / figures[small]
        return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times"

    def block(name, lines):
        return [f"# [{name}]", *lines, f"# [/{name}]"]

    def row(what, thread, goroutine, ratio):
        return f"{what:<34}{thread:>12}{goroutine:>14}{ratio:>15}".rstrip()

    head = row("", "thread", "goroutine", "")
    return "\n".join(
        block("machine", [kept["processor"], f"{kept['system']}; {kept['compiler']}",
                          f"{kept['date']}; the lowest of "
                          f"{kept['repetitions']} runs each"])
        + block("create", [
            head,
            row("one at a time", time("create_thread"), time("create_goroutine"),
                times("create_thread", "create_goroutine")),
            row("1,000 at a time, each", time("crowd_thread"), time("crowd_goroutine"),
                times("crowd_thread", "crowd_goroutine"))])
        + block("switch", [
            head,
            row("futex / yield", time("switch_futex"), time("switch_yield"),
                times("switch_futex", "switch_yield")),
            row("condition variable / channel", time("switch_condvar"), time("switch_channel"),
                times("switch_condvar", "switch_channel")),
            row("lab 01's assembly alone", "", time("switch_bare"), "")])
        + block("memory", [
            head,
            row("memory (resident)", memory("resident_thread"), memory("resident_goroutine"),
                times("resident_thread", "resident_goroutine")),
            row("addresses (virtual)", memory("virtual_thread"), memory("virtual_goroutine"),
                times("virtual_thread", "virtual_goroutine"))])
        + block("models", [
            f"{'64 tasks':<34}{'1:1':>12}{'M:N':>14}{'N:1':>15}",
            row("100 short steps each", time("compute_1_1"), time("compute_m_n"),
                time("compute_n_1")),
            row("one step that blocks for 1 ms", time("block_1_1"), time("block_m_n"),
                time("block_n_1"))])) + "\n"


def outputs(kept):
    files = {PICTURES / name: draw(title, units, rows, kept["figures"])
             for name, (title, units, rows) in CHARTS.items()}
    files[TABLE] = table(kept)
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", metavar="FOLDER", type=Path,
                        help="measure first; FOLDER has lab_00_bench and lab_01_bench_ref")
    parser.add_argument("--check", action="store_true",
                        help="do the pictures and the table agree with the kept figures?")
    options = parser.parse_args()
    if options.measure and options.check:
        parser.error("--measure writes, --check only looks; take one")
    if options.measure:
        KEPT.write_text(json.dumps(measure(options.measure), indent=1, ensure_ascii=False) + "\n",
                        encoding="utf-8")
    try:
        kept = json.loads(KEPT.read_text(encoding="utf-8"))
        files = outputs(kept)
    except FileNotFoundError:
        fail(f"there are no figures yet in {KEPT}; use --measure")
    except (json.JSONDecodeError, KeyError) as error:
        fail(f"{KEPT} is not what --measure writes: {error!r}")
    stale = []
    for path, text in files.items():
        if options.check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path.name)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"not what {KEPT.name} gives: {', '.join(stale)}; run {Path(__file__).name} again",
              file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
