#!/bin/sh
# Make .venv with the exact versions of requirements.lock. An interrupted run is taken up where it stopped.
# PYTHON names the interpreter to use; TORCH_INDEX an index to take PyTorch from.
set -eu
cd "$(dirname "$0")/.."
log=.venv/install.log

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" && echo "$PYTHON"
        return
    fi
    # the lock is made for 3.11 and tested up to 3.13
    for name in python3.11 python3.12 python3.13 python3 python; do
        if is_new_enough "$name"; then
            echo "$name"
            return
        fi
    done
}

# pip's own words go to the log; the end of it is shown where it fails
install() {
    if ! .venv/bin/python -m pip install --disable-pip-version-check --no-input "$@" >>"$log" 2>&1; then
        echo "pip failed; the end of $(pwd)/$log says:" >&2
        tail -n 15 "$log" | cut -c1-300 >&2
        exit 1
    fi
}

# a .venv is kept if its Python runs and has pip, whatever else is missing in it
if ! { is_new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python) || true
    if [ -z "$python" ]; then
        echo "No Python 3.11 or newer was found${PYTHON:+ at $PYTHON}. Install one, or name it: make book PYTHON=…" >&2
        exit 2
    fi
    echo "Making .venv with $("$python" --version 2>&1) ($python)"
    if ! "$python" -m venv --clear .venv >/dev/null 2>&1; then
        echo "$python cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 2
    fi
fi

: >"$log"
echo "Installing the packages of requirements.lock into .venv: minutes the first time. Details: $(pwd)/$log"
if [ -n "${TORCH_INDEX:-}" ]; then
    echo "PyTorch comes from $TORCH_INDEX"
    install --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.lock)"
fi
install -r requirements.lock
install --no-deps --editable .
touch .venv/.installed
