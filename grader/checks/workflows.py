"""Tests the workflows of .github: their linters are silent, and their own `run:` lines do what they must on a
repository with honest, broken and hostile pull requests. GitHub's part, which is checking out, keeping artifacts and
answering `gh`, is played here (fake_gh.py). Run it with grader/checks/python."""

import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile

import yaml

import fake_course

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / ".github/workflows"
REPOSITORY = "school/goro"
FORK = "alice/goro"
RUN_ID = 4711
MARK = "<!-- goro: grade -->"


def run(command, **options):
    options = {"check": True, "capture_output": True, "text": True, "timeout": 300, **options}
    return subprocess.run(command, **options)


def expect(good, what):
    if not good:
        raise AssertionError(what)


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


class GitHub:
    """A repository, its pull requests, comments and artifacts, in one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.repository = folder / "repository"
        self.state_file = folder / "state.json"
        self.comments = 0
        self.save({"pulls": [], "comments": [], "artifacts": [], "calls": []})
        fake_course.copy_to(self.repository)
        fake_course.add_front_door(self.repository)
        run(["git", "init", "--quiet", "--initial-branch=main", str(self.repository)])
        self.base = self.commit("the course")

    def git(self, *arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        return run(["git", "-C", str(self.repository), *who, *arguments]).stdout.strip()

    def commit(self, message):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def load(self):
        return json.loads(self.state_file.read_text())

    def save(self, state):
        self.state_file.write_text(json.dumps(state))

    def change(self, **changes):
        state = self.load()
        state.update(changes)
        self.save(state)

    def pull_request(self, number, change):
        """Opens one whose branch is the base with `change` applied to the work tree; returns its head."""
        self.git("checkout", "--quiet", "-B", f"pr-{number}", self.base)
        change(self.repository)
        head = self.commit(f"pull request {number}")
        files = self.git("diff", "--name-only", self.base, head).split("\n")
        self.git("checkout", "--quiet", "main")
        state = self.load()
        state["pulls"].append(
            {
                "number": number,
                "state": "open",
                "head": {"sha": head, "repo": {"full_name": FORK}},
                "files": [{"filename": name} for name in files if name],
            }
        )
        self.save(state)
        return head

    def keep_artifact(self, file, name="grade", size=None):
        state = self.load()
        state["artifacts"].append(
            {
                "id": 100 + len(state["artifacts"]),
                "name": name,
                "size_in_bytes": file.stat().st_size if size is None else size,
                "file": str(file),
            }
        )
        self.save(state)


class Runner:
    """Runs one job of a workflow: its `run:` lines as they stand, its `uses:` as GitHub's part."""

    def __init__(self, github, workflow, event):
        self.github = github
        self.job = next(iter(yaml.safe_load((WORKFLOWS / workflow).read_text())["jobs"].values()))
        self.work = pathlib.Path(tempfile.mkdtemp(dir=github.folder))
        self.temp = self.work / "temp"
        self.workspace = self.work / "workspace"
        for folder in (self.temp, self.workspace, self.work / "home"):
            folder.mkdir()
        self.context = {
            "github": {"event": event, "repository": REPOSITORY, "token": "a-token"},
            "runner": {"temp": str(self.temp)},
        }
        self.files = {}
        for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            self.files[name] = self.temp / name
            self.files[name].write_text("")
        tools = self.work / "tools"
        executable(tools / "gh", f'#!/bin/sh\nexec "{sys.executable}" -I -S "{ROOT}/grader/checks/fake_gh.py" "$@"\n')
        executable(tools / "sudo", f'#!/bin/sh\necho "$@" >>"{self.work}/sudo"\n')
        self.environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(self.work / "home"),
            "RUNNER_TEMP": str(self.temp),
            "FAKE_GITHUB": str(github.state_file),
            "SECRET_OF_THE_RUNNER": "secret",
            **{name: str(file) for name, file in self.files.items()},
        }
        self.log = ""
        self.failed = False

    def value(self, text):
        def look_up(match):
            found = self.context
            for key in match.group(1).split("."):
                expect(key in found, f"the test does not know {match.group(0)}")
                found = found[key]
            return str(found)

        return re.sub(r"\$\{\{\s*([\w.]+)\s*\}\}", look_up, str(text))

    def uses(self, step):
        action = step["uses"].split("@")[0]
        given = {key: self.value(value) for key, value in step["with"].items()}
        if action == "actions/checkout":
            expect(given["persist-credentials"] == "False", "a checkout leaves its token behind")
            run(["git", "clone", "--quiet", "--no-checkout", str(self.github.repository), given["path"]], cwd=self.workspace)
            run(["git", "-C", given["path"], "checkout", "--quiet", "--detach", given["ref"]], cwd=self.workspace)
        elif action == "actions/upload-artifact":
            file = pathlib.Path(given["path"])
            archive = self.work / "artifact.zip"
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
                zipped.write(file, file.name)
            self.github.keep_artifact(archive, given["name"])
        else:
            raise AssertionError(f"the test cannot play {action}")

    def go(self):
        shells = {"bash": "bash --noprofile --norc -eo pipefail {0}"}
        for number, step in enumerate(self.job["steps"]):
            if "uses" in step:
                self.uses(step)
                continue
            script = self.work / f"step-{number}"
            expect("${{" not in step["run"], "an expression in a script is a way in")
            script.write_text(step["run"])
            shell = step.get("shell", self.job["defaults"]["run"]["shell"])
            command = shells.get(shell, shell).replace("{0}", str(script)).split()
            environment = {**self.job.get("env", {}), **step.get("env", {})}
            ended = run(
                command,
                cwd=self.workspace,
                env={**self.environment, **{name: self.value(value) for name, value in environment.items()}},
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                capture_output=False,
            )
            self.log += ended.stdout
            if ended.returncode != 0:
                self.failed = True
                break
        return self

    def commands(self):
        """The commands that the runner would obey, read as it reads a log."""
        obeyed, word = [], None
        for line in self.log.split("\n"):
            found = re.match(r"\s*::([^ :]+)[^:]*::(.*)", line)
            if word is not None:
                if found and found.group(1) == word:
                    word = None
            elif found and found.group(1) == "stop-commands":
                word = found.group(2)
            elif found or "##[" in line:
                obeyed.append(line)
        expect(word is None, "commands stay stopped")
        return obeyed


def grade(github, head):
    github.change(artifacts=[])
    event = {"pull_request": {"number": 1, "base": {"sha": github.base}, "head": {"sha": head}}}
    return Runner(github, "grade.yml", event).go()


def comment(github, head, conclusion="success"):
    event = {
        "workflow_run": {
            "id": RUN_ID,
            "event": "pull_request",
            "conclusion": conclusion,
            "head_sha": head,
            "head_branch": "main",
            "head_repository": {"full_name": FORK},
            "html_url": f"https://github.com/{REPOSITORY}/actions/runs/{RUN_ID}",
        }
    }
    runner = Runner(github, "comment.yml", event).go()
    expect(not runner.failed, f"comment.yml failed:\n{runner.log}")
    expect(not runner.commands(), f"comment.yml prints commands: {runner.commands()}")
    return github.load()["comments"]


def write(file, text):
    def change(tree):
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        (tree / file).write_text(text)

    return change


def solve(tree):
    shutil.copytree(tree / "solutions", tree / "labs", dirs_exist_ok=True)


def all_of(*changes):
    def change(tree):
        for each in changes:
            each(tree)

    return change


# Tests


def linters_are_silent(_):
    tools = pathlib.Path(sys.executable).parent
    for command in (["actionlint"], ["zizmor", "--offline", "--quiet", ".github"]):
        ended = run([str(tools / command[0]), *command[1:]], cwd=ROOT, check=False, env={**os.environ, "NO_COLOR": "1"})
        expect(ended.returncode == 0, ended.stdout + ended.stderr)


def actions_are_pinned(_):
    for file in WORKFLOWS.iterdir():
        for line in file.read_text().split("\n"):
            if "uses:" in line:
                expect(re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), f"{file.name}: {line}")


def an_honest_one_gets_its_points(github):
    head = github.pull_request(1, solve)
    graded = grade(github, head)
    expect(not graded.failed, graded.log)
    expect(graded.commands() == ["::notice title=Score::290 of 290 points"], graded.commands())
    expect("## Score: 290 of 290" in graded.files["GITHUB_STEP_SUMMARY"].read_text(), "the summary")
    expect("apparmor" in (graded.work / "sudo").read_text(), "namespaces were not allowed")
    comments = comment(github, head)
    expect(len(comments) == 1 and comments[0]["issue"] == 1, comments)
    body = comments[0]["body"]
    expect(body.startswith(MARK) and "### 290 of 290 points" in body, body)
    expect("| 02-ring | 100 | 100 |  |" in body and head[:12] in body and "WARNING" not in body, body)


def a_broken_one_is_told_where(github):
    change = all_of(solve, write("labs/01-sum/sum.cpp", "int sum(int a, int b) {\n  return a + c;\n}\n"))
    head = github.pull_request(1, change)
    graded = grade(github, head)
    expect(not graded.failed, graded.log)
    first = graded.commands()[0]
    expect(first.startswith("::error file=labs/01-sum/sum.cpp,line=2,col=14,title=01-sum cannot be built::"), first)
    body = comment(github, head)[0]["body"]
    expect("### 200 of 290 points" in body and "| 01-sum | 0 | 90 | could not be built |" in body, body)


def only_slot_files_are_taken(github):
    """Whatever else it brings is not used: neither tests, points and build files nor the front door."""

    def change(tree):
        (tree / "labs/01-sum/tests/tests.cpp").write_text("int main() { return 0; }\n")
        lab = tree / "labs/01-sum/lab.json"
        lab.write_text(lab.read_text().replace('"points": 60', '"points": 90'))
        (tree / "CMakeLists.txt").write_text('message(FATAL_ERROR "not yours")\n')
        executable(tree / "course", "#!/bin/sh\necho forged\n")
        (tree / "labs/02-ring/ring.cpp").unlink()
        (tree / "labs/02-ring/ring.cpp").symlink_to("../../../base/solutions/02-ring/ring.cpp")

    head = github.pull_request(1, change)
    graded = grade(github, head)
    expect(not graded.failed, graded.log)
    expect("forged" not in graded.log and "not yours" not in graded.log, graded.log)
    body = comment(github, head)[0]["body"]
    expect("### 100 of 290 points" in body and "| 02-ring | 0 | 100 | could not be built |" in body, body)


HOSTILE = r"""
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
int sum(int a, int b) {
  std::puts("::error::forged\n::set-env name=PATH::/evil\n::stop-commands::mine\n##[error]forged\n::add-mask::0");
  std::fputs("  ::notice::forged\n", stderr);
  for (const char* name : {"GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}) {
    if (const char* file = std::getenv(name)) {
      if (std::FILE* out = std::fopen(file, "a")) { std::fputs("FORGED=1\n", out); std::fclose(out); }
      std::printf("reached %s\n", name);
    }
  }
  if (std::getenv("SECRET_OF_THE_RUNNER")) std::puts("reached a secret");
  std::fflush(stdout);
  if (a < 0) __builtin_trap();  // the report of a crash repeats what was printed
  return a + b + 1;
}
"""


def what_it_prints_is_no_command(github):
    head = github.pull_request(1, all_of(solve, write("labs/01-sum/sum.cpp", HOSTILE)))
    graded = grade(github, head)
    expect(not graded.failed, graded.log)
    expect("##[error]forged" in graded.log, "the program's output is in the log, or this shows nothing")
    for command in graded.commands():
        expect(re.match(r"::(error title=01-sum%3A |notice title=Score::)", command), command)
    expect("reached" not in graded.log, graded.log)
    for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT"):
        expect(graded.files[name].read_text() == "", f"it wrote to {name}")


def an_environment_that_cannot_grade_is_an_error(github):
    github.git("checkout", "--quiet", "main")
    write("labs/02-ring/lab.json", "{")(github.repository)
    github.base = github.commit("broken")
    head = github.pull_request(1, solve)
    graded = grade(github, head)
    expect(graded.failed and not github.load()["artifacts"], graded.log)
    expect(graded.commands() == ["::error title=Not graded::the grader ended with status 3; its log says why"], graded.log)
    body = comment(github, head, "failure")[0]["body"]
    expect("### Not graded\n\nThe grading itself failed." in body, body)


def the_comment_is_updated(github):
    first = github.pull_request(1, write("labs/01-sum/sum.cpp", "int sum(int, int) { return 0; }\n"))
    grade(github, first)
    forged = {"id": 7, "issue": 1, "user": {"login": "mallory"}, "body": MARK + " not ours"}
    github.change(comments=[forged])
    expect(len(comment(github, first)) == 2, "the first comment")
    state = github.load()
    state["pulls"] = []
    github.save(state)
    second = github.pull_request(1, solve)
    grade(github, second)
    comments = comment(github, second)
    expect(len(comments) == 2, comments)
    expect(comments[0] == forged, "another's comment was changed")
    expect("### 290 of 290 points" in comments[1]["body"] and second[:12] in comments[1]["body"], comments[1]["body"])
    expect(len(comment(github, first)) == 2 and first[:12] not in comment(github, first)[1]["body"], "of an old head")


def others_heads_get_no_comment(github):
    head = github.pull_request(1, solve)
    grade(github, head)
    for change in ({"sha": head, "repo": {"full_name": "mallory/goro"}}, {"sha": "0" * 40, "repo": {"full_name": FORK}},
                   {"sha": head, "repo": None}):
        state = github.load()
        state["pulls"][0]["head"] = change
        github.save(state)
        expect(comment(github, head) == [], change)


def changed_workflows_are_said(github):
    head = github.pull_request(1, all_of(solve, write(".github/workflows/grade.yml", "name: grade\n")))
    grade(github, head)
    body = comment(github, head)[0]["body"]
    expect("WARNING" in body and "Do not believe these points" in body, body)


def report(**changes):
    test = {"name": "Sum.OfTwo", "status": "failed"}
    lab = {"lab": "01-sum", "score": 0, "max_score": 10, "tests": [test]}
    whole = {"score": 0, "max_score": 10, "labs": [lab]}
    for place in (test, lab, whole):
        place.update({key: changes.pop(key) for key in list(changes) if key in place and place is not lab})
    lab.update({key[4:]: value for key, value in changes.items() if key.startswith("lab_")})
    return json.dumps(whole)


def hostile_artifacts_are_not_believed(github):
    head = github.pull_request(1, solve)
    hostile = {
        "no JSON": "{",
        "no object": "[]",
        "nothing": "",
        "null": "null",
        "no labs": '{"score": 1, "max_score": 1}',
        "NaN": report(score=float("nan")),
        "infinite": report(score=float("inf"), max_score=float("inf")),
        "more than there is": report(score=11),
        "a sum that is none": report(max_score=20),
        "negative": report(lab_score=-1, score=-1),
        "true": report(score=True),
        "points as text": report(score="0"),
        "a lab that is Markdown": report(lab_lab="01-x](http://evil.example) | @everyone"),
        "a lab's name of two lines": report(lab_lab="01-sum\n## forged"),
        "a test that is HTML": report(name="<img src=x>`"),
        "a test's name of two lines": report(name="Sum.OfTwo\n"),
        "an endless name": report(name="x" * 10000),
        "an unknown status": report(status="`[passed](http://evil.example)`"),
        "labs that are text": json.dumps({"score": 0, "max_score": 0, "labs": "01-sum"}),
        "nested without end": "[" * 200_000,
        "a number without end": '{"score": ' + "9" * 100_000 + "}",
        "too many labs": json.dumps({"score": 0, "max_score": 0, "labs": [{}] * 101}),
        "no UTF-8": b"\xff\xfe\x00",
    }
    archives = {name: {"report.json": text} for name, text in hostile.items()}
    archives["another name"] = {"../../report.json": report()}
    archives["two files"] = {"report.json": report(), "number": "2"}
    archives["no file"] = {}
    archives["a bomb"] = {"report.json": b" " * (40 << 20)}
    for name, files in archives.items():
        file = github.folder / "hostile.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, text in files.items():
                archive.writestr(entry, text)
        refused(github, head, file, name)
    file.write_bytes(b"no zip")
    refused(github, head, file, "no zip")
    file.write_bytes(b"")
    refused(github, head, file, "an empty file")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("report.json", report())
    file.write_bytes(file.read_bytes()[:-30])
    refused(github, head, file, "a torn zip")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("report.json", report())
    refused(github, head, file, "too large", size=1 << 30)
    refused(github, head, file, "of another name", kept_as="other")
    github.change(artifacts=[], comments=[])
    github.keep_artifact(file)
    expect("### 0 of 10 points" in comment(github, head)[0]["body"], "what is well-formed is taken, or this shows nothing")


def refused(github, head, file, name, size=None, kept_as="grade"):
    github.change(artifacts=[], comments=[])
    github.keep_artifact(file, kept_as, size)
    comments = comment(github, head)
    expect(len(comments) == 1 and comments[0]["issue"] == 1, f"{name}: {comments}")
    wanted = (
        f"{MARK}\n### Not graded\n\nThe workflow left no report that the grader could have written.\n\n"
        f"Commit {head[:12]}; [what failed and why](https://github.com/{REPOSITORY}/actions/runs/{RUN_ID})\n"
    )
    expect(comments[0]["body"] == wanted, f"{name}: {comments[0]['body'][:500]}")


def the_token_is_only_where_it_is_needed(_):
    expect("GH_TOKEN" not in (WORKFLOWS / "grade.yml").read_text(), "the job that runs strangers' code has a token")
    job = yaml.safe_load((WORKFLOWS / "comment.yml").read_text())["jobs"]["comment"]
    for step in job["steps"]:
        expect("uses" not in step, "the workflow that may write uses an action")
        expect(("GH_TOKEN" in step.get("env", {})) == ("gh api" in step["run"]), step["name"])


TESTS = [
    linters_are_silent,
    actions_are_pinned,
    the_token_is_only_where_it_is_needed,
    an_honest_one_gets_its_points,
    a_broken_one_is_told_where,
    only_slot_files_are_taken,
    what_it_prints_is_no_command,
    an_environment_that_cannot_grade_is_an_error,
    the_comment_is_updated,
    others_heads_get_no_comment,
    changed_workflows_are_said,
    hostile_artifacts_are_not_believed,
]


def main():
    chosen = [test for test in TESTS if not sys.argv[1:] or test.__name__ in sys.argv[1:]]
    failed = 0
    for test in chosen:
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
            try:
                test(GitHub(pathlib.Path(folder)))
            except (AssertionError, OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"{test.__name__}: {str(error)[:4000]}")
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
