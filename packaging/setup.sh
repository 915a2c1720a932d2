#!/usr/bin/env bash
# Creates .venv, installs one lock file with hashes, and sees to the system libraries that Qt needs.
# Usage: setup.sh LOCKFILE STAMP. Offline once it has run.
set -euo pipefail
lock=$1
stamp=$2

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.14 python3.13 python3.12 python3.11 python3; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 to 3.14 is needed and none was found. Install one, or name it: make PYTHON=/path/to/python3" >&2
    exit 2
}

if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    echo "Creating .venv with $("$python" --version) …" >&2
    "$python" -m venv .venv || {
        rm -rf .venv
        echo "The venv module is missing. On Debian or Ubuntu: apt-get install python3-venv" >&2
        exit 2
    }
fi

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    .venv/bin/python -m ensurepip -q
fi
echo "Installing the locked dependencies ($lock) …" >&2
.venv/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r "$lock"
.venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .

if [ "$(uname -s)" = Linux ]; then
    missing=$(.venv/bin/python packaging/qt_libraries.py)
    if [ -n "$missing" ]; then
        as_root=""
        if [ "$(id -u)" -ne 0 ]; then as_root="sudo -n"; fi
        if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
            echo "Installing system libraries for Qt: $missing" >&2
            $as_root apt-get update -qq || true # without a fresh list, with the one there is
            # shellcheck disable=SC2086
            DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null || true
            missing=$(.venv/bin/python packaging/qt_libraries.py)
        fi
        if [ -n "$missing" ]; then
            echo "The window needs these system libraries; an administrator can install them with:" >&2
            echo "    sudo apt-get install $missing" >&2
            echo "Until then everything runs without a window." >&2
        fi
    fi
fi
touch "$stamp"
