#!/bin/sh
# Usage: venv.sh PYTHON VENV
# A virtual environment with pip in it. Does nothing where there is one.
set -eu
python=${1:?python} venv=${2:?venv}

if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "forksafe needs Python 3.10 or newer; name one by: make PYTHON=/path/to/python3" >&2
    exit 1
fi
rm -rf "$venv"
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian keeps what makes environments in a package of its own.
    "$(dirname "$0")/apt-install.sh" python3-venv
fi
"$python" -m venv "$venv"
