"""A course of three tiny labs in a folder of its own, as the grader's unit tests have it (fresh_course())."""

import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What Classroom 50's runner tells an autograder of a submission.
CLASSROOM = {
    "CLASSROOM": "systems",
    "ASSIGNMENT": "goro",
    "ASSIGNMENT_TYPE": "individual",
    "OWNER": "alice",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://github.com/x/y/commit/1",
    "RELEASE_URL": "https://github.com/x/y/releases/tag/1",
}


def copy_to(folder):
    shutil.copytree(ROOT / "grader/tests/fake_course", folder)
    shutil.copytree(ROOT / "runtime/cmake", folder / "runtime/cmake")


def add_front_door(folder):
    """In place of the real one, which would build the grader first."""
    grader = ROOT / "build/grader/goro-grader"
    door = folder / "course"
    door.write_text(f'#!/bin/sh\nGORO_COURSE_ROOT=$(dirname "$(readlink -f "$0")") exec "{grader}" "$@"\n')
    door.chmod(0o755)
