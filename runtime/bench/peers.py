#!/usr/bin/env python3
"""Draws what `./course bench --peers` measured: the ratios, and cost against size.

    runtime/bench/peers.py --measure          measures, on a machine that has nothing else to do, keeps
                                              the figures in peers.json beside this file, and draws
    runtime/bench/peers.py                    makes peers.txt, what pages quote of it, and the
                                              pictures, from the kept figures
    runtime/bench/peers.py --check            fails when one of these is not what the figures give
    runtime/bench/peers.py FILE --svg PICTURE.svg
                                              draws another run's figures: the ratios and, if there
                                              are crowds among them, PICTURE-curve.svg

Exit status: 0 done, 1 --check found something, 2 wrong use, 3 the figures cannot be had.
"""

import argparse
import json
import math
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KEPT = HERE / "peers.json"
TABLE = HERE / "peers.txt"
RATIOS = HERE / "peers.svg"
PAGES = [ROOT / "README.md", HERE / "README.md", *(
    ROOT / "docs" / language / "threads-and-goroutines.md" for language in ("", "ko"))]

WHOS = ["goro", "go", "boost", "threads", "raw"]
COMPARED = ["go", "boost"]

STYLE = """
    .page { fill: #ffffff; }
    text { fill: #1f2328; font: 13px system-ui, sans-serif; }
    .title { font-weight: 600; font-size: 14px; }
    .tick { fill: #59636e; font-size: 12px; }
    .grid { stroke: #d1d9e0; stroke-width: 1; }
    .even { stroke: #59636e; stroke-width: 1.5; }
    .goro { stroke: #1f6feb; fill: #1f6feb; }
    .go { stroke: #1a7f64; fill: #1a7f64; }
    .boost { stroke: #7a6bb5; fill: #7a6bb5; }
    .threads { stroke: #c2571a; fill: #c2571a; }
    .hollow { fill: none; }
    .line { fill: none; stroke-width: 2; }
    .spread { stroke-width: 1.5; }
    text.goro, text.go, text.boost, text.threads { stroke: none; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #1b1f24; }
      text { fill: #e6edf3; }
      .tick { fill: #9198a1; }
      .grid { stroke: #3d444d; }
      .even { stroke: #9198a1; }
      .goro { stroke: #58a6ff; fill: #58a6ff; }
      .go { stroke: #3fb68b; fill: #3fb68b; }
      .boost { stroke: #a99be0; fill: #a99be0; }
      .threads { stroke: #f0883e; fill: #f0883e; }
      .hollow, .line { fill: none; }
    }
"""


class Scale:
    """A logarithmic axis from `low` to `high` between two places."""

    def __init__(self, low, high, start, end):
        self.low, self.high = math.log10(low), math.log10(high)
        self.start, self.end = start, end

    def __call__(self, value):
        part = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self.start + (self.end - self.start) * min(max(part, 0.0), 1.0), 1)


def picture(width, height, title, said, body):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-labelledby="t d">',
        f'  <title id="t">{title}</title>', f'  <desc id="d">{said}</desc>',
        f"  <style>{STYLE}  </style>",
        f'  <rect class="page" width="{width}" height="{height}" rx="8"/>',
        f'  <text class="title" x="16" y="26">{title}</text>', *body, "</svg>", ""])


def is_curve(row):
    return ", " in row["name"] and "at once" in row["name"]


def three_digits(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def figure(value, unit):
    """A median as people say it: 41.5 ns, 2.3 µs, 2,361 B, 44 MB."""
    if unit == "times":
        return f"{value:.2f}"
    if unit == "bytes":
        return f"{value / 1e6:,.1f} MB" if value >= 1e6 else f"{value:,.0f} B"
    nanoseconds = value * {"ns": 1, "us": 1e3}[unit]
    for name, size in [("ms", 1e6), ("µs", 1e3)]:
        if nanoseconds >= size:
            return f"{three_digits(nanoseconds / size)} {name}"
    return f"{three_digits(nanoseconds)} ns"


def ratio(row, who):
    """The median ratio, marked where goro is the slower or the larger."""
    if who not in row["ratios"]:
        return "–"
    middle = row["ratios"][who][1]
    return f"{middle:.2f}{'!' if middle > 1 else ' '}"


# -- the table --

def line(name, cells):
    return (f"{name:<42}" + "".join(f"{cell:>11}" for cell in cells)).rstrip()


def table_lines(rows):
    out = [line("", [*WHOS, *(f"goro/{who}" for who in COMPARED)])]
    for row in rows:
        cells = [figure(row["medians"][who], row["unit"]) if who in row["medians"] else "–"
                 for who in WHOS]
        out.append(line(f"{row['name']}, {row['procs']} P",
                        [*cells, *(ratio(row, who) for who in COMPARED)]))
    return out


SHORT = ["spawn", "yield", "ping-pong", "buffered", "select", "sieve", "skynet", "mutex-100",
         "timers", "recursion", "syscalls", "echo-64"]


def for_the_start_page(row):
    if row["workload"] == "memory":
        return "1,000,000 at once" in row["name"]
    aside = "first time" in row["name"] or "peak" in row["name"]
    return row["workload"] in SHORT and not aside


def table(kept):
    """Regions that pages quote."""
    def block(name, lines):
        return [f"# [{name}]", *lines, f"# [/{name}]"]

    versions = kept["versions"]

    def short(text):
        return text.removeprefix("go version ").split(" linux/")[0]

    rounds = f"{kept['rounds']} round" + ("s" if kept["rounds"] != 1 else "")
    machine = [kept["machine"],
               "; ".join(short(versions[who]) for who in WHOS[:-1] if who in versions),
               f"{kept['date'][:10]}; {kept['command']}: medians of {rounds}"]
    lost = [f"{row['name']}, {row['procs']} P: "
            + ", ".join(f"{bar['against']} ≤ {bar['limit']:g}" for bar in row["bars"]
                        if not bar["holds"])
            for row in kept["rows"] if any(not bar["holds"] for bar in row["bars"])]
    return "\n".join(
        block("machine", machine)
        + block("short", table_lines([row for row in kept["rows"] if for_the_start_page(row)]))
        + block("table", table_lines(kept["rows"]))
        + block("missed", lost or ["none"])) + "\n"


def quoting(page, regions, of="runtime/bench/peers.txt"):
    """`page` with the regions of the text in file `of` where it quotes them."""
    def block(found):
        lines = regions.split(f"# [{found[2]}]\n")[1].split(f"# [/{found[2]}]\n")[0]
        return f"{found[1]}```text\n{lines}```\n"

    mark = rf"(<!-- quote: {re.escape(of)}#(\w+) -->\n)(?:```text\n.*?^```\n)?"
    return re.sub(mark, block, page, flags=re.DOTALL | re.MULTILINE)


# -- the ratios --

def ratios_picture(kept):
    names = []
    for row in kept["rows"]:
        shown = any(who in row["ratios"] for who in COMPARED) and row["unit"] != "times"
        if shown and not is_curve(row) and row["name"] not in names:
            names.append(row["name"])
    if not names:
        fail("there is no ratio to draw in those rows")
    width, left, right, step, top, bottom = 760, 230, 24, 24, 74, 36
    height = top + step * len(names) + bottom
    values = [value for row in kept["rows"] if row["name"] in names
              for who in COMPARED for value in row["ratios"].get(who, [])]
    low = min(0.1, *values) if min(values) > 0.01 else 0.01
    x = Scale(low, max(2.0, min(max(values), 10.0)), left, width - right)
    body = []
    for at, (who, procs) in enumerate((who, procs) for who in COMPARED
                                      for procs in sorted({1, kept["procs"]})):
        place = left + at * 126
        body.append(mark(who, procs, place, 46))
        body.append(f'  <text x="{place + 9}" y="50">{who}, {procs} P</text>')
    ticks = [0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10]
    for value in ticks:
        if not 10 ** x.low <= value <= 10 ** x.high:
            continue
        kind = "even" if value == 1 else "grid"
        body.append(f'  <line class="{kind}" x1="{x(value)}" y1="{top - 8}" x2="{x(value)}" '
                    f'y2="{height - bottom}"/>')
        body.append(f'  <text class="tick" x="{x(value)}" y="{height - 14}" '
                    f'text-anchor="middle">{value:g}</text>')
    said = []
    for i, name in enumerate(names):
        y = top + step * i + step / 2
        body.append(f'  <text x="{left - 12}" y="{y + 4}" text-anchor="end">{name}</text>')
        marks = [(who, row["procs"], row["ratios"][who]) for row in kept["rows"]
                 if row["name"] == name for who in COMPARED if who in row["ratios"]]
        for at, (who, procs, (low_, middle, high)) in enumerate(marks):
            place = round(y + (at - (len(marks) - 1) / 2) * 4, 1)
            body.append(f'  <line class="spread {who}" x1="{x(low_)}" y1="{place}" '
                        f'x2="{x(high)}" y2="{place}"/>')
            body.append(mark(who, procs, x(middle), place))
            said.append(f"{name}, {procs} P, against {who}: {middle:.2f}")
    return picture(width, height, "goro's time or memory as a share of its peers': left of 1 is less",
                   "; ".join(said), body)


def mark(who, procs, x, y):
    hollow = "" if procs == 1 else " hollow"
    return f'  <circle class="{who}{hollow}" cx="{x}" cy="{y}" r="3.5" stroke-width="1.5"/>'


# -- cost against size --

def curve_picture(kept):
    rows = [row for row in kept["rows"] if is_curve(row)]
    kinds = []
    for row in rows:
        if row["workload"] not in kinds:
            kinds.append(row["workload"])
    width, panel, top, bottom, left = 760, 230, 66, 48, 60
    height = top + 200 + bottom
    body, said = [], []
    whos = [who for who in WHOS if any(who in row["medians"] for row in rows)]
    for at, who in enumerate(whos):
        body.append(f'  <line class="line {who}" x1="{left + at * 100}" y1="44" '
                    f'x2="{left + 18 + at * 100}" y2="44"/>')
        body.append(f'  <text x="{left + 24 + at * 100}" y="48">{who}</text>')
    for at, kind in enumerate(kinds):
        mine = [row for row in rows if row["workload"] == kind]
        values = [value for row in mine for value in row["medians"].values()]
        start = left + at * panel
        sizes = sorted({row["sizes"]["goro"] for row in mine})
        x = Scale(sizes[0], max(sizes[-1], sizes[0] * 10), start, start + panel - 70)
        y = Scale(10 ** math.floor(math.log10(min(values))),
                  10 ** math.ceil(math.log10(max(values) * 1.01)), height - bottom, top)
        for power in range(round(y.low), round(y.high) + 1):
            value = 10.0 ** power
            body.append(f'  <line class="grid" x1="{start}" y1="{y(value)}" '
                        f'x2="{start + panel - 70}" y2="{y(value)}"/>')
            name = figure(value, mine[0]["unit"]).replace(".00", "").replace(".0", "")
            body.append(f'  <text class="tick" x="{start - 6}" y="{y(value) + 4}" '
                        f'text-anchor="end">{name}</text>')
        for size in sizes:
            name = f"{size // 1000}k" if size < 1_000_000 else f"{size // 1_000_000}M"
            body.append(f'  <text class="tick" x="{x(size)}" y="{height - 28}" '
                        f'text-anchor="middle">{name}</text>')
        title = mine[0]["name"].rsplit(", ", 1)[0]
        body.append(f'  <text x="{start}" y="{height - 10}">{title}</text>')
        for who in whos:
            points = [(x(row["sizes"]["goro"]), y(row["medians"][who])) for row in mine
                      if who in row["medians"]]
            if len(points) > 1:
                path = " ".join(f"{a},{b}" for a, b in points)
                body.append(f'  <polyline class="line {who}" points="{path}"/>')
            body += [f'  <circle class="{who}" cx="{a}" cy="{b}" r="2.5"/>' for a, b in points]
        said += [f"{row['name']}: " + ", ".join(
            f"{who} {figure(value, row['unit'])}" for who, value in row["medians"].items())
            for row in mine]
    return picture(width, height, "What one costs in a crowd of so many, 1 P (both logarithmic)",
                   "; ".join(said), body)


def pictures(kept, ratios):
    files = {ratios: ratios_picture(kept)}
    if any(is_curve(row) and row["medians"] for row in kept["rows"]):
        files[ratios.with_name(ratios.stem + "-curve" + ratios.suffix)] = curve_picture(kept)
    return files


# -- the command line --

def fail(text):
    print(f"peers.py: {text}", file=sys.stderr)
    sys.exit(3)


def read(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        fail(f"{path}: {error.strerror}; ./course bench --peers --json {path} makes it")
    except json.JSONDecodeError as error:
        fail(f"{path} is not what ./course bench --peers --json writes: {error}")


def measure():
    command = [str(ROOT / "course"), "bench", "--peers", "--json", str(KEPT)]
    a_bar_is_missed = 1
    status = subprocess.run(command, check=False).returncode
    if status > a_bar_is_missed:
        sys.exit(status)


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path, nargs="?", default=KEPT, metavar="FILE")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--measure", action="store_true")
    only.add_argument("--check", action="store_true")
    only.add_argument("--svg", type=Path, metavar="PICTURE.svg")
    options = parser.parse_args()
    if options.figures != KEPT and not options.svg:
        parser.error("what is drawn of another run's figures goes to --svg PICTURE.svg")
    return options


def main():
    options = parse()
    if options.measure:
        measure()
    kept = read(options.figures)
    try:
        files = pictures(kept, options.svg or RATIOS)
        if not options.svg:
            files[TABLE] = table(kept)
            for page in PAGES:
                files[page] = quoting(page.read_text(encoding="utf-8"), files[TABLE])
    except (KeyError, TypeError) as error:
        fail(f"{options.figures} is not what ./course bench --peers --json writes: {error!r}")
    if options.check:
        stale = [path.name for path, text in files.items()
                 if not path.exists() or path.read_text(encoding="utf-8") != text]
        for name in stale:
            print(f"{name} does not say what {KEPT.name} says; run runtime/bench/peers.py",
                  file=sys.stderr)
        return 1 if stale else 0
    for path, text in files.items():
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            fail(f"{path}: {error.strerror}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
