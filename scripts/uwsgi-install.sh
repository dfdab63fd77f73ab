#!/bin/sh
# Usage: uwsgi-install.sh PYTHON
# uWSGI, for its tests. It is compiled for this very Python; where that cannot be done, its tests
# skip and say so, so this never fails.
set -u
python=${1:?python}

bin=$(dirname "$python")
version=$("$python" -c 'import platform; print(platform.python_version())')
# Without what would need more libraries, and without a cached wheel that has them.
export UWSGI_PROFILE_OVERRIDE="xml=no;ssl=no;yaml=embedded;json=no"

has_it() { [ "$("$bin/uwsgi" --python-version 2>/dev/null)" = "$version" ]; }
install() {
    "$python" -m pip install -q --disable-pip-version-check --no-cache-dir --no-binary uwsgi \
        "uwsgi>=2.0.26,<2.1" >/dev/null 2>&1
}

has_it && exit 0
install && has_it && exit 0
packages="gcc libc6-dev $("$(dirname "$0")/python-headers.sh" "$python")"
# shellcheck disable=SC2086 # a list of words
"$(dirname "$0")/apt-install.sh" $packages >/dev/null 2>&1 && install && has_it && exit 0
echo "uWSGI does not install here (it needs: $packages); its tests are skipped"
exit 0
