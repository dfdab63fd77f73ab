#!/bin/sh
# Usage: apt-install.sh PACKAGE...
# Install Debian packages, as root; otherwise say what to install and fail.
# Services that come with them are not started.
set -eu

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Please install: $* (on Debian or Ubuntu: apt-get install $*)" >&2
    exit 1
fi

# Debian's maintainer scripts ask policy-rc.d before they start a service; 101 forbids it.
# Where the machine has a policy of its own, that one holds.
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
mine=
trap 'rm -f "$log" $mine' EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$policy" ]; then
    mine=$policy
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

# Two at a time would fail: wait for another apt to end.
apt() { apt-get -o DPkg::Lock::Timeout=300 -q -y "$@" >>"$log" 2>&1; }
export DEBIAN_FRONTEND=noninteractive
echo "Installing $*"
if ! apt update || ! apt install --no-install-recommends "$@"; then
    cat "$log" >&2
    exit 1
fi
