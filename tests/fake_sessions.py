"""The small server of fake_server.py, with a list of sessions that says what a test wants."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.fake_server import COM_QUERY, EOF, NONCE, OK, Conversation, FakeServer, column, text

FIRST = 77  # the number of the first session; the next has the next one


@dataclass
class Listed:
    """How the list shows the first session to the second; None: as it is."""

    there: bool = True
    user: str = "app"
    host: str | None = None
    seconds: int = 0
    statement: str | None = None
    #: Where the second one seems to come from.
    own_host: str | None = None
    #: What the server says of itself to the second one.
    server: str = "this server"
    #: Which number it says that the second one has.
    own_number: int = FIRST + 1


class SessionsConversation(Conversation):
    """Answers what a driver asks about sessions; SELECT SLEEP is never answered."""

    @property
    def number(self) -> int:
        """Of this session."""
        return FIRST + self.fake.conversations.index(self)

    @property
    def place(self) -> str:
        """Where its client is."""
        host, port = self.request.getpeername()
        return f"{host}:{port}"

    def _greeting(self) -> bytes:
        own, usual = (struct.pack("<I", n) + NONCE[:8] for n in (self.number, 77))
        return super()._greeting().replace(usual, own)

    def _answers(self) -> bool:
        command = self._receive()
        if command[0] != COM_QUERY:
            return False
        self.fake.statements.append(command[1:])
        if command[1:].startswith(b"SELECT @@wait_timeout"):
            self._rows([["28800", "16777216", "151", "0", str(self.number), "this server"]])
        elif b"PROCESSLIST" in command:
            self._rows(self._listed())
        elif not command[1:].startswith(b"SELECT SLEEP"):
            self._send(OK)
        return True

    def _listed(self) -> list[list[str]]:
        assert isinstance(self.fake, SessionsServer)
        listed, first = self.fake.listed, self.fake.conversations[0]
        assert isinstance(first, SessionsConversation)
        running = next(sql for sql in self.fake.statements if sql.startswith(b"SELECT SLEEP"))
        head = [str(listed.own_number), listed.server]
        own = [str(self.number), "app", listed.own_host or self.place, "0", "SELECT 1"]
        statement = running.decode() if listed.statement is None else listed.statement
        shown = [str(FIRST), listed.user, listed.host or first.place]
        rows = [own, [*shown, str(listed.seconds), statement]]
        return [head + row for row in rows[: 1 + listed.there]]

    def _rows(self, rows: list[list[str]]) -> None:
        width = len(rows[0])
        packets = [bytes([width]), *[column("x")] * width, EOF]
        packets += [b"".join(map(text, row)) for row in rows]
        for packet in (*packets, EOF):
            self._send(packet)


class SessionsServer(FakeServer):
    """Shows its first session as `listed`."""

    def __init__(self, listed: Listed) -> None:
        super().__init__(cached=True, speaks=SessionsConversation)
        self.listed = listed

    def killed(self) -> list[bytes]:
        """What it was asked to kill."""
        return [sql for sql in self.statements if sql.startswith(b"KILL")]
