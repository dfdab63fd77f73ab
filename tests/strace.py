"""A trace by strace, read for one question: who touched a socket that another process opened?

With `-y` strace writes each descriptor with what it means in the kernel, `7<socket:[4711]>`. So a
number that was closed and given out again, a copy made by `dup` and one kept over `exec` need no
book-keeping here: a socket is its inode, and its owner is the process that called `socket`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Whatever moves bytes, ends the stream or changes what all copies of a descriptor share. What is
# not here looks (`poll`, `fstat`) or is the child's own business (`close`, `dup`).
TOUCHES = frozenset(
    (
        *("read", "readv", "pread64", "preadv", "preadv2"),
        *("write", "writev", "pwrite64", "pwritev", "pwritev2"),
        *("sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg"),
        *("sendfile", "splice", "tee", "shutdown", "connect", "setsockopt", "ioctl", "fcntl"),
    )
)
# But of these two what concerns one process's descriptor alone, as its flag to close on exec.
OWN = {"fcntl": re.compile("F_(?!SETFL)"), "ioctl": re.compile("FION?CLEX")}
FORKS = frozenset(("fork", "vfork", "clone", "clone3"))
MARKS = frozenset(("access", "faccessat", "faccessat2"))  # what the C library makes of access()
TRACED = sorted(TOUCHES | FORKS | MARKS | {"socket", "close"})

# A program under strace that asks for a path that begins so names what it does from there on.
MARK = "/forksafe-mark/"

LINE = re.compile(r"(\d+) +(.*)")
CALL = re.compile(r"(\w+)\(")
RESUMED = re.compile(r"<\.\.\. \w+ resumed>")
RESULT = re.compile(r"\) += (\d+)(<.*>)?[^<>]*$")
SUPERSEDED = re.compile(r"\+\+\+ superseded by execve in pid (\d+) \+\+\+")
SOCKET = re.compile(r"<socket:\[(\d+)\]>")
MARKED = re.compile(rf'"{MARK}([^"]*)"')


def traced(command: Sequence[str], to: Path) -> list[str]:
    """`command` under strace, which writes to the file `to` what `Trace.read` reads.

    The calls that nobody asks about run at full speed (`--seccomp-bpf`); `-s 0` keeps what is sent
    and received, passwords too, out of the file.
    """
    calls = ",".join("?" + name for name in TRACED)  # "?": not every machine has all of them
    options = ["-f", "-y", "-s", "0", "--seccomp-bpf", "-e", f"trace={calls}", "-o", str(to)]
    return ["strace", *options, "--", *command]


def why_not() -> str | None:
    """Why nothing can be traced here, and what to do; None where it can."""
    try:
        done = subprocess.run(traced(["true"], Path("/dev/null")), capture_output=True, text=True)
    except FileNotFoundError:
        return "strace is not installed: run scripts/strace-install.sh"
    if done.returncode:
        hint = "in a container, allow it with --cap-add=SYS_PTRACE"
        return f"strace cannot trace here ({hint}): {done.stderr.splitlines()[-1]}"
    return None


@dataclass(eq=False)
class Task:
    """A thread, from its first line to its last: the kernel gives its number out again."""

    number: int
    maker: Task | None = None
    is_thread: bool = False  # of its maker's process

    @property
    def process(self) -> Task:
        """The task that began the process."""
        task = self
        while task.is_thread and task.maker:
            task = task.maker
        return task


@dataclass(frozen=True)
class Call:
    """A call, in the words of the line with which it begins."""

    line: int
    task: Task
    name: str
    text: str
    mark: str

    @property
    def process(self) -> Task:
        """Whose call it was."""
        return self.task.process

    @property
    def sockets(self) -> list[int]:
        """The inodes of the sockets it names."""
        return [int(inode) for inode in SOCKET.findall(self.text)]

    def __str__(self) -> str:
        return f"line {self.line}: process {self.process.number}: {self.text} [{self.mark}]"


@dataclass
class Trace:
    """What strace saw. ValueError for one that does not tell what a descriptor means."""

    calls: list[Call] = field(default_factory=list)  # that touch or close a socket
    owners: dict[int, Task] = field(default_factory=dict)  # of sockets, by inode
    forks: list[tuple[str, Task]] = field(default_factory=list)  # mark, and the child; no vfork
    marks: list[str] = field(default_factory=list)

    @staticmethod
    def read(path: Path) -> Trace:
        """The trace in a file that `traced` wrote."""
        with path.open(errors="replace") as lines:
            return Trace.of(lines)

    @staticmethod
    def of(lines: Iterable[str]) -> Trace:
        """The trace in these lines."""
        return _Reader(Trace()).read(lines)

    @property
    def connected(self) -> set[int]:
        """The inodes of the sockets that somebody connected to something."""
        return {inode for call in self.calls if call.name == "connect" for inode in call.sockets}

    def inherited(self) -> Iterator[Call]:
        """The calls on a connected socket by a process that did not open it."""
        connected = self.connected
        for call in self.calls:
            sockets = connected.intersection(call.sockets)
            if any(self._owner(inode) is not call.process for inode in sockets):
                yield call

    def offences(self) -> list[Call]:
        """What was done to inherited sockets beyond letting go of them."""
        return [call for call in self.inherited() if call.name != "close"]

    def _owner(self, inode: int) -> Task | None:
        owner = self.owners.get(inode)
        return owner and owner.process


class _Reader:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.tasks: dict[int, Task] = {}  # that are running, by number
        self.orphans: dict[int, Task] = {}  # that ended before their maker's call returned
        self.begun: dict[Task, str] = {}  # what was written of a call that has not returned
        self.line = 0

    def read(self, lines: Iterable[str]) -> Trace:
        for self.line, text in enumerate(lines, 1):
            if found := LINE.match(text):
                self._line(self._task(int(found[1])), found[2].rstrip())
        return self.trace

    def _task(self, number: int) -> Task:
        return self.tasks.setdefault(number, Task(number))

    def _line(self, task: Task, text: str) -> None:
        if text.startswith("+++"):
            self._end(task, text)
        elif text.endswith("<unfinished ...>"):
            self._begin(task, text.removesuffix("<unfinished ...>").rstrip())
        elif found := RESUMED.match(text):
            # The beginning is missing where another thread has called execve: then this is its
            # answer, and nothing that is asked here.
            self._return(task, self.begun.pop(task, "") + text[found.end() :])
        elif not text.startswith("---"):
            self._begin(task, text)
            self._return(task, self.begun.pop(task))

    def _begin(self, task: Task, text: str) -> None:
        """Touching counts from here: a child may be killed before its call returns."""
        self.begun[task] = text
        found = CALL.match(text)
        name = found[1] if found else ""
        if name in MARKS and (marked := MARKED.search(text)):
            self.trace.marks.append(marked[1])
        touches = name in TOUCHES and not (name in OWN and OWN[name].search(text))
        if (touches or name == "close") and SOCKET.search(text):
            self.trace.calls.append(Call(self.line, task, name, text, self._mark))

    def _return(self, task: Task, text: str) -> None:
        call, result = CALL.match(text), RESULT.search(text)
        if not call or not result:
            return
        if call[1] in FORKS:
            self._fork(task, int(result[1]), text)
        elif call[1] == "socket":
            inode = SOCKET.search(result[2] or "")
            if inode is None:
                raise ValueError(f"line {self.line} does not tell the socket's inode: {text}")
            self.trace.owners[int(inode[1])] = task

    def _fork(self, maker: Task, number: int, call: str) -> None:
        is_thread = "CLONE_THREAD" in call
        may_only_exec = "VFORK" in call.upper()
        task = self._new(number)
        task.maker, task.is_thread = maker, is_thread
        if not is_thread and not may_only_exec:
            self.trace.forks.append((self._mark, task))

    def _new(self, number: int) -> Task:
        """Its first lines may have been there before its maker's call returned, even its last."""
        if number not in self.tasks and number in self.orphans:
            return self.orphans.pop(number)
        return self._task(number)

    def _end(self, task: Task, text: str) -> None:
        if found := SUPERSEDED.match(text):
            # That thread goes on under this number, and they are one process anyhow.
            self.tasks.pop(int(found[1]), None)
            return
        del self.tasks[task.number]
        if task.maker is None:
            self.orphans[task.number] = task

    @property
    def _mark(self) -> str:
        return self.trace.marks[-1] if self.trace.marks else ""
