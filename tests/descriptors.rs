//! The registry of sockets: a child closes what it inherited, once, and nothing else.
#![allow(clippy::unwrap_used)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use common::in_fork;
use forksafe::process::{Descriptor, Process};
use nix::fcntl::{fcntl, FcntlArg};
use nix::sys::resource::{getrlimit, setrlimit, Resource};
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::{getpid, Pid};

/// Counts what each thread allocates: a path that must not allocate, and memory that must not grow.
struct Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get() + layout.size());
        // SAFETY: the caller keeps the promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A socket as a session has it, and the other end of it.
fn opened() -> (Descriptor, UnixStream) {
    let mut peer = None;
    let socket = Descriptor::open(|| {
        let (ours, far) = UnixStream::pair().unwrap();
        far.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        peer = Some(far);
        Ok(ours.into())
    });
    (socket.unwrap(), peer.unwrap())
}

/// Nothing to read, and the other end is open.
fn is_silent(peer: &mut UnixStream) -> bool {
    peer.set_nonblocking(true).unwrap();
    peer.read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

fn is_open(number: RawFd) -> bool {
    // SAFETY: borrowed for one call that only asks.
    fcntl(unsafe { BorrowedFd::borrow_raw(number) }, FcntlArg::F_GETFD).is_ok()
}

/// Make `number` mean the same as `other`, as when it was closed behind our back and then reused.
fn reuse(number: RawFd, other: &impl AsFd) {
    // SAFETY: taken over for the call alone: `dup2` wants an owner, and must not end one.
    let mut taken = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(number) });
    nix::unistd::dup2(other, &mut taken).unwrap();
}

/// Close `number`, which nobody owns any more.
fn close(number: RawFd) {
    // SAFETY: the test made it mean a file of its own.
    drop(unsafe { OwnedFd::from_raw_fd(number) });
}

/// As a program in C may: no at-fork handler runs, and no lock of the C library is mended. So the
/// child allocates nothing; the sum of what went wrong is its exit code.
#[test]
#[cfg(target_os = "linux")]
fn a_child_made_by_a_raw_clone_is_somebody_else_and_lets_go_without_allocating() {
    let parent = Process::current();
    let (socket, _peer) = opened();
    // SAFETY: as fork, in a child that only asks, allocates nothing and leaves by `_exit`.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    if pid == 0 {
        nix::unistd::alarm::set(10);
        let before = ALLOCATED.get();
        let child = Process::current();
        let wrong = i32::from(child == parent)
            + 2 * i32::from(Pid::from_raw(child.pid() as i32) != getpid())
            + 4 * i32::from(child.generation() != parent.generation() + 1)
            + 8 * i32::from(is_open(socket.as_raw_fd()))
            + 16 * i32::from(ALLOCATED.get() != before);
        // SAFETY: ends the process.
        unsafe { libc::_exit(wrong) };
    }
    let child = Pid::from_raw(pid as i32);
    assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
    assert!(is_open(socket.as_raw_fd()));
}

#[test]
fn a_descriptor_is_closed_with_its_owner() {
    let (socket, mut peer) = opened();
    let number = socket.as_raw_fd();
    assert!(is_open(number) && socket.is_ours() && socket.as_fd().as_raw_fd() == number);
    drop(socket);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_child_closes_its_copy_and_the_parents_stays_open() {
    let (socket, mut peer) = opened();
    in_fork(|| {
        assert!(is_open(socket.as_raw_fd()), "before the ground is asked");
        Process::current();
        assert!(!is_open(socket.as_raw_fd()) && !socket.is_ours());
    });
    assert!(socket.is_ours());
    assert!(is_silent(&mut peer), "no shutdown, no byte");
}

#[test]
fn a_child_closes_once_so_that_numbers_and_slots_it_reuses_are_its_own() {
    let (socket, _peer) = opened();
    let mut socket = Some(socket);
    in_fork(|| {
        Process::current();
        let number = socket.as_ref().unwrap().as_raw_fd();
        let mut own = Vec::new();
        while !is_open(number) || own.len() < 300 {
            own.push(opened());
        }
        drop(socket.take());
        Process::current();
        assert!(own.iter().all(|(socket, _)| socket.is_ours()) && is_open(number));
        in_fork(|| {
            Process::current();
            let left = own.iter().filter(|(socket, _)| is_open(socket.as_raw_fd())).count();
            assert_eq!(left, 0, "their slots were their own too");
        });
    });
}

#[test]
fn an_inherited_descriptor_may_be_dropped_before_the_ground_is_asked() {
    let (socket, mut peer) = opened();
    let mut socket = Some(socket);
    in_fork(|| {
        let number = socket.as_ref().unwrap().as_raw_fd();
        drop(socket.take());
        assert!(!is_open(number));
        let devices = [(); 50].map(|()| File::open("/dev/null").unwrap());
        Process::current();
        assert!(devices.iter().all(|device| is_open(device.as_raw_fd())));
    });
    assert!(is_silent(&mut peer), "no shutdown");
    assert!(socket.unwrap().is_ours());
}

#[test]
fn a_number_that_means_another_file_is_left_alone_by_owner_and_child() {
    let (socket, _peer) = opened();
    let number = socket.as_raw_fd();
    reuse(number, &File::open("/dev/null").unwrap());
    assert!(!socket.is_ours());
    in_fork(|| {
        Process::current();
        assert!(is_open(number));
    });
    drop(socket);
    assert!(is_open(number));
    close(number);
}

#[test]
fn a_number_that_means_another_socket_is_left_alone_by_owner_and_child() {
    let ((socket, _peer), (mut other, mut far)) = (opened(), UnixStream::pair().unwrap());
    let number = socket.as_raw_fd();
    reuse(number, &other);
    assert!(!socket.is_ours());
    in_fork(|| {
        Process::current();
        assert!(
            is_open(number) && is_open(other.as_raw_fd()),
            "not registered, so not ours to close"
        );
    });
    drop(socket);
    assert!(is_open(number));
    close(number);
    other.write_all(b"x").unwrap();
    assert_eq!(far.read(&mut [0]).unwrap(), 1);
}

#[test]
fn a_slot_is_free_again_when_its_descriptor_is_gone() {
    drop(opened());
    let before = ALLOCATED.get();
    for _ in 0..20_000 {
        drop(opened());
    }
    assert_eq!(ALLOCATED.get(), before);
}

#[test]
fn more_sockets_than_a_block_has_slots_are_all_let_go() {
    const MANY: usize = 8_300;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if most < MANY as u64 + 500 {
        return println!("skipped: this user may not have {MANY} files open");
    }
    // In a child, which alone may have so many.
    in_fork(|| {
        setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
        let many: Vec<_> = (0..MANY).map(|_| opened().0).collect();
        in_fork(|| {
            Process::current();
            assert!(many.iter().all(|socket| !is_open(socket.as_raw_fd())));
        });
        assert!(many.iter().all(Descriptor::is_ours));
    });
}

#[test]
fn the_slots_of_what_a_child_let_go_are_free_there() {
    let _many: Vec<_> = (0..260).map(|_| opened().0).collect();
    let mut own = Vec::with_capacity(260);
    in_fork(|| {
        let before = ALLOCATED.get();
        own.extend((0..260).map(|_| opened().0));
        assert_eq!(ALLOCATED.get(), before, "no slot was added");
    });
}

#[test]
fn a_chain_of_generations_stays_flat() {
    /// Open files, and mappings of shared memory.
    fn sizes() -> (usize, usize) {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let shared = maps.lines().filter(|line| line.contains(" rw-s ")).count();
        (fs::read_dir("/proc/self/fd").unwrap().count(), shared)
    }
    fn generation(left: u32, flat: Option<(usize, usize)>) {
        Process::current();
        let own: Vec<_> = (0..3).map(|_| opened()).map(|(socket, _)| socket).collect();
        let sizes = sizes();
        assert_eq!(flat.unwrap_or(sizes), sizes);
        if left > 0 {
            in_fork(|| generation(left - 1, Some(sizes)));
        }
        assert!(own.iter().all(Descriptor::is_ours));
    }
    in_fork(|| generation(200, None));
}

#[test]
fn a_fork_while_other_threads_open_and_close_sockets_confuses_no_child() {
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                start.wait();
                (0..20_000).for_each(|_| drop(opened()));
            });
        }
        start.wait();
        for _ in 0..100 {
            in_fork(|| {
                let device = File::open("/dev/null").unwrap();
                Process::current();
                assert!(is_open(device.as_raw_fd()));
                let own: Vec<_> = (0..20).map(|_| opened()).collect();
                assert!(own.iter().all(|(socket, _)| socket.is_ours()));
            });
        }
    });
}
