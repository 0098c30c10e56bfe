#!/bin/sh
# Lock pyproject.toml into requirements*.txt with hashes, for every system and Python 3.11 to 3.13. Called by
# `make requirements` (with --upgrade); without arguments it keeps what is locked and adds only what is missing.
set -eu
cd "$(dirname "$0")/.."
uv=$(command -v uv || printf '%s' .venv/bin/uv)

lock() {
    output=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-emit-index-url --no-emit-find-links --output-file "$output" "$@"
}

lock requirements.txt pyproject.toml "$@"
lock requirements-dev.txt --group dev --constraint requirements.txt "$@"
lock requirements-setup.txt --group setup --constraint requirements.txt --constraint requirements-dev.txt "$@"
