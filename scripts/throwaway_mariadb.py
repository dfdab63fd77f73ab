"""A throwaway MariaDB: the installed one, or another that was unpacked."""

from __future__ import annotations

import getpass
import subprocess

from scripts.throwaway import ACCOUNTS, Throwaway

# A small server that is quick to start: nothing it holds need survive a crash of the machine.
QUICK = (
    "--innodb-log-file-size=8M",
    "--innodb-flush-log-at-trx-commit=0",
    "--debug-no-sync=1",
)
SMALL = (
    "--innodb-buffer-pool-size=32M",
    "--innodb-doublewrite=0",
    "--key-buffer-size=1M",
    "--aria-pagecache-buffer-size=1M",
)
# Its absence is an error in the server's log and nothing more.
ED25519 = ("--plugin-maturity=unknown", "--plugin-load-add=auth_ed25519")

ED25519_ACCOUNT = """
CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('ed-secret');
GRANT ALL ON {database}.* TO ed@'%';
"""


class ThrowawayMariaDB(Throwaway):
    """As `Throwaway` has it; scripts/mariadb-fetch.sh unpacks a `root` of a newer release."""

    program = "mariadbd"
    to_have_it = "run scripts/mariadb-install.sh"
    has_ed25519 = False

    def _make_data(self) -> None:
        base = [f"--basedir={self.root / 'usr'}"] if self.root else []
        command = [
            *(self._find("mariadb-install-db"), "--no-defaults", f"--user={getpass.getuser()}"),
            *(*base, *self._places(), "--skip-test-db"),
            *("--auth-root-authentication-method=normal", *QUICK),
            "--innodb-buffer-pool-size=16M",
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")

    def _tls_options(self) -> list[str]:
        # Left to themselves 11.4 and newer make certificates, and offer TLS by them.
        return super()._tls_options() or ["--skip-ssl"]

    def _own_options(self) -> tuple[str, ...]:
        base = (f"--basedir={self.root / 'usr'}",) if self.root else ()
        return (*base, "--collation-server=utf8mb4_general_ci", *QUICK, *SMALL, *ED25519)

    def _accounts(self) -> str:
        loaded = self.execute_as_root(
            "SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'ed25519'"
        )
        self.has_ed25519 = bool(loaded)
        return ACCOUNTS + (ED25519_ACCOUNT if self.has_ed25519 else "")
