#!/bin/sh
# Usage: debian-source.sh SUITE PACKAGE DIRECTORY
# The project's own archive of Debian's source package PACKAGE, in DIRECTORY: PACKAGE_VERSION.orig.tar.xz
# or the like. It has what a project may leave out of its releases, such as tests. The machine's apt
# stays as it is. Fails with a sentence that says why.
set -eu
suite=${1:?suite} package=${2:?package} directory=${3:?directory}

. "$(dirname "$0")/debian-apt.sh"
own_apt deb-src "$suite" "$directory"
cd "$directory"
# A mirror may have no more than this one file of the package: not the description, not the patches.
download --tar-only source "$package"
leftover=$apt
