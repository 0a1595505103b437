"""The part of `gh api` that the workflows use, for workflows.py. GitHub is the file that FAKE_GITHUB names."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse


def answer(state, method, path, fields):
    """What GitHub would answer: JSON, or a file's bytes."""
    repository = "repos/school/goro/"
    assert path.startswith(repository), path
    url = urllib.parse.urlparse(path.removeprefix(repository))
    query = dict(urllib.parse.parse_qsl(url.query))
    if method == "GET" and url.path == "pulls":
        return [pull for pull in state["pulls"] if pull["state"] == query["state"]]
    if method == "GET" and (found := re.fullmatch(r"pulls/(\d+)(/files)?", url.path)):
        pull = next(pull for pull in state["pulls"] if pull["number"] == int(found.group(1)))
        return pull["files"] if found.group(2) else pull
    if method == "GET" and url.path == "actions/runs/4711/artifacts":
        return {"artifacts": [kept for kept in state["artifacts"] if kept["name"] == query["name"]]}
    if method == "GET" and (found := re.fullmatch(r"actions/artifacts/(\d+)/zip", url.path)):
        kept = next(kept for kept in state["artifacts"] if kept["id"] == int(found.group(1)))
        return pathlib.Path(kept["file"]).read_bytes()
    if found := re.fullmatch(r"issues/(\d+)/comments", url.path):
        issue = int(found.group(1))
        if method == "GET":
            return [comment for comment in state["comments"] if comment["issue"] == issue]
        comment = {"id": 1000 + len(state["comments"]), "issue": issue, "user": {"login": "github-actions[bot]"}, **fields}
        state["comments"].append(comment)
        return comment
    if method == "PATCH" and (found := re.fullmatch(r"issues/comments/(\d+)", url.path)):
        comment = next(comment for comment in state["comments"] if comment["id"] == int(found.group(1)))
        comment.update(fields)
        return comment
    raise AssertionError(f"{method} {path}: the test does not know it")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("api", choices=["api"])
    parser.add_argument("path")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--paginate", action="store_true")
    parser.add_argument("--jq")
    parser.add_argument("--field", action="append", default=[])
    given = parser.parse_args()
    assert os.environ["GH_TOKEN"] == "a-token", "without the token"
    fields = {}
    for field in given.field:
        name, value = field.split("=", 1)
        fields[name] = pathlib.Path(value[1:]).read_text() if value.startswith("@") else value
    file = pathlib.Path(os.environ["FAKE_GITHUB"])
    state = json.loads(file.read_text())
    found = answer(state, given.method, given.path, fields)
    file.write_text(json.dumps(state))
    if isinstance(found, bytes):
        sys.stdout.buffer.write(found)
    elif given.jq:
        subprocess.run(["jq", "--raw-output", given.jq], input=json.dumps(found), text=True, check=True)
    else:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
