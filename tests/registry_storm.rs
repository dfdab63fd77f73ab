//! Children forked at any moment of other threads' sockets: none of them keeps one.
#![allow(clippy::unwrap_used)]

mod common;

use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;

use common::start_fork;
use forksafe::process::{Descriptor, Process};
use nix::sys::socket::{socket, AddressFamily, SockFlag, SockType};
use nix::sys::stat::fstat;
use nix::sys::wait::{waitpid, WaitStatus};

const CHILDREN: usize = 400;
const THREADS: usize = 4;
/// No process of this test has a number above.
const HIGHEST: RawFd = 256;

fn unconnected() -> nix::Result<OwnedFd> {
    socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
}

/// Every socket here is a registered one: there is no other test in this file.
fn sockets() -> usize {
    // SAFETY: borrowed for one call that only asks; a number that is not open answers EBADF.
    let mode = |fd| fstat(unsafe { BorrowedFd::borrow_raw(fd) }).map(|stat| stat.st_mode);
    (0..HIGHEST)
        .filter(|fd| mode(*fd).is_ok_and(|mode| mode & libc::S_IFMT == libc::S_IFSOCK))
        .count()
}

#[test]
fn a_child_forked_at_any_moment_keeps_none_of_the_sockets_that_threads_open_and_close() {
    let done = AtomicBool::new(false);
    let opened = AtomicU32::new(0);
    let mut left = 0;
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    let held = [(); 4].map(|()| Descriptor::open(unconnected).unwrap());
                    opened.fetch_add(held.len() as u32, Relaxed);
                }
            });
        }
        for _ in 0..CHILDREN {
            let child = start_fork(|| {
                Process::current();
                // SAFETY: ends the process.
                unsafe { libc::_exit(sockets() as i32) }
            });
            match waitpid(child, None).unwrap() {
                WaitStatus::Exited(_, kept) => left += usize::from(kept > 0),
                end => panic!("a child hung or failed: {end:?}"),
            }
        }
        done.store(true, Relaxed);
    });
    println!("{} sockets opened; {left} of {CHILDREN} children kept one", opened.load(Relaxed));
    assert_eq!(left, 0);
    assert_eq!(sockets(), 0, "nor does the parent");
}
