# ../run and ../test source this file from the root. It creates .venv and installs the packages of a requirements file.

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# For a wrong call of a command.
misuse() {
    say "$*"
    exit 2
}

# Print the comment at the beginning of the command, without its first line (#!/bin/sh).
usage() {
    sed -n -e 1d -e '/^#/!q' -e 's/^# \{0,1\}//p' "$(basename "$0")"
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null 2>&1 || fail "PYTHON names $PYTHON, which is not there."
    else
        for PYTHON in python3 python3.13 python3.12 python3.11 python3.10 ''; do
            [ -n "$PYTHON" ] || fail "Python 3.10 or newer is needed; install python3 first."
            is_new_enough "$PYTHON" && break
        done
    fi
    is_new_enough "$PYTHON" || fail "$PYTHON is too old; Python 3.10 or newer is needed."
    "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "Python's venv module is missing; on Debian and Ubuntu install it with: apt install python3-venv"
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

# $1: the requirements file. Stores a checksum, and runs pip again only after a requirements file has changed.
prepare_environment() {
    find_python
    VENV_PYTHON="$PWD/.venv/bin/python"
    stamp=".venv/installed-$(basename "$1")"
    wanted=$(cat backend/requirements*.txt | cksum)
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ -x "$VENV_PYTHON" ] && "$VENV_PYTHON" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null
    then :; else
        say "Making a Python $version environment in .venv ..."
        "$PYTHON" -m venv --clear .venv || fail "The environment could not be made in $PWD/.venv; is the folder writable?"
    fi
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        say "Installing packages (about half a minute the first time) ..."
        # Python compiles what it imports. To compile everything now takes as long as to install it.
        "$VENV_PYTHON" -m pip install --quiet --no-compile --disable-pip-version-check --requirement "$1" ||
            fail "The packages could not be installed; the lines above say why. Check the network and start again."
        printf '%s' "$wanted" >"$stamp"
        # What ./test needs contains what ./run needs.
        printf '%s' "$wanted" >.venv/installed-requirements.txt
    fi
}
