#!/bin/sh
# Usage: mysql-fetch.sh DIRECTORY
# Oracle's MySQL 9 of Debian unstable, unpacked in DIRECTORY for scripts/throwaway_mysql.py.
# Does nothing where it is there. Unstable moves: where it cannot be had, says why and fails.
set -eu
directory=${1:?directory}

has_it() { "$directory/usr/sbin/mysqld" --no-defaults --version >/dev/null 2>&1; }

has_it && exit 0
echo "Unpacking MySQL in $directory"
"$(dirname "$0")/debian-unpack.sh" sid "$directory" mysql-server-core usr/sbin/mysqld
# Helper programs, replication and telemetry: half of all, and nothing here runs them.
rm -rf "$directory/usr/bin" "$directory"/usr/lib/mysql/plugin/*group_replication* \
    "$directory"/usr/lib/mysql/plugin/*telemetry*
has_it || { echo "MySQL does not run here: $("$directory/usr/sbin/mysqld" --version 2>&1)" >&2; exit 1; }
