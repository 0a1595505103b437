#!/usr/bin/env bash
# What Gradescope runs once, as root, to make the image that submissions are graded in: installs what the course needs
# and compiles everything that is not a student's, so that a submission waits for its own files only.
set -euo pipefail

# Elsewhere than on Gradescope its folder may lie elsewhere.
course=${AUTOGRADER:-/autograder}/source/course

# shellcheck disable=SC1091 # every Ubuntu and Debian has it
. /etc/os-release
if [[ $ID == ubuntu ]] && dpkg --compare-versions "$VERSION_ID" lt 24.04; then
  printf 'setup.sh: Ubuntu %s is too old for the course; choose an image with Ubuntu 24.04 or Debian 12\n' "$VERSION_ID" >&2
  exit 3
fi

export CI=true
"$course/course" doctor
status=0
"$course/course" grade --submission "$course/labs" --no-bench || status=$?
((status <= 1)) || exit "$status"
