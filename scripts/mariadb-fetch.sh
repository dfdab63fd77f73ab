#!/bin/sh
# Usage: mariadb-fetch.sh DIRECTORY
# MariaDB 11.8 of Debian 13, beside the installed one: unpacked in DIRECTORY for
# scripts/throwaway_mariadb.py. Does nothing where it is there; where it cannot be had, says why and fails.
set -eu
directory=${1:?directory}

has_it() { "$directory/usr/sbin/mariadbd" --no-defaults --version >/dev/null 2>&1; }

has_it && exit 0
echo "Unpacking MariaDB 11.8 in $directory"
"$(dirname "$0")/debian-unpack.sh" trixie "$directory" "mariadb-server-core mariadb-client-core" \
    usr/sbin/mariadbd usr/bin/my_print_defaults usr/bin/resolveip
has_it || { echo "MariaDB 11.8 does not run here: $("$directory/usr/sbin/mariadbd" --version 2>&1)" >&2; exit 1; }
