#!/bin/sh
# What scripts/throwaway_mariadb.py starts: MariaDB's server and client, and openssl.
# Does nothing where they are there. Leaves no server running.
set -eu

# Debian keeps the server where an ordinary user's PATH does not look.
PATH=$PATH:/usr/local/sbin:/usr/sbin
missing=
for program in mariadbd mariadb-install-db mariadb openssl; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
[ -n "$missing" ] || exit 0

echo "Not on this machine:$missing"
"$(dirname "$0")/apt-install.sh" mariadb-server mariadb-client openssl
