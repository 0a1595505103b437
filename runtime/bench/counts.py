#!/usr/bin/env python3
"""Counts instructions of what must stay cheap, and compares them with those kept in counts.json.

    runtime/bench/counts.py check [PRESET ...]   complain about every row that is not as it is kept
    runtime/bench/counts.py take [PRESET ...]    count, and keep what was counted

Without a preset: gcc-release and clang-release. Each row of goro_counts runs under callgrind, so
many rounds and twice as many; the difference belongs to the rounds, and what a process does to
begin and to end is not in it. Only the first thread is counted: sysmon looks at the clock. What
sysmon does is felt there all the same: while it wants the scheduler's lock, that is not the lock of
its one P alone. So each count is the least of a few.

Counts depend on the compiler. counts.json keeps them by its name and major version, and a compiler
that it does not know is a complaint, not a pass.

Exit status: 0 as kept, 1 complaints, 2 wrong use, 3 nothing can be counted.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path("runtime/bench/counts.json")
ME = "runtime/bench/counts.py"
PRESETS = ["gcc-release", "clang-release"]
ROUNDS = 5000
TRIES = 3
TOLERANCE = 0.03
TIME_LIMIT = 120  # seconds for one row; it takes less than one

TOTALS = re.compile(r"^totals: (\d+)", re.MULTILINE)


class Problem(Exception):
    """Nothing can be counted; the text says what to do."""


def run(arguments, **options):
    shown = " ".join(str(argument) for argument in arguments)
    try:
        ended = subprocess.run(
            arguments, cwd=ROOT, text=True, capture_output=True, timeout=TIME_LIMIT * 10, **options
        )
    except OSError as error:
        raise Problem(f"{arguments[0]} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise Problem(f"does not end: {shown}") from error
    if ended.returncode != 0:
        last = "\n".join((ended.stdout + ended.stderr).strip().splitlines()[-15:])
        raise Problem(f"status {ended.returncode} of: {shown}\n{last}")
    return ended.stdout


def build(preset):
    folder = ROOT / "build" / preset
    if not (folder / "build.ninja").exists():
        run(["cmake", "--preset", preset])
    run(["cmake", "--build", folder, "--target", "goro_counts"])
    return folder / "runtime" / "bench" / "goro_counts"


def instructions(program, row, rounds, out):
    """Of the first thread, in one process."""
    # Callgrind adds the thread's number to the name.
    file = out.with_name(f"{out.name}-01")
    if file.exists():
        file.unlink()
    tool = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={out}"]
    # The environment asks for nothing, and nobody's time is up: under valgrind everything is late.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GORO_")}
    environment["GORO_DEBUG"] = "preemptoff=1"
    run(tool + [program, row, str(rounds)], env=environment)
    try:
        totals = TOTALS.search(file.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise Problem(f"callgrind wrote no {file}: {error.strerror}") from error
    if totals is None:
        raise Problem(f"callgrind wrote no totals into {file}")
    return int(totals[1])


def file_of(preset, row):
    """Where callgrind writes to; for each thread, with its number behind."""
    return Path("build/counts") / preset / row.replace(" ", "-")


def count(preset):
    """The compiler's name, and the instructions of one round of each row."""
    program = build(preset)
    compiler = run([program, "--compiler"]).strip()
    counted = {}
    for row in run([program, "--rows"]).splitlines():
        file = ROOT / file_of(preset, row)
        file.parent.mkdir(parents=True, exist_ok=True)
        once, twice = (
            min(instructions(program, row, rounds, file) for _ in range(TRIES))
            for rounds in (ROUNDS, 2 * ROUNDS)
        )
        counted[row] = round((twice - once) / ROUNDS)
    return compiler, counted


def complaints(preset, compiler, kept, counted):
    """Why what was counted is not what is kept: a sentence for each reason."""
    take = f"To keep what was counted: {ME} take"
    if kept is None:
        return [f"{KEPT} keeps no counts for {compiler}, so nothing can be compared. {take}"]
    found = []
    for row in sorted(set(kept) - set(counted)):
        found.append(f"{compiler}: {KEPT} has a row that goro_counts has not: {row}. {take}")
    for row, now in counted.items():
        if row not in kept:
            found.append(f"{compiler}: {KEPT} has no row: {row}. {take}")
            continue
        before = kept[row]
        if now > before * (1 + TOLERANCE):
            found.append(
                f"{compiler}: {row} grew from {before} to {now} instructions,"
                f" by {100 * (now / before - 1):.1f} %, and 3 % are allowed. Where they are:"
                f" callgrind_annotate {file_of(preset, row)}-01. If it is worth it: {ME} take"
            )
        elif now < before * (1 - TOLERANCE):
            found.append(
                f"{compiler}: {row} takes {now} instructions, {100 * (1 - now / before):.1f} %"
                f" less than the {before} that are kept. So that it stays so: {ME} take"
            )
    return found


def read_kept():
    try:
        kept = json.loads((ROOT / KEPT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Problem(f"{KEPT} cannot be read: {error}") from error
    good = isinstance(kept, dict) and all(
        isinstance(rows, dict)
        and all(isinstance(n, (int, float)) and n > 0 for n in rows.values())
        for rows in kept.values()
    )
    if not good:
        raise Problem(f"{KEPT} is not {{compiler: {{row: instructions}}}}; see git log {KEPT}")
    return kept


def write_kept(kept):
    whole = ROOT / KEPT
    new = whole.with_name(whole.name + ".new")
    try:
        new.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
        new.replace(whole)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise Problem(f"{KEPT} cannot be written: {error.strerror}") from error


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["check", "take"])
    parser.add_argument("presets", metavar="PRESET", nargs="*", default=PRESETS)
    line = parser.parse_args()
    for preset in line.presets:
        if preset not in PRESETS:
            parser.error(f"{preset} is none of {', '.join(PRESETS)}")
    if shutil.which("valgrind") is None:
        raise Problem("there is no valgrind here: apt-get install valgrind")
    kept = read_kept()
    found = []
    for preset in line.presets:
        compiler, counted = count(preset)
        print(f"{compiler}, instructions:")
        for row, now in counted.items():
            before = kept.get(compiler, {}).get(row)
            print(f"  {row:16} {now:6}" + ("" if before is None else f"   kept: {before}"))
        if line.what == "take":
            kept[compiler] = counted
            write_kept(dict(sorted(kept.items())))
        else:
            found += complaints(preset, compiler, kept.get(compiler), counted)
    for complaint in found:
        print(complaint)
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Problem as problem:
        print(f"{ME}: {problem}", file=sys.stderr)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)
