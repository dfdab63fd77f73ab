#!/bin/sh
# Usage: python-headers.sh PYTHON
# Print the Debian package that has Python's headers, where PYTHON comes without them.
set -eu
"${1:?python}" - <<'END'
import os, sysconfig
if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    print("python3-dev")
END
