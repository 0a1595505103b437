#!/usr/bin/env python3
"""Keeps the Korean pages beside their English sources.

    docs/ko/translations.py check           complain about every page that is missing, or not as its source is
    docs/ko/translations.py changes PAGE    show what its source has had changed since
    docs/ko/translations.py stamp PAGE...   PAGE is up to date: write that into it
    docs/ko/translations.py links           lead all links to Korean pages where there are such

docs/ko/X.md is docs/X.md in Korean. Its first line names the source and the digest of what was
translated: all of the source but quoted code, spaces and line breaks. Quoted code is the same in
both pages; stamp brings it over from the source, and ./course test compares it with the tree.
A new page may have its source's links as they are: stamp makes of them what they must be.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = Path("docs")
KOREAN = DOCS / "ko"
ME = KOREAN / "translations.py"
BOOK = ["README.md", "threads-and-goroutines.md", "glossary.md", "what-people-say.md", "scenes.md"]

STAMP = re.compile(r"<!-- translation of (\S+) at (\S+) -->")
QUOTE = re.compile(r"<!-- quote: (\S+) -->")
HEADING = re.compile(r"(#{1,6}) (.*)")
LINK = re.compile(r"(`[^`]*`)|(?<=\]\()([^)\s]+)(?=\))")
# Markdown does not see the end of what is emphasised if it is between punctuation and a letter.
NO_END = re.compile(r"[)`\".?!]\*{1,2}(?=[가-힣])")
PARTS = [
    (HEADING, lambda found: "a heading of level %d" % len(found[1])),
    (QUOTE, lambda found: "a quote of " + found[1]),
    (re.compile(r"<!-- (recording: \S+) -->"), lambda found: "a " + found[1]),
    (re.compile(r"<!-- (/?instructors-only) -->"), lambda found: "the mark " + found[1]),
    (re.compile(r"<details>"), lambda found: "a folded part"),
]


class Problem(Exception):
    pass


def read(page):
    try:
        return (ROOT / page).read_text(encoding="utf-8")
    except OSError as error:
        raise Problem(f"{page} cannot be read: {error.strerror}") from error


def is_fence(line):
    return line.lstrip(" ").startswith("```")


def lines_of(text):
    """Each line with whether it is quoted code, and whether it is in any fenced block."""
    inside = quoted = after_mark = False
    for line in text.splitlines():
        fence = is_fence(line)
        if fence and not inside:
            quoted = after_mark
        yield line, quoted and (inside or fence), inside or fence
        if fence:
            inside = not inside
        if not inside and line.strip():
            after_mark = QUOTE.match(line) is not None


def digest(source):
    words = " ".join(line for line, quoted, _ in lines_of(source) if not quoted).split()
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:12]


def parts(text):
    """What a page and its translation have in the same order: (line number, what it is)."""
    found = []
    for number, (line, _, code) in enumerate(lines_of(text), 1):
        for pattern, name in PARTS:
            match = None if code else pattern.match(line)
            if match:
                found.append((number, name(match)))
    return found


def difference(page, text, source, source_text):
    """One line about the first part that is not where the source has it, or None."""
    ours, theirs = parts(text), parts(source_text)
    for (line, one), (there, other) in zip(ours, theirs):
        if one != other:
            return f"{page}:{line}: {one}, where {source}:{there} has {other}"
    for more, name, missing in ((ours, page, source), (theirs, source, page)):
        rest = more[min(len(ours), len(theirs)):]
        if rest:
            return f"{name}:{rest[0][0]}: {rest[0][1]}, which {missing} does not have"
    return None


def source_of(page):
    try:
        return DOCS / Path(page).relative_to(KOREAN)
    except ValueError:
        raise Problem(f"{page} is not a page in {KOREAN}/") from None


def anchors(text):
    """As GitHub makes them, and grader/src/markdown.cpp."""
    found, times = [], {}
    for line, _, code in lines_of(text):
        heading = None if code else HEADING.match(line)
        if heading:
            name = re.sub(r"[^\w-]", "", heading[2].lower().replace(" ", "-"))
            times[name] = times.get(name, -1) + 1
            found.append(f"{name}-{times[name]}" if times[name] else name)
    return found


def link_from(page, target):
    """What a link in a Korean page must be: its target stands there as it does in the source, or
    as it shall be."""
    path, _, anchor = target.partition("#")
    if "://" in target or target.startswith("mailto:"):
        return target
    there = None
    for one in (page, source_of(page)):
        place = Path(os.path.normpath(one.parent / path)) if path else page
        if there is None and (ROOT / place).exists():
            there = place
    if there is None or there == source_of(page):  # the way to the English page
        return target
    if there.is_relative_to(DOCS) and not there.is_relative_to(KOREAN):
        korean = KOREAN / there.relative_to(DOCS)
        if korean.suffix == ".md" and (ROOT / korean).is_file():
            there = korean
    if there.is_relative_to(KOREAN) and there.suffix == ".md":
        theirs, ours = anchors(read(source_of(there))), anchors(read(there))
        if anchor in theirs and len(theirs) == len(ours):
            anchor = ours[theirs.index(anchor)]
    path = os.path.relpath(there, page.parent) + ("/" if path.endswith("/") else "") if path else ""
    return path + ("#" + anchor if anchor else "")


def unseen_emphasis(page, text):
    for number, (line, _, code) in enumerate(lines_of(text), 1):
        if not code and NO_END.search(line):
            return f"{page}:{number}: emphasis does not end between punctuation and a letter; let it end before"
    return None


def with_links(page, text):
    lines = []
    for line, _, code in lines_of(text):
        lines.append(line if code else
                     LINK.sub(lambda found: found[1] or link_from(page, found[2]), line))
    return "\n".join(lines) + "\n"


def stamp_of(page, text):
    """The digest in the page's first line."""
    found = STAMP.fullmatch(text.split("\n", 1)[0])
    if not found or found[1] != str(source_of(page)):
        raise Problem(f"{page}:1: the first line is not <!-- translation of {source_of(page)} "
                      f"at DIGEST -->; when the page is up to date, write it with: {ME} stamp {page}")
    return found[2]


def complaint_about(page):
    source = source_of(page)
    if not (ROOT / source).is_file():
        return f"{page}: its source {source} is gone; remove the page, or rename it with its source"
    text, source_text = read(page), read(source)
    try:
        if stamp_of(page, text) != digest(source_text):
            return f"{page}: {source} has changed since it was translated; see what: {ME} changes {page}"
        if with_links(page, text) != text:
            return f"{page}: links lead elsewhere than to Korean pages that there are; mend them with: {ME} links"
    except Problem as problem:
        return str(problem)
    return difference(page, text, source, source_text) or unseen_emphasis(page, text)


def korean_pages():
    return sorted(path.relative_to(ROOT) for path in (ROOT / KOREAN).rglob("*.md"))


def missing_pages():
    """The book: the start page, the pages that it is made of, and every chapter."""
    sources = [DOCS / name for name in BOOK]
    sources += sorted(path.relative_to(ROOT) for path in (ROOT / DOCS / "chapters").glob("*.md"))
    for source in sources:
        page = KOREAN / source.relative_to(DOCS)
        if (ROOT / source).is_file() and not (ROOT / page).is_file():
            yield f"{source} has no Korean page; write {page}, then: {ME} stamp {page}"


def check():
    complaints = [complaint_about(page) for page in korean_pages()]
    complaints += missing_pages()
    complaints = [complaint for complaint in complaints if complaint]
    print("\n".join(complaints), end="\n" if complaints else "")
    return 1 if complaints else 0


def git(*arguments):
    ended = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, encoding="utf-8",
                           check=False)
    if ended.returncode != 0:
        raise Problem(f"git {arguments[0]}: {ended.stderr.strip()}")
    return ended.stdout


def changes(page):
    source = source_of(page)
    wanted = stamp_of(page, read(page))
    if digest(read(source)) == wanted:
        print(f"{page} is up to date.")
        return 0
    for commit in git("rev-list", "HEAD", "--", str(source)).split():
        if git("ls-tree", commit, "--", str(source)) and digest(git("show", f"{commit}:{source}")) == wanted:
            sys.stdout.flush()
            return subprocess.run(["git", "-C", ROOT, "diff", commit, "--", source], check=False).returncode
    raise Problem(f"no version of {source} in this repository's history is the one that was "
                  f"translated; compare {page} with all of it")


def with_quotes_of(source_text, text):
    """`text` with the quoted blocks of its source, whether it had them or not."""
    blocks = []
    for line, quoted, _ in lines_of(source_text):
        if QUOTE.match(line) and not quoted:
            blocks.append([])
        elif quoted:
            blocks[-1].append(line)
    result = []
    for line, quoted, code in lines_of(text):
        if not quoted:
            result.append(line)
        if QUOTE.match(line) and not code:
            result += blocks.pop(0)
    return "\n".join(result) + "\n"


def stamp(page):
    source = source_of(page)
    source_text = read(source)
    text = read(page)
    first, _, rest = text.partition("\n")
    if not STAMP.fullmatch(first):
        rest = text
    text = f"<!-- translation of {source} at {digest(source_text)} -->\n{rest}"
    problem = difference(page, text, source, source_text)
    if problem:
        raise Problem(problem)
    (ROOT / page).write_text(with_quotes_of(source_text, text), encoding="utf-8")
    mend_links(page)


def mend_links(page):
    text = read(page)
    mended = with_links(page, text)
    if mended != text:
        (ROOT / page).write_text(mended, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check")
    commands.add_parser("changes").add_argument("page")
    commands.add_parser("stamp").add_argument("page", nargs="+")
    commands.add_parser("links")
    options = parser.parse_args()

    def from_root(page):
        return Path(os.path.relpath(Path(page).resolve(), ROOT))

    try:
        if options.command == "check":
            return check()
        if options.command == "changes":
            return changes(from_root(options.page))
        if options.command == "links":
            for page in korean_pages():
                mend_links(page)
            return 0
        for page in options.page:
            stamp(from_root(page))
        return 0
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
