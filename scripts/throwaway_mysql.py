"""A throwaway MySQL: the one that scripts/mysql-fetch.sh unpacks, or the installed one."""

from __future__ import annotations

import contextlib
import getpass
import subprocess
from typing import Any

from scripts.throwaway import ACCOUNTS, Throwaway

# As for MariaDB: small, quick to start, and with nothing that need survive a crash.
QUICK = (
    "--innodb-redo-log-capacity=8M",
    "--innodb-buffer-pool-size=64M",
    "--innodb-doublewrite=OFF",
    "--innodb-flush-method=nosync",
    "--innodb-use-native-aio=OFF",
    "--innodb-page-cleaners=1",
    "--local-infile=1",
)

# MariaDB has tables of numbers, `seq_1_to_9000`, that tests take rows from. MySQL gets those with
# one digit before zeros, up to a million, as views of one table, in which they lie in order.
DOUBLINGS = [f"INSERT INTO numbers SELECT seq + {2**n} FROM numbers;" for n in range(20)]
LASTS = [digit * 10**zeros for zeros in range(6) for digit in range(1, 10)] + [1_000_000]
NUMBERS = "\n".join(
    [
        "USE {database};",
        "CREATE TABLE numbers (seq BIGINT UNSIGNED PRIMARY KEY) ENGINE=MyISAM;",
        "INSERT INTO numbers VALUES (1);",
        *DOUBLINGS,
        "CREATE VIEW seq_3_to_4 AS SELECT seq FROM numbers WHERE seq IN (3, 4);",
        *(f"CREATE VIEW seq_1_to_{n} AS SELECT seq FROM numbers WHERE seq <= {n};" for n in LASTS),
    ]
)


class ThrowawayMySQL(Throwaway):
    """As `Throwaway` has it. Its accounts have MySQL's default, `caching_sha2_password`."""

    program = "mysqld"
    to_have_it = "run scripts/mysql-fetch.sh"

    def connect_kwargs(self, transport: str = "tcp", **options: Any) -> dict[str, Any]:
        """As `Server` has it; in clear, leave to ask the server for its key goes along."""
        clear = {} if transport in ("socket", "tls") else {"get_server_public_key": True}
        return super().connect_kwargs(transport, **{**clear, **options})

    def _make_data(self) -> None:
        log = self.directory / "install.log"
        command = [
            *(self._find(self.program), "--no-defaults", f"--user={getpass.getuser()}"),
            *(*self._places(), *self._own_options(), "--initialize-insecure"),
            f"--log-error={log}",
        ]
        if subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode:
            raise RuntimeError(f"mysqld --initialize failed:\n{log.read_text(errors='replace')}")

    def _accounts(self) -> str:
        # MySQL 9.6 and newer keep MD5() and SHA1() in a component; many a test asks for them.
        with contextlib.suppress(RuntimeError):
            self.execute_as_root("INSTALL COMPONENT 'file://component_classic_hashing'")
        return ACCOUNTS + NUMBERS

    def _tls_options(self) -> list[str]:
        # Left to itself it makes certificates, and offers TLS by them.
        return super()._tls_options() or ["--tls-version="]

    def _own_options(self) -> tuple[str, ...]:
        if not self.root:
            return ("--mysqlx=OFF", *QUICK)
        share = self.root / "usr" / "share" / "mysql"
        return (
            f"--basedir={self.root / 'usr'}",
            f"--lc-messages-dir={share}",
            f"--character-sets-dir={share / 'charsets'}",
            f"--plugin-dir={self.root / 'usr' / 'lib' / 'mysql' / 'plugin'}",
            "--secure-file-priv=NULL",
            "--mysqlx=OFF",
            *QUICK,
        )
