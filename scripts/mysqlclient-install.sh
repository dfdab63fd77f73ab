#!/bin/sh
# Usage: mysqlclient-install.sh PYTHON
# mysqlclient, for the demo and tests/conformance to compare with. It must be compiled; where that
# cannot be done, the demo compares with PyMySQL instead and tests/conformance looks for itself, so
# this never fails.
set -u
python=${1:?python}

has_it() { "$python" -c 'import MySQLdb' 2>/dev/null; }
install() { "$python" -m pip install -q --disable-pip-version-check mysqlclient >/dev/null 2>&1; }

has_it && exit 0
install && has_it && exit 0
packages="libmariadb-dev pkg-config gcc $("$(dirname "$0")/python-headers.sh" "$python")"
# shellcheck disable=SC2086 # a list of words
"$(dirname "$0")/apt-install.sh" $packages >/dev/null 2>&1 && install && has_it && exit 0
echo "mysqlclient does not install here (it needs: $packages); the demo takes PyMySQL instead"
exit 0
