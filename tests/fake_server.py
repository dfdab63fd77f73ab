"""A small MySQL server in Python, for what MariaDB cannot be made to do.

It greets with caching_sha2_password as MySQL does, logs one account in, and answers every
statement: a SELECT with one row, anything else with OK. As strict as MySQL 9.7 where it is known
to be stricter than MariaDB.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path

from typing_extensions import Self

from scripts.certificates import Certificates

PASSWORD = "hush-sha2"
PLUGIN = b"caching_sha2_password"
SHA256 = b"sha256_password"
NONCE = bytes(range(1, 21))

CONNECT_WITH_DB = 1 << 3
SSL = 1 << 11
# What MySQL offers and the driver may use, DEPRECATE_EOF and compression aside.
CAPABILITIES = 0x00FF_F7DF & ~(1 << 5) & ~SSL
OK = b"\x00\x00\x00\x02\x00\x00\x00"
EOF = b"\xfe\x00\x00\x02\x00"
FAST_OK, FULL_NEEDED = b"\x01\x03", b"\x01\x04"
COM_QUIT, COM_QUERY = 1, 3
COM_STMT_PREPARE, COM_STMT_EXECUTE, COM_STMT_CLOSE = 0x16, 0x17, 0x19


class RsaKey:
    """A key pair in `directory`, made and used by the `openssl` command."""

    def __init__(self, directory: Path) -> None:
        self.private = directory / "rsa-key.pem"
        self.public = directory / "rsa-public.pem"
        self._openssl("genrsa", "-out", self.private, "2048")
        self._openssl("rsa", "-in", self.private, "-pubout", "-out", self.public)

    def decrypt(self, secret: bytes) -> bytes:
        """What was encrypted for us, as MySQL pads it; b"" when it was not."""
        padding = ("-pkeyopt", "rsa_padding_mode:oaep")
        return self._openssl("pkeyutl", "-decrypt", "-inkey", self.private, *padding, data=secret)

    @staticmethod
    def _openssl(*arguments: object, data: bytes = b"") -> bytes:
        done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True)
        return done.stdout


class FakeServer:
    """Listens on a free port of `host`, or on `unix_socket`, until the end of its `with` block.

    `cached`: it knows the password's hash (the fast log-in). `key`: its RSA key. `certificates`:
    it offers TLS. `switch`: (plugin, data) that it asks for instead of its own; it looks at the
    answer when that is sha256_password. `infile`: the file that it asks for, whatever the
    statement. `executions`: the packets that prepared statements are answered with, in turn, and
    then OK; `deaf`: it stops hearing before it answers one. `speaks`: how it talks to a client.
    `heard` has each packet of a log-in and each answer about a file; `statements` each statement;
    `prepared` what was sent about prepared ones.
    """

    def __init__(
        self,
        *,
        cached: bool = False,
        key: RsaKey | None = None,
        certificates: Certificates | None = None,
        switch: tuple[bytes, bytes] | None = None,
        infile: str | None = None,
        executions: Iterable[list[bytes]] = (),
        host: str = "127.0.0.1",
        unix_socket: str | None = None,
        speaks: type[Conversation] | None = None,
    ) -> None:
        speaks = speaks or Conversation
        self.cached, self.key, self.certificates = cached, key, certificates
        self.switch, self.infile = switch, infile
        self.heard: list[bytes] = []
        self.statements: list[bytes] = []
        self.executions = list(executions)
        self.deaf = False
        self.prepared: list[bytes] = []
        self.conversations: list[Conversation] = []
        self.listener: socketserver.BaseServer
        if unix_socket:
            self.listener = UnixListener(unix_socket, speaks)
        else:
            self.listener = (Listener6 if ":" in host else Listener)((host, 0), speaks)
            self.port = self.listener.server_address[1]
        self.listener.fake = self  # type: ignore[attr-defined]
        self.thread = threading.Thread(target=self.listener.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown()
        self.thread.join()
        for conversation in self.conversations:
            conversation.hang_up()
        self.listener.server_close()  # waits for the conversations' threads


class Listener(socketserver.ThreadingTCPServer):
    """On IPv4."""


class Listener6(Listener):
    """On IPv6 alone."""

    address_family = socket.AF_INET6


class UnixListener(socketserver.ThreadingUnixStreamServer):
    """On a unix socket."""


class Conversation(socketserver.BaseRequestHandler):
    """One client, from the greeting to its goodbye."""

    offered = CAPABILITIES

    def handle(self) -> None:
        """Speak until the client hangs up or has been refused."""
        self.fake: FakeServer = self.server.fake  # type: ignore[attr-defined]
        self.fake.conversations.append(self)
        self.sequence = 0
        self.private = self.request.family == socket.AF_UNIX
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            self._send(self._greeting())
            if self._logs_in():
                self._send(OK)
                while self._answers():
                    pass
            else:
                self._send(error(1045, "28000", "Access denied"))
        self.request.close()  # with TLS it is no longer the one that the listener closes

    def hang_up(self) -> None:
        """End the conversation, from another thread."""
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)

    def _greeting(self) -> bytes:
        offered = self.offered | (SSL if self.fake.certificates else 0)
        return b"".join(
            (
                b"\x0a9.7.0-fake\0",
                struct.pack("<I", 77) + NONCE[:8] + b"\0",
                struct.pack("<HBHHB", offered & 0xFFFF, 255, 2, offered >> 16, len(NONCE) + 1),
                bytes(10) + NONCE[8:] + b"\0" + PLUGIN + b"\0",
            )
        )

    def _logs_in(self) -> bool:
        response = self._hear()
        if len(response) == 32:
            asked, response = response, self._over_tls()
            if asked[8] != response[8]:  # the character set: MySQL says "Bad handshake"
                return False
        flags = struct.unpack("<I", response[:4])[0]
        _user, rest = response[32:].split(b"\0", 1)
        scramble, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
        if flags & CONNECT_WITH_DB:
            _database, rest = rest.split(b"\0", 1)
        if self.fake.switch:
            plugin, data = self.fake.switch
            self._send(b"\xfe" + plugin + b"\0" + data)
            answer = self._hear()
            encrypted = isinstance(self.request, ssl.SSLSocket)
            return plugin != SHA256 or self._is_password(answer, b"\x01", plain=encrypted)
        if rest.split(b"\0")[0] != PLUGIN:
            return False
        if not self.fake.cached:
            return self._full()
        if scramble == expected_scramble():
            self._send(FAST_OK)
            return True
        return False

    def _full(self) -> bool:
        self._send(FULL_NEEDED)
        return self._is_password(self._hear(), b"\x02", plain=self.private)

    def _is_password(self, answer: bytes, ask_for_key: bytes, *, plain: bool) -> bool:
        """Whether the client sends the password itself, `plain` or by our key."""
        if plain:
            return answer == PASSWORD.encode() + b"\0"
        if not self.fake.key:
            return False
        if answer == ask_for_key:
            self._send(b"\x01" + self.fake.key.public.read_bytes())
            answer = self._hear()
        masked = self.fake.key.decrypt(answer)
        return xor(masked, NONCE) == PASSWORD.encode() + b"\0"

    def _over_tls(self) -> bytes:
        assert self.fake.certificates
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            self.fake.certificates.server_cert, self.fake.certificates.server_key
        )
        self.request = context.wrap_socket(self.request, server_side=True)
        self.private = True
        return self._hear()

    def _answers(self) -> bool:
        command = self._receive()
        if command[0] == COM_QUIT:
            return False
        if command[0] in (COM_STMT_PREPARE, COM_STMT_EXECUTE, COM_STMT_CLOSE):
            self.fake.prepared.append(command)
            for packet in self._prepared(command):
                self._send(packet)
            return True
        if command[0] != COM_QUERY:
            self._send(OK)
            return True
        self.fake.statements.append(command[1:])
        if self.fake.infile and not command[1:].startswith((b"SET ", b"SELECT @@")):
            self._send(b"\xfb" + self.fake.infile.encode())
            self._hear()
            self._send(OK)
        elif command[1:].startswith(b"SELECT"):
            columns = [column("wait_timeout"), column("max_allowed_packet")]
            for packet in (b"\x02", *columns, EOF, text("28800") + text("16777216"), EOF):
                self._send(packet)
        else:
            self._send(OK)
        return True

    def _prepared(self, command: bytes) -> list[bytes]:
        if command[0] == COM_STMT_CLOSE:
            return []
        if command[0] == COM_STMT_EXECUTE:
            if self.fake.deaf:
                self.request.shutdown(socket.SHUT_RD)
            return self.fake.executions.pop(0) if self.fake.executions else [OK]
        places = command.count(b"?")
        head = b"\0" + struct.pack("<IHHxH", len(self.fake.prepared), 0, places, 0)
        return [head, *([column("?")] * places), *([EOF] if places else [])]

    def _hear(self) -> bytes:
        packet = self._receive()
        self.fake.heard.append(packet)
        return packet

    def _receive(self) -> bytes:
        header = self._exactly(4)
        self.sequence = header[3] + 1
        return self._exactly(int.from_bytes(header[:3], "little"))

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self.request.recv(count - len(data))
            if not chunk:
                raise ConnectionError("the client hung up")
            data += chunk
        return data

    def _send(self, payload: bytes) -> None:
        length = len(payload).to_bytes(3, "little")
        self.request.sendall(length + bytes([self.sequence % 256]) + payload)
        self.sequence += 1


def expected_scramble() -> bytes:
    """What a client that knows the password answers to NONCE."""
    once = hashlib.sha256(PASSWORD.encode()).digest()
    twice = hashlib.sha256(once).digest()
    return xor(once, hashlib.sha256(twice + NONCE).digest())


def xor(data: bytes, mask: bytes) -> bytes:
    """`data` under `mask`, which is repeated as often as needed."""
    return bytes(byte ^ mask[place % len(mask)] for place, byte in enumerate(data))


def text(value: str) -> bytes:
    """A short string with its length before it."""
    return bytes([len(value)]) + value.encode()


def column(name: str, kind: int = 8, length: int = 20, flags: int = 0) -> bytes:
    """The definition of a column, of whole numbers unless it is of another `kind`."""
    names = text("def") + text("") * 3 + text(name) + text(name)
    return names + struct.pack("<BHIBHB2x", 12, 63, length, kind, flags, 6 if kind > 8 else 0)


def error(number: int, state: str, message: str) -> bytes:
    """An error packet."""
    return b"\xff" + struct.pack("<H", number) + b"#" + state.encode() + message.encode()
