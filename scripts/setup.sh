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
    if "$python" -m venv --clear .venv >/dev/null 2>&1; then return; fi
    # Debian and Ubuntu ship Python without ensurepip; uv and virtualenv do not need it.
    rm -rf .venv
    if command -v uv >/dev/null 2>&1 && uv venv --quiet --python "$python" .venv; then return; fi
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

fetch() { "$@" --require-hashes -r requirements.txt -r requirements-dev.txt; }

install() {
    uv=$(find_uv)
    if [ -n "$uv" ]; then
        say "setup: installing the locked packages with $("$uv" --version | cut -d' ' -f1,2)"
        set -- "$uv" pip install --quiet --python .venv/bin/python
        if ! fetch "$@" 2>/dev/null; then
            # A proxy with a certificate of its own is known to the system, not to uv's built-in list.
            say "setup: once more, with the certificates of this system"
            export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1
            fetch "$@" || uv=""
        fi
    fi
    if [ -z "$uv" ]; then
        say "setup: installing the locked packages with pip, since uv cannot; this takes some minutes"
        set -- .venv/bin/python -m pip install --quiet --disable-pip-version-check
        fetch "$@" || fail "the locked packages could not be installed; the reason is above." \
            "Behind a proxy, set HTTPS_PROXY (and PIP_CERT or SSL_CERT_FILE for its certificate), then run it again."
    fi
    # The build backend is locked too, so nothing is fetched here.
    "$@" --no-deps --no-build-isolation --editable . ||
        fail "the project itself could not be installed; the reason is above."
}

if [ -e .venv ] && ! is_suitable .venv/bin/python; then
    say "setup: .venv/ does not work any more and is made anew"
    rm -rf .venv
fi
[ -e .venv ] || make_venv
install
say "setup: done; the command is .venv/bin/exchange"
