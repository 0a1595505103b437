#!/usr/bin/env python3
"""Draws what chapter 03 shows of chained and copied stacks, from the figures in runtime/bench/stacks.json.

    runtime/bench/stacks.py --measure    measures: calls at a stack's end, and recursion
    docs/plots/chained_stacks.py         draws the pictures
    docs/plots/chained_stacks.py --check fails when a picture is not what the figures give

Exit status: 0 done, 1 --check found something, 2 wrong use, 3 there are no figures.
"""

import argparse
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "runtime" / "bench"))

from peers import Scale, figure, picture  # noqa: E402
from stacks import KEPT, medians, ordinary_calls, read  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
COLOURS = {"copied": "goro", "chained": "threads"}  # of the peers' pictures
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 340, 76, 40, 70, 62


def key(entries):
    """The line above the picture that says whose curve is whose."""
    body = []
    for at, (name, kind, dashed) in enumerate(entries):
        x = LEFT + at * 165
        body += [curve(kind, [(x, 48), (x + 24, 48)], dashed),
                 f'  <text x="{x + 30}" y="52">{name}</text>']
    return body


def curve(kind, points, dashed):
    path = " ".join(f"{x},{y}" for x, y in points)
    dashes = ' stroke-dasharray="6 4"' if dashed else ""
    return f'  <polyline class="line {COLOURS[kind]}" points="{path}"{dashes}/>'


def axes(x, y, across, up, below):
    """`across` and `up` are the ticks, as value and name; `below` says what the lower axis is."""
    body = []
    for value, name in up:
        body.append(f'  <line class="grid" x1="{LEFT}" y1="{y(value)}" x2="{WIDTH - RIGHT}" '
                    f'y2="{y(value)}"/>')
        body.append(f'  <text class="tick" x="{LEFT - 8}" y="{y(value) + 4}" '
                    f'text-anchor="end">{name}</text>')
    for value, name in across:
        body.append(f'  <text class="tick" x="{x(value)}" y="{HEIGHT - BOTTOM + 20}" '
                    f'text-anchor="middle">{name}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    body.append(f'  <text x="{middle:g}" y="{HEIGHT - 16}" text-anchor="middle">{below}</text>')
    return body


def drawn(kind, points, dashed=False):
    return [curve(kind, points, dashed)] + [
        f'  <circle class="{COLOURS[kind]}" cx="{a}" cy="{b}" r="3"/>' for a, b in points]


def hot_split(found):
    works = sorted(work for what, kind, work in found if (what, kind) == ("call", "chained"))
    ratios = {(kind, work): ordinary_calls(found, kind, work) for kind in COLOURS for work in works}
    longest = max(found["call", kind, work] for kind in COLOURS for work in works)
    x = Scale(1, longest * 1.2, LEFT, WIDTH - RIGHT)
    most = max(2, math.ceil(max(ratios.values())))
    y = Scale(0.9, most, HEIGHT - BOTTOM, TOP)
    body = key([("chained", "chained", False), ("copied", "copied", False)])
    body += axes(x, y, [(value, f"{value} ns") for value in (1, 3, 10, 30, 100)],
                 [(value, f"{value:g}") for value in (1, 1.5, *range(2, most + 1))],
                 "what an ordinary call of the function takes")
    said = []
    for kind in COLOURS:
        body += drawn(kind, [(x(max(1, found["call", kind, work])), y(ratios[kind, work]))
                             for work in works])
        said += [f"{kind}, {figure(found['call', kind, work], 'ns')}: {ratios[kind, work]:.2f}"
                 for work in works]
    return picture(WIDTH, HEIGHT, "A call at the stack's end, in ordinary calls (both logarithmic)",
                   "; ".join(said), body)


def recursion(found):
    depths = sorted({size for what, _, size in found if what == "recursion"})
    whats = {"recursion": ("first", False), "recursion-again": ("once more", True)}
    values = [found[what, kind, depth] for what in whats for kind in COLOURS for depth in depths]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))
    x = Scale(depths[0], depths[-1], LEFT, WIDTH - RIGHT)
    y = Scale(low, high, HEIGHT - BOTTOM, TOP)
    ticks = [value for value in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if low <= value <= high]
    body = key([(f"{kind}, {name}", kind, dashed)
                for kind in COLOURS for name, dashed in whats.values()])
    body += axes(x, y, [(depth, f"{depth:,}") for depth in depths],
                 [(value, f"{value:,} ns") for value in ticks], "calls deep")
    said = []
    for kind in COLOURS:
        for what, (name, dashed) in whats.items():
            body += drawn(kind, [(x(depth), y(found[what, kind, depth])) for depth in depths], dashed)
            said += [f"{kind}, {name}, {depth:,} deep: {figure(found[what, kind, depth], 'ns')}"
                     for depth in depths]
    return picture(WIDTH, HEIGHT, "One call of a recursion (both logarithmic)", "; ".join(said), body)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    found = medians(read())
    files = {PICTURES / "03-hot-split.svg": hot_split(found),
             PICTURES / "03-recursion.svg": recursion(found)}
    stale = []
    for path, text in files.items():
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        print(f"not what {KEPT.name} gives: {', '.join(stale)}; run docs/plots/chained_stacks.py",
              file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
