"""The fault-injecting TCP proxy itself; `proxy.py` starts it and speaks to it.

    python proxy_process.py UPSTREAM_HOST UPSTREAM_PORT [UNIX_SOCKET]

Listens on UNIX_SOCKET, or else on a free port of 127.0.0.1, which it prints. Then each line on
standard input is a command, answered by one line. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import time

HOST = "127.0.0.1"
CHUNK = 65536


class Faults:
    """What happens to the bytes on their way to the client."""

    def __init__(self) -> None:
        self.hanging = False
        self.holding = False  # the next connection's client is not heard
        self.delay = 0.0
        self.slice = 0
        self.cut: int | None = None  # bytes a new connection may still carry
        self.cut_by_reset = False


class Link:
    """One client, and its connection to the server."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.proxy = proxy
        self.client_reader, self.client_writer = reader, writer
        self.server_writer: asyncio.StreamWriter | None = None
        self.left = proxy.faults.cut
        self.held, proxy.faults.holding = proxy.faults.holding, False
        self.swallowing = False

    async def run(self) -> None:
        """Carry bytes both ways until either side ends."""
        await self._pass_gate()
        server_reader, self.server_writer = await asyncio.open_connection(*self.proxy.upstream)
        ways = (self._towards_server(self.server_writer), self._towards_client(server_reader))
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def end(self, *, reset: bool) -> None:
        """Close both sides; the client sees a RST or a FIN."""
        self.proxy.links.discard(self)
        if reset:
            # Lingering for no time turns a close into a reset.
            linger = struct.pack("ii", 1, 0)
            client = self.client_writer.get_extra_info("socket")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.client_writer.transport.abort()
        self.client_writer.close()
        if self.server_writer:
            self.server_writer.close()

    async def _towards_server(self, writer: asyncio.StreamWriter) -> None:
        while data := await self.client_reader.read(CHUNK):
            while self.held:
                await asyncio.sleep(0.002)
            await self._pass_gate()
            if self.swallowing:
                return
            self.proxy.bytes_up += len(data)
            writer.write(data)
            await writer.drain()

    async def _towards_client(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(CHUNK):
            await self._pass_gate()
            step = self.proxy.faults.slice or len(data)
            for start in range(0, len(data), step):
                await asyncio.sleep(self.proxy.faults.delay)
                if not await self._deliver(data[start : start + step]):
                    return

    async def _deliver(self, data: bytes) -> bool:
        """Hand `data` to the client; False when the cut has come."""
        data = data[: self.left]
        if self.left is not None:
            self.left -= len(data)
        self.proxy.bytes_down += len(data)
        self.client_writer.write(data)
        await self.client_writer.drain()
        if self.left != 0:
            return True
        await asyncio.sleep(0.02)  # a reset would overtake what the client has not read yet
        self.end(reset=self.proxy.faults.cut_by_reset)
        return False

    async def _pass_gate(self) -> None:
        while self.proxy.faults.hanging:
            await asyncio.sleep(0.01)


class Proxy:
    """The listening side, and the commands."""

    def __init__(self, upstream: tuple[str, int], unix_socket: str | None = None) -> None:
        self.upstream, self.unix_socket = upstream, unix_socket
        self.faults = Faults()
        self.links: set[Link] = set()
        self.listener: asyncio.Server | None = None
        self.port = 0
        self.arrivals: list[float] = []  # by the clock that all processes share
        self.bytes_up = self.bytes_down = 0

    async def open(self) -> None:
        """Listen, on the same port as before if there was one."""
        if self.listener is None and self.unix_socket:
            self.listener = await asyncio.start_unix_server(self._accept, self.unix_socket)
        elif self.listener is None:
            self.listener = await asyncio.start_server(self._accept, HOST, self.port, backlog=512)
            self.port = self.listener.sockets[0].getsockname()[1]

    async def obey(self, command: str, number: int) -> object:
        """Carry out one command; what it answers."""
        faults = self.faults
        if command == "pass":
            self.faults = Faults()
            for link in self.links:
                link.left, link.held = None, False
            await self.open()
        elif command == "refuse" and self.listener:
            self.listener.close()
            self.listener = None
        elif command == "hang":
            faults.hanging = True
        elif command == "hold":
            faults.holding = True
        elif command == "delay":
            faults.delay = number / 1000
        elif command == "slice":
            faults.slice = number
        elif command in ("cut", "cut_rst"):
            faults.cut, faults.cut_by_reset = number, command == "cut_rst"
            for link in self.links:
                link.left = number
        elif command in ("rst", "fin"):
            for link in list(self.links):
                link.end(reset=command == "rst")
        elif command == "turn":
            self.upstream = (self.upstream[0], number)
        elif command == "swallow":
            for link in self.links:
                link.swallowing = True
        return self.arrivals if command == "arrivals" else self._stats()

    def _stats(self) -> dict[str, int]:
        links = {"open": len(self.links), "total": len(self.arrivals)}
        return {**links, "down": self.bytes_down, "up": self.bytes_up}

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = writer.get_extra_info("socket")
        if client.family != socket.AF_UNIX:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(self, reader, writer)
        self.links.add(link)
        self.arrivals.append(time.monotonic())
        try:
            await link.run()
        except OSError:
            pass  # the client or the server is gone: so is the link
        finally:
            link.end(reset=False)


async def main(host: str, port: int, unix_socket: str | None = None) -> None:
    """Serve until standard input ends."""
    proxy = Proxy((host, port), unix_socket)
    await proxy.open()
    print(proxy.port, flush=True)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        command, number = line.decode().split()
        print(json.dumps(await proxy.obey(command, int(number))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
