#!/bin/sh
# Usage: python-fetch.sh VERSION DIRECTORY
# Print the path of a CPython VERSION ("3.14"): the one on the PATH or of pyenv, else that of Debian
# unstable, unpacked in DIRECTORY. Where none can be had, says why and fails.
set -eu
version=${1:?version} directory=${2:?directory}

# A name on the PATH may be a stand-in that starts nothing.
runs() { [ "$("$1" -c 'import sys, venv; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$version" ]; }

for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/"python$version" \
    "$directory/usr/bin/python$version"; do
    if runs "$python"; then
        "$python" -c 'import sys; print(sys.executable)'
        exit 0
    fi
done

echo "Unpacking Python $version in $directory" >&2
"$(dirname "$0")/debian-unpack.sh" sid "$directory" "python$version-venv libpython$version-dev" \
    "usr/bin/python$version" >&2
directory=$(cd "$directory" && pwd)
# Debian's ensurepip looks for pip where packages are installed.
sed -i "s|'/usr/share/python-wheels/'|'$directory/usr/share/python-wheels/'|" \
    "$directory/usr/lib/python$version"/_sysconfigdata*.py
python=$directory/usr/bin/python$version
runs "$python" || { echo "Python $version does not run here: $("$python" -V 2>&1)" >&2; exit 1; }
echo "$python"
