"""The reader of traces sees who touched what, however strace had to write it down."""

from __future__ import annotations

import pytest

from tests.strace import Trace

OPENS = """\
10 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 7<socket:[100]>
10 connect(7<socket:[100]>, {sa_family=AF_INET, sin_port=htons(3306), sin_addr=…}, 16) = 0
10 sendto(7<socket:[100]>, ""..., 5, MSG_NOSIGNAL, NULL, 0) = 5
"""
FORKS = "10 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 11\n"
ENDS = "11 +++ exited with 0 +++\n"


def touches(text: str) -> list[tuple[int, str]]:
    """The process and name of each offence."""
    trace = Trace.of(text.splitlines(keepends=True))
    assert trace.connected, "the trace has no connected socket"
    return [(call.process.number, call.name) for call in trace.offences()]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("write", 'write(7<socket:[100]>, ""..., 1) = 1'),
        ("read", 'read(7<socket:[100]>, ""..., 4096) = 11'),
        ("sendto", 'sendto(7<socket:[100]>, ""..., 1, 0, NULL, 0) = 1'),
        ("recvfrom", 'recvfrom(7<socket:[100]>, ""..., 1, MSG_PEEK, NULL, NULL) = 1'),
        ("sendmsg", "sendmsg(7<socket:[100]>, {msg_name=NULL, …}, MSG_NOSIGNAL) = 31"),
        ("writev", 'writev(7<socket:[100]>, [{iov_base=""..., iov_len=1}], 1) = 1'),
        ("sendfile", "sendfile(7<socket:[100]>, 3</etc/passwd>, NULL, 10) = 10"),
        ("splice", "splice(3<pipe:[9]>, NULL, 7<socket:[100]>, NULL, 10, 0) = 10"),
        ("shutdown", "shutdown(7<socket:[100]>, SHUT_RDWR) = 0"),
        ("shutdown", "shutdown(7<socket:[100]>, SHUT_RDWR) = -1 ENOTCONN (…)"),
        ("setsockopt", "setsockopt(7<socket:[100]>, SOL_TCP, TCP_NODELAY, [1], 4) = 0"),
        ("ioctl", "ioctl(7<socket:[100]>, FIONBIO, [1]) = 0"),
        ("fcntl", "fcntl(7<socket:[100]>, F_SETFL, O_RDWR|O_NONBLOCK) = 0"),
    ],
)
def test_whatever_moves_bytes_or_changes_an_inherited_socket_is_found(name: str, call: str) -> None:
    assert touches(f"{OPENS}{FORKS}11 {call}\n{ENDS}") == [(11, name)]


@pytest.mark.parametrize(
    "call",
    [
        "close(7<socket:[100]>) = 0",
        "fcntl(7<socket:[100]>, F_GETFD) = 0x1 (flags FD_CLOEXEC)",
        "ioctl(7<socket:[100]>, FIONCLEX) = 0",
        "fcntl(7<socket:[100]>, F_DUPFD_CLOEXEC, 0) = 8<socket:[100]>",
        'write(1<pipe:[5]>, ""..., 1) = 1',
        'write(7, ""..., 1) = -1 EBADF (Bad file descriptor)',
        'recvfrom(8<socket:[300]>, ""..., 1, 0, NULL, NULL) = 1',  # was never connected
    ],
)
def test_what_leaves_the_connection_alone_is_not_held_against_a_child(call: str) -> None:
    assert touches(f"{OPENS}{FORKS}11 {call}\n{ENDS}") == []


def test_the_parent_may_do_as_it_likes() -> None:
    reads = '10 recvfrom(7<socket:[100]>, ""..., 16384, 0, NULL, NULL) = 11\n'
    ends = "10 shutdown(7<socket:[100]>, SHUT_RDWR) = 0\n10 close(7<socket:[100]>) = 0\n"
    assert touches(OPENS + FORKS + reads + ENDS + ends) == []


def test_a_reused_number_is_the_childs_own() -> None:
    own = OPENS.replace("10 ", "11 ").replace("[100]", "[200]")
    assert touches(f"{OPENS}{FORKS}11 close(7<socket:[100]>) = 0\n{own}{ENDS}") == []


def test_a_copy_under_another_number_is_still_inherited() -> None:
    assert touches(f'{OPENS}{FORKS}11 write(9<socket:[100]>, "", 1) = 1\n') == [(11, "write")]


def test_a_childs_own_socket_is_not_its_childs() -> None:
    own = OPENS.replace("10 ", "11 ").replace("[100]", "[200]")
    grandchild = FORKS.replace("11", "12").replace("10 ", "11 ")
    writes = '12 write(7<socket:[200]>, "", 1) = 1\n11 write(7<socket:[200]>, "", 1) = 1\n'
    assert touches(OPENS + FORKS + own + grandchild + writes) == [(12, "write")]


def test_a_grandchild_inherits_too() -> None:
    grandchild = FORKS.replace("11", "12").replace("10 ", "11 ")
    text = f"{OPENS}{FORKS}{grandchild}{ENDS}12 shutdown(7<socket:[100]>, SHUT_WR) = 0\n"
    assert touches(text) == [(12, "shutdown")]


def test_a_program_that_a_child_execs_is_still_that_child() -> None:
    execs = '11 execve("/bin/echo", [...], 0x7f /* 9 vars */) = 0\n'
    assert touches(f'{OPENS}{FORKS}{execs}11 write(7<socket:[100]>, "", 1) = 1\n') == [
        (11, "write")
    ]


def test_a_program_that_the_owner_execs_is_still_the_owner() -> None:
    execs = '10 execve("/bin/echo", [...], 0x7f /* 9 vars */) = 0\n'
    assert touches(f'{OPENS}{FORKS}{execs}10 write(7<socket:[100]>, "", 1) = 1\n') == []


THREAD = "{} clone3({{flags=CLONE_VM|CLONE_FILES|CLONE_THREAD}} => {{parent_tid=[{}]}}, 88) = {}\n"


def test_threads_of_the_owner_are_the_owner() -> None:
    text = OPENS + THREAD.format(10, 12, 12) + '12 write(7<socket:[100]>, "", 1) = 1\n'
    assert touches(text) == []


def test_a_socket_opened_by_a_thread_belongs_to_the_process() -> None:
    text = THREAD.format(9, 10, 10) + OPENS + '9 write(7<socket:[100]>, "", 1) = 1\n'
    assert touches(text) == []


def test_a_thread_of_a_child_is_the_child() -> None:
    text = OPENS + FORKS + THREAD.format(11, 12, 12) + '12 write(7<socket:[100]>, "", 1) = 1\n'
    assert touches(text) == [(11, "write")]


@pytest.mark.parametrize(
    "fork", ["vfork()", "fork()", "clone3({flags=0, exit_signal=SIGCHLD}, 88)"]
)
def test_every_way_to_fork_makes_another_process(fork: str) -> None:
    text = f'{OPENS}10 {fork} = 11\n11 write(7<socket:[100]>, "", 1) = 1\n'
    assert touches(text) == [(11, "write")]


def test_a_child_that_may_only_exec_is_not_counted_as_forked() -> None:
    trace = Trace.of([FORKS, FORKS.replace("11", "12").replace("SIGCHLD", "CLONE_VFORK"), ENDS])
    assert [child.number for _, child in trace.forks] == [11]


BEGINS = "10 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>\n"
RETURNS = "10 <... clone resumed>, child_tidptr=0x7f)   = 11\n"


def test_a_child_may_be_heard_of_before_its_parents_fork_returns() -> None:
    touch = '11 write(7<socket:[100]>, "", 1) = 1\n'
    assert touches(OPENS + BEGINS + touch + RETURNS) == [(11, "write")]


def test_a_child_may_even_end_before_its_parents_fork_returns() -> None:
    touch = '11 write(7<socket:[100]>, "", 1) = 1\n'
    text = OPENS + BEGINS + touch + ENDS + RETURNS
    assert touches(text) == [(11, "write")]
    again = Trace.of((text + FORKS + touch + ENDS).splitlines())
    assert len({child for _, child in again.forks}) == 2


def test_a_thread_that_is_heard_of_early_is_its_process() -> None:
    begins = "10 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD, stack=0x7f <unfinished ...>\n"
    touch = '12 write(7<socket:[100]>, "", 1) = 1\n'
    returns = "10 <... clone3 resumed> => {parent_tid=[12]}, 88) = 12\n"
    assert touches(OPENS + begins + touch + returns) == []


def test_a_call_that_never_returned_was_made_all_the_same() -> None:
    text = (
        f"{OPENS}{FORKS}11 read(7<socket:[100]>,  <unfinished ...>\n11 +++ killed by SIGKILL +++\n"
    )
    assert touches(text) == [(11, "read")]


def test_a_call_that_was_interrupted_on_paper_counts_once() -> None:
    begins = "11 read(7<socket:[100]>,  <unfinished ...>\n"
    assert touches(f'{OPENS}{FORKS}{begins}11 <... read resumed>""..., 4) = 4\n') == [(11, "read")]


def test_a_socket_whose_making_was_interrupted_on_paper_has_its_owner() -> None:
    begins = "10 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP <unfinished ...>\n"
    returns = "10 <... socket resumed>)  = 7<socket:[100]>\n"
    assert touches(begins + returns + OPENS.partition("\n")[2] + FORKS + ENDS) == []


def test_a_thread_number_that_is_given_out_again_is_somebody_else() -> None:
    text = (
        OPENS
        + THREAD.format(10, 11, 11)
        + ENDS
        + FORKS
        + "11 shutdown(7<socket:[100]>, SHUT_WR) = 0\n"
    )
    assert touches(text) == [(11, "shutdown")]


def test_a_thread_that_execs_goes_on_under_its_process_number() -> None:
    text = (
        OPENS
        + THREAD.format(10, 12, 12)
        + '12 write(7<socket:[100]>, "", 1) = 1\n'
        + '12 execve("/bin/echo", [...], 0x7f <unfinished ...>\n'
        + "10 +++ superseded by execve in pid 12 +++\n10 <... execve resumed>) = 0\n"
        + '10 write(7<socket:[100]>, "", 1) = 1\n'
    )
    assert touches(text) == []
    assert touches(text + FORKS.replace("11", "12") + '12 write(7<socket:[100]>, "", 1) = 1\n') == [
        (12, "write")
    ]


def test_a_unix_socket_is_a_connection_too() -> None:
    unix = OPENS.replace("sin_port=htons(3306), sin_addr=…", 'sun_path="/tmp/x/sock"')
    assert touches(f"{unix}{FORKS}11 shutdown(7<socket:[100]>, 2) = 0") == [(11, "shutdown")]


def test_a_connect_that_has_only_begun_is_a_connection() -> None:
    connecting = OPENS.replace("16) = 0", "16) = -1 EINPROGRESS (Operation now in progress)")
    assert touches(f"{connecting}{FORKS}11 shutdown(7<socket:[100]>, 2) = 0") != []


def test_a_socket_from_nowhere_is_nobodys() -> None:
    assert touches(OPENS.partition("\n")[2]) == [(10, "connect"), (10, "sendto")]


def test_a_trace_without_inodes_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1 does not tell the socket's inode"):
        Trace.of(["10 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 7\n"])


def test_an_offence_names_line_process_call_and_test() -> None:
    mark = '10 access("/forksafe-mark/tests/test_x.py::test_y[a]", F_OK) = -1 ENOENT (…)\n'
    trace = Trace.of(f"{mark}{OPENS}{FORKS}11 shutdown(7<socket:[100]>, SHUT_WR) = 0".splitlines())
    [offence] = trace.offences()
    text = "line 6: process 11: shutdown(7<socket:[100]>, SHUT_WR) = 0 [tests/test_x.py::test_y[a]]"
    assert str(offence) == text
    assert [mark for mark, _ in trace.forks] == ["tests/test_x.py::test_y[a]"]
