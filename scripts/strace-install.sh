#!/bin/sh
# strace, the second witness of tests/test_strace.py. Does nothing where it is there; where it
# cannot be installed the tests that want it skip and say so, so this never fails.
set -u

command -v strace >/dev/null && exit 0
"$(dirname "$0")/apt-install.sh" strace || echo "The tests under strace will skip." >&2
exit 0
