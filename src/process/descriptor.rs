//! Sockets as the kernel knows them, and the registry of this process.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{shutdown, Shutdown};
use nix::sys::stat::fstat;

use super::registry::Registry;
use super::shared;
use super::slot::Slot;
use super::Process;

/// How often a child looks for notes: at first without a pause, then each millisecond.
const LOOKS: u32 = 350;
const PAUSES: u32 = 250;

static REGISTRY: Registry = Registry::new();

/// A socket that belongs to this process: registered when it is made, closed when dropped, unless
/// its number means something else by then.
#[derive(Debug)]
pub struct Descriptor {
    fd: RawFd,
    inode: u64,
    generation: u32,
    slot: &'static Slot,
}

impl Descriptor {
    /// Make a socket, so that a child knows of it whenever it is forked. The socket must be new:
    /// not one of which `make`, or anybody else, has kept a copy.
    ///
    /// # Errors
    /// Those of `make`; `ECANCELED` in a child that was forked inside `make` and comes back from
    /// it (the socket may be its parent's, so it is let go); when the kernel does not know the
    /// descriptor.
    pub fn open(make: impl FnOnce() -> nix::Result<OwnedFd>) -> nix::Result<Self> {
        let generation = Process::current().generation();
        let claim = REGISTRY.claim(generation, shared::notes());
        let made = make()?;
        let inode = fstat(&made)?.st_ino;
        let fd = made.into_raw_fd();
        if claim.is_inherited() {
            // The first look at the ground may have closed it.
            close_if(fd, inode);
            return Err(Errno::ECANCELED);
        }
        Ok(Self { fd, inode, generation, slot: claim.fill(fd, inode) })
    }

    /// Whether the number still means the socket that was opened. Celery closes `fileno()` behind
    /// a driver's back, and the next file that is opened gets the number.
    pub fn is_ours(&self) -> bool {
        means(self.fd, self.inode)
    }

    /// Tell the other end that nobody listens any more. Nothing where it is inherited.
    pub fn shut(&self) {
        if Process::current().generation() == self.generation && self.is_ours() {
            let _ = shutdown(self.fd, Shutdown::Both);
        }
    }
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.fd
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: open for as long as `self` lives, unless other code closes the number behind
        // our back; then a call answers EBADF or, at worst, looks at another file.
        unsafe { BorrowedFd::borrow_raw(self.fd) }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // An inherited one was let go when the process was asked for, by whoever asked first.
        if Process::current().generation() != self.generation {
            return;
        }
        if self.is_ours() {
            // A child that never looked may hold a copy: closing ours would not end the
            // connection, and the server would keep its transaction and its locks.
            let _ = shutdown(self.fd, Shutdown::Both);
            close(self.fd);
        }
        REGISTRY.free(self.slot, self.generation, self.fd);
    }
}

/// Called once in each process, by the thread that gave it its identity.
pub(super) fn close_inherited(generation: u32) {
    let mut looks = 0;
    while !REGISTRY.let_go(generation, shared::notes(), looks < LOOKS, close_if) {
        if looks < LOOKS - PAUSES {
            thread::yield_now();
        } else {
            thread::sleep(Duration::from_millis(1));
        }
        looks += 1;
    }
    shared::renew(generation);
}

fn close_if(fd: RawFd, inode: u64) {
    if means(fd, inode) {
        close(fd);
    }
}

fn means(fd: RawFd, inode: u64) -> bool {
    // SAFETY: borrowed for one call that only asks; a number that is not open answers EBADF.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    fstat(fd)
        .is_ok_and(|stat| stat.st_ino == inode && stat.st_mode & libc::S_IFMT == libc::S_IFSOCK)
}

/// Close our copy of a descriptor, and nothing else: no `shutdown`, no goodbye.
fn close(fd: RawFd) {
    // SAFETY: the caller has made sure that the number means a socket of ours, and gives it up.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
}
