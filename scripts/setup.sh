#!/bin/sh
# Make .venv/ with everything that is locked, and the project itself, editable. Called by `make setup`.
#
# Needs Python 3.11, 3.12 or 3.13. Uses uv where it is on PATH; else fetches it, locked, into .venv/; else takes pip.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

fail() {
    say ""
    say "make setup: $1"
    shift
    for line in "$@"; do say "  $line"; done
    exit 1
}

is_suitable() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1; }

find_python() {
    # The one that is active comes first; PYTHON=... on the command line overrules it.
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if is_suitable "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
}

make_venv() {
    python=$(find_python)
    if [ -z "$python" ]; then
        if command -v uv >/dev/null 2>&1 && uv venv --quiet --clear --python 3.12 .venv; then return; fi
        fail "no Python 3.11, 3.12 or 3.13 was found." \
            "Install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.12)," \
            "or name it: make setup PYTHON=/path/to/python3.12"
    fi
    say "setup: a virtual environment with $("$python" --version)"
    if command -v uv >/dev/null 2>&1 && uv venv --quiet --clear --python "$python" .venv; then return; fi
    if "$python" -m venv --clear .venv >/dev/null 2>&1; then return; fi
    # Debian and Ubuntu ship Python without ensurepip; virtualenv, where it is there, brings its own.
    rm -rf .venv
    if "$python" -m virtualenv --quiet .venv >/dev/null 2>&1; then return; fi
    rm -rf .venv
    fail "$python cannot make a virtual environment." \
        "Debian and Ubuntu keep that part in a package of its own: apt-get install python3-venv"
}

find_uv() {
    if command -v uv >/dev/null 2>&1; then
        command -v uv
        return
    fi
    if [ ! -x .venv/bin/uv ]; then
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
            -r requirements-setup.txt >&2 || true
    fi
    if [ -x .venv/bin/uv ]; then printf '%s\n' .venv/bin/uv; fi
}

install() {
    uv=$(find_uv)
    if [ -n "$uv" ]; then
        say "setup: installing the locked packages with $("$uv" --version | cut -d' ' -f1,2)"
        set -- "$uv" pip install --quiet --python .venv/bin/python
    else
        say "setup: installing the locked packages with pip, since uv is not to be had; this takes some minutes"
        set -- .venv/bin/python -m pip install --quiet --disable-pip-version-check
    fi
    "$@" --require-hashes -r requirements.txt -r requirements-dev.txt
    # The build backend is locked too, so nothing is fetched here.
    "$@" --no-deps --no-build-isolation --editable .
}

if [ -e .venv ] && ! is_suitable .venv/bin/python; then
    say "setup: .venv/ does not work any more and is made anew"
    rm -rf .venv
fi
[ -e .venv ] || make_venv
install
say "setup: done; the command is .venv/bin/exchange"
