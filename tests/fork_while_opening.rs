//! A child forked in the middle of opening a socket, or of closing one, keeps none.
#![allow(clippy::unwrap_used)]

mod common;

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::panic::{catch_unwind, AssertUnwindSafe};

use common::{ends_well, in_fork, start_fork};
use forksafe::process::{Descriptor, Process};
use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg};
use nix::sys::signal::{kill, raise, Signal};
use nix::sys::socket::{socket, AddressFamily, SockFlag, SockType};
use nix::unistd::{getppid, Pid};

fn unconnected() -> nix::Result<OwnedFd> {
    socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
}

fn is_open(number: RawFd) -> bool {
    // SAFETY: borrowed for one call that only asks.
    fcntl(unsafe { BorrowedFd::borrow_raw(number) }, FcntlArg::F_GETFD).is_ok()
}

/// Each test in a process of its own: no other test's thread is then half way through an opening.
fn alone(test: impl FnOnce()) {
    in_fork(|| {
        Process::current();
        test();
    });
}

/// Open a socket, and fork `child`, which is told the number, as soon as there is one.
fn opened_while_forking(child: impl FnOnce(RawFd)) -> (Descriptor, Pid) {
    let mut forked = None;
    let socket = Descriptor::open(|| {
        let made = unconnected()?;
        forked = Some(start_fork(|| child(made.as_raw_fd())));
        Ok(made)
    });
    (socket.unwrap(), forked.unwrap())
}

fn lets_go(number: RawFd) {
    assert!(is_open(number));
    Process::current();
    assert!(!is_open(number));
}

#[test]
fn a_child_forked_between_a_socket_and_its_note_waits_for_the_note_and_closes_it() {
    alone(|| {
        let (socket, child) = opened_while_forking(lets_go);
        ends_well(child);
        assert!(socket.is_ours());
    });
}

#[test]
fn so_does_the_child_of_one_that_never_looked() {
    alone(|| {
        let (socket, child) = opened_while_forking(|number| in_fork(|| lets_go(number)));
        ends_well(child);
        assert!(socket.is_ours());
    });
}

#[test]
fn a_child_forked_between_a_claim_and_its_socket_leaves_the_number_alone() {
    alone(|| {
        let mut forked = None;
        let socket = Descriptor::open(|| {
            forked = Some(start_fork(|| {
                // The number that the parent's socket gets, and it is a socket too.
                let own = unconnected().unwrap();
                Process::current();
                assert!(is_open(own.as_raw_fd()));
            }));
            unconnected()
        });
        ends_well(forked.unwrap());
        assert!(socket.unwrap().is_ours());
    });
}

#[test]
fn a_child_whose_parent_is_stopped_in_between_gives_up_and_works() {
    alone(|| {
        let stop_until_told = |number| {
            start_fork(move || {
                Process::current();
                assert!(is_open(number), "the one that may leak");
                assert!(Descriptor::open(unconnected).unwrap().is_ours());
                kill(getppid(), Signal::SIGCONT).unwrap();
            })
        };
        let mut forked = None;
        let socket = Descriptor::open(|| {
            let made = unconnected()?;
            forked = Some(stop_until_told(made.as_raw_fd()));
            raise(Signal::SIGSTOP).unwrap();
            Ok(made)
        });
        ends_well(forked.unwrap());
        assert!(socket.unwrap().is_ours());
    });
}

#[test]
fn a_child_that_gave_up_hands_nothing_on() {
    alone(|| {
        let mut made = None;
        let socket = Descriptor::open(|| {
            let fd = unconnected()?;
            in_fork(|| {
                Process::current();
                made = Some(opened_while_forking(lets_go));
                ends_well(made.take().unwrap().1);
            });
            Ok(fd)
        });
        assert!(socket.unwrap().is_ours());
    });
}

#[test]
fn a_child_that_comes_back_from_making_a_socket_gets_none() {
    for first in [true, false] {
        alone(|| {
            let parent = Process::current();
            let mut number = -1;
            let socket = Descriptor::open(|| {
                let early = first.then(unconnected).transpose()?;
                // SAFETY: the child only does what is under test.
                let forked = unsafe { nix::unistd::fork() }?;
                let made = early.map_or_else(unconnected, Ok)?;
                number = made.as_raw_fd();
                if let nix::unistd::ForkResult::Parent { child } = forked {
                    // The child must not find a note before it is back.
                    ends_well(child);
                }
                Ok(made)
            });
            if parent.is_current() {
                assert!(socket.unwrap().is_ours());
                return;
            }
            nix::unistd::alarm::set(10);
            let right = socket.is_err_and(|error| error == Errno::ECANCELED) && !is_open(number);
            let works = Descriptor::open(unconnected).is_ok_and(|socket| socket.is_ours());
            // SAFETY: ends the process.
            unsafe { libc::_exit(i32::from(!(right && works))) }
        });
    }
}

/// What a child finds that was forked while another thread closed a socket: the number still means
/// the socket, for the table of descriptors was copied first, and the slot is free.
fn closed_while_forking() -> RawFd {
    let socket = Descriptor::open(unconnected).unwrap();
    let number = socket.as_raw_fd();
    let copy = nix::unistd::dup(&socket).unwrap();
    drop(socket);
    assert!(!is_open(number));
    // SAFETY: taken over for the call alone: `dup2` wants an owner, and must not end one.
    let mut taken = std::mem::ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number) });
    nix::unistd::dup2(&copy, &mut taken).unwrap();
    number
}

#[test]
fn a_child_closes_what_another_thread_closed_while_the_child_was_forked() {
    alone(|| {
        let number = closed_while_forking();
        in_fork(|| lets_go(number));
    });
}

#[test]
fn and_also_when_hundreds_of_sockets_were_opened_since() {
    alone(|| {
        let number = closed_while_forking();
        (0..2_000).for_each(|_| drop(Descriptor::open(unconnected).unwrap()));
        in_fork(|| lets_go(number));
    });
}

#[test]
fn a_slot_is_used_again_once_it_has_rested() {
    alone(|| {
        let number = closed_while_forking();
        (0..20_000).for_each(|_| drop(Descriptor::open(unconnected).unwrap()));
        in_fork(|| {
            Process::current();
            assert!(is_open(number), "forgotten");
        });
    });
}

#[test]
fn no_socket_of_the_application_is_closed_whatever_its_number() {
    alone(|| {
        let before = UnixStream::pair().unwrap();
        let numbers: Vec<_> = (0..50)
            .map(|_| Descriptor::open(unconnected).unwrap())
            .map(|socket| socket.as_raw_fd())
            .collect();
        let reused: Vec<_> = numbers.iter().map(|_| unconnected().unwrap()).collect();
        let (_socket, child) = opened_while_forking(|_| {
            let between: Vec<_> = (0..50).map(|_| unconnected().unwrap()).collect();
            Process::current();
            assert!(reused.iter().chain(&between).all(|socket| is_open(socket.as_raw_fd())));
            assert!(is_open(before.0.as_raw_fd()) && is_open(before.1.as_raw_fd()));
        });
        ends_well(child);
    });
}

#[test]
fn when_no_socket_could_be_made_the_slot_is_given_back_and_children_are_told() {
    alone(|| {
        let mut told = None;
        let fails = Descriptor::open(|| {
            told = Some(start_fork(|| {
                Process::current();
            }));
            Err(Errno::EMFILE)
        });
        assert_eq!(fails.unwrap_err(), Errno::EMFILE);
        ends_well(told.unwrap());
        let panics = || Descriptor::open(|| panic!("on purpose"));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert!(Descriptor::open(unconnected).unwrap().is_ours());
    });
}
