"""Runs the autograders for Gradescope and for Classroom 50 as those sites do. The course is the small one.

Gradescope: a folder in place of /autograder; setup.sh once, then run_autograder for each submission. Classroom 50: the
script in the submission's clone, with the runner's variables. Run it with grader/checks/python."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

import jsonschema

import fake_course

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACK = ROOT / "grader/gradescope/pack"
BROKEN = "int sum(int a, int b) {\n  return a + c;\n}\n"

PRIVATE_TEST = """#include "harness.h"
int next(int, int);
TEST(Hush, Again) { return next(2, 3) == 0 ? "" : "hush"; }
int main(int argc, char** argv) { return harness::run(argc, argv, harness::tests()); }
"""


def run(command, **options):
    given = {"capture_output": True, "text": True, "timeout": 300, "check": False, **options}
    return subprocess.run([str(word) for word in command], **given)


def validate(results, schema):
    jsonschema.validate(results, json.loads((ROOT / f"grader/schemas/{schema}.schema.json").read_text()))


def expect(good, what):
    if not good:
        raise AssertionError(what)


class Gradescope:
    def __init__(self, folder, *options):
        self.root = folder / "autograder"
        self.course = folder / "course"
        fake_course.copy_to(self.course)
        fake_course.add_front_door(self.course)
        packed = folder / "autograder.zip"
        ended = run([PACK, packed, "--course", self.course, *options])
        expect(ended.returncode == 0, ended.stderr)
        (self.root / "source").mkdir(parents=True)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(self.root / "source")
            for entry in archive.infolist():  # as unzip does
                (self.root / "source" / entry.filename).chmod(entry.external_attr >> 16)
        shutil.copy(self.root / "source/run_autograder", self.root)
        ended = run(["bash", self.root / "source/setup.sh"], env=self.environment(), cwd=self.root)
        expect(ended.returncode == 0, f"setup.sh ended with {ended.returncode}: {ended.stdout}{ended.stderr}")

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.root), "AUTOGRADER": str(self.root)}

    def submit(self, prepare):
        """Returns results.json, or nothing if there is none, and what was printed."""
        for name in ("submission", "results"):
            shutil.rmtree(self.root / name, ignore_errors=True)
            (self.root / name).mkdir()
        prepare(self.root / "submission")
        ended = run([self.root / "run_autograder"], env=self.environment(), cwd=self.root)
        file = self.root / "results/results.json"
        expect((ended.returncode == 0) == file.exists(), f"ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
        if not file.exists():
            return None, ended.stdout + ended.stderr
        results = json.loads(file.read_text())
        validate(results, "gradescope-results")
        return results, ended.stdout + ended.stderr


def gradescope():
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as temporary:
        folder = pathlib.Path(temporary)
        site = Gradescope(folder)
        solutions = site.course / "solutions"

        def broken(place):
            shutil.copytree(solutions, place, dirs_exist_ok=True)
            (place / "01-sum/sum.cpp").write_text(BROKEN)

        def hostile(place):
            broken(place)
            (place / "01-sum/sum.cpp").unlink()
            (place / "01-sum/sum.cpp").symlink_to(solutions / "01-sum/sum.cpp")
            (place / "course").write_text("#!/bin/sh\nexit 0\n")
            (place / "results.json").write_text('{"score": 1000}')

        ways = {
            "honest": (lambda place: shutil.copytree(solutions, place, dirs_exist_ok=True), 290),
            "honest, below labs/": (lambda place: shutil.copytree(solutions, place / "labs"), 290),
            "honest, in one folder": (lambda place: shutil.copytree(solutions, place / "goro main/labs"), 290),
            "broken": (broken, 200),
            "hostile": (hostile, 200),
            "empty": (lambda place: None, 100),
            "of another course": (lambda place: (place / "main.py").write_text("print(1)\n"), 100),
        }
        for name, (prepare, points) in ways.items():
            results, printed = site.submit(prepare)
            expect(results is not None, f"{name}: no results.json: {printed}")
            expect(results["score"] == points, f"{name}: {results['score']} points, not {points}: {results['output']}")
            expect(sum(test["max_score"] for test in results["tests"]) == 290, f"{name}: points are missing")
            if name == "broken":
                expect("sum.cpp:2:14: error:" in results["output"], results["output"])
            if name == "empty":
                expect("missing from the submission" in results["output"] or "is missing" in results["output"], results["output"])
        # Lab 00 has nothing to hand in, so its points are everybody's.
        (site.root / "source/course/labs/02-ring/lab.json").write_text("{")
        results, printed = site.submit(ways["honest"][0])
        expect("--require-sandbox" in (site.root / "source/options").read_text(), "no sandbox is required")
        expect(results is None and "lab.json" in printed, f"a broken course gave points: {results}")
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as temporary:
        private = pathlib.Path(temporary) / "private/02-ring"
        private.mkdir(parents=True)
        keys = {"points": 10, "concept": "hush", "section": "step-1-next", "time_limit_s": 5, "hints": []}
        (private / "private.json").write_text(json.dumps({"tests": [{"name": "Hush.Again", **keys}]}))
        (private / "tests.cpp").write_text(PRIVATE_TEST)
        site = Gradescope(
            pathlib.Path(temporary), "--labs", "2", "--without-sandbox", "--tests", private.parent
        )
        expect("--require-sandbox" not in (site.root / "source/options").read_text(), "a sandbox is required")
        results, _ = site.submit(lambda place: shutil.copytree(site.course / "solutions", place, dirs_exist_ok=True))
        expect(results["score"] == 110 and len(results["tests"]) == 3, results)
        expect(results["tests"][2]["name"] == "02-ring: private test 1", results)
        expect("hush" not in json.dumps(results).lower(), f"a private test is told: {results}")
        real = pathlib.Path(temporary) / "real.zip"
        expect(run([PACK, real]).returncode == 0, "the course itself cannot be packed")
        with zipfile.ZipFile(real) as packed:
            names = packed.namelist()
            expect(packed.getinfo("course/course").external_attr >> 16 & 0o111, "course is not executable")
        expect({"setup.sh", "run_autograder", "options", "course/course"} <= set(names), names)
        expect(not [name for name in names if name.startswith(("course/build/", "course/.git/"))], "too much is packed")
        refused = run([PACK, "/proc/nowhere/x.zip"])
        expect(refused.returncode == 3 and refused.stderr.startswith("pack: cannot write"), refused.stderr)
    return len(ways) + 5


def classroom50():
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as temporary:
        bundle = pathlib.Path(temporary) / "bundle"
        bundle.mkdir()
        shutil.copy(ROOT / "grader/classroom50/autograder.py", bundle)
        fake_course.copy_to(bundle / "course")
        # By `bash`, since a bundle need not keep what is executable.
        fake_course.add_front_door(bundle / "course")
        (bundle / "course/course").chmod(0o644)
        clone = pathlib.Path(temporary) / "clone"
        shutil.copytree(bundle / "course/solutions", clone / "labs")
        (clone / "labs/01-sum/sum.cpp").write_text(BROKEN)
        autograder = [sys.executable, bundle / "autograder.py"]
        known = {"PATH": os.environ["PATH"], "HOME": temporary, "USERNAME": "alice", **fake_course.CLASSROOM}
        ended = run(autograder, cwd=clone, env=known)
        expect(ended.returncode == 0, ended.stdout + ended.stderr)
        result = json.loads((clone / "result.json").read_text())
        validate(result, "classroom50-result")
        expect(result["score"] == 200 and result["max-score"] == 290, result)
        expect([result[key] for key in ("classroom", "assignment", "owner")] == ["systems", "goro", "alice"], result)
        (clone / "result.json").unlink()
        shutil.rmtree(clone / "labs")
        ended = run(autograder, cwd=clone, env=known)
        expect(ended.returncode == 1 and not (clone / "result.json").exists(), "no lab was handed in")
    return 2


def main():
    passed = failed = 0
    for site in (gradescope, classroom50):
        try:
            passed += site()
        except (AssertionError, OSError, ValueError, jsonschema.ValidationError, subprocess.SubprocessError) as error:
            failed += 1
            print(f"{site.__name__}: {str(error)[:4000]}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
