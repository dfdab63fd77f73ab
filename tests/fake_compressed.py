"""The small server of fake_server.py, speaking the compressed protocol: well, or badly."""

from __future__ import annotations

import zlib

from tests.fake_server import CAPABILITIES, Conversation, FakeServer

COMPRESS = 1 << 5
# A statement that is answered with `answer`.
ANSWERED_BADLY = "DO 'something bad'"


class CompressedConversation(Conversation):
    """In frames, once the client has logged in; each packet of the server is one, deflated."""

    offered = CAPABILITIES | COMPRESS
    compressed = False
    frames = 0
    inflated = b""

    def _answers(self) -> bool:
        self.compressed = True
        return super()._answers()

    def _exactly(self, count: int) -> bytes:
        if not self.compressed:
            return super()._exactly(count)
        while len(self.inflated) < count:
            self.inflated += self._frame()
        data, self.inflated = self.inflated[:count], self.inflated[count:]
        return data

    def _frame(self) -> bytes:
        header = super()._exactly(7)
        self.frames = header[3] + 1
        body = super()._exactly(int.from_bytes(header[:3], "little"))
        return zlib.decompress(body) if any(header[4:]) else body

    def _send(self, payload: bytes) -> None:
        if not self.compressed:
            super()._send(payload)
        elif self.fake.statements[-1:] == [ANSWERED_BADLY.encode()]:
            assert isinstance(self.fake, CompressedServer)
            self.request.sendall(self.fake.answer)
        else:
            self.request.sendall(frame(packet(payload), self.frames))
            self.frames += 1


class CompressedServer(FakeServer):
    """Offers the compressed protocol, and wants it. `answer`: what ANSWERED_BADLY is answered."""

    def __init__(self, answer: bytes = b"") -> None:
        super().__init__(cached=True, speaks=CompressedConversation)
        self.answer = answer

    def say(self, data: bytes) -> None:
        """Send bytes that no client has asked for."""
        self.conversations[-1].request.sendall(data)


def packet(payload: bytes, number: int = 1) -> bytes:
    """A packet with its header."""
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


def frame(
    plain: bytes, number: int = 1, *, announced: int | None = None, body: bytes | None = None
) -> bytes:
    """A frame that holds `plain`; it may lie about its length, or have another body."""
    body = zlib.compress(plain) if body is None else body
    length = len(plain) if announced is None else announced
    return b"".join(
        (len(body).to_bytes(3, "little"), bytes([number]), length.to_bytes(3, "little"), body)
    )
