//! The registry of sockets: what a child lets go of, without a look at anything else.
//!
//! An inherited connection may sit behind a lock that nobody in the child will ever release, or
//! be half changed. So each socket's number is kept apart, in lock-free slots, with the generation
//! that opened it and the inode that tells whether the number still means that socket.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use nix::sys::socket::{shutdown, Shutdown};
use nix::sys::stat::fstat;

use super::Process;

const SLOTS: usize = 256;
/// A slot word is `generation << 32 | number + 1`; zero is free, this lower half is being filled.
const CLAIMED: u32 = u32::MAX;

struct Slot {
    word: AtomicU64,
    inode: AtomicU64,
}

/// Slots come in blocks that are never freed: a child may be reading them at any time.
struct Block {
    slots: [Slot; SLOTS],
    next: AtomicPtr<Block>,
}

static FIRST: Block = Block::new();

/// A socket that belongs to this process: registered when it is made, closed when dropped, unless
/// its number means something else by then.
#[derive(Debug)]
pub struct Descriptor {
    fd: RawFd,
    inode: u64,
    word: u64,
    slot: &'static Slot,
}

impl Descriptor {
    /// Take over a socket that was just made.
    ///
    /// # Errors
    /// When the kernel does not know the descriptor; it is then closed.
    pub fn adopt(fd: OwnedFd) -> nix::Result<Self> {
        let generation = Process::current().generation();
        let slot = claim(generation);
        let inode = match fstat(&fd) {
            Ok(stat) => stat.st_ino,
            Err(error) => {
                slot.word.store(0, Ordering::Release);
                return Err(error);
            }
        };
        let fd = std::os::fd::IntoRawFd::into_raw_fd(fd);
        slot.inode.store(inode, Ordering::Relaxed);
        let word = pack(generation, fd as u32 + 1);
        slot.word.store(word, Ordering::Release);
        Ok(Self { fd, inode, word, slot })
    }

    /// Whether the number still means the socket that was adopted. Celery closes `fileno()` behind
    /// a driver's back, and the next file that is opened gets the number.
    pub fn is_ours(&self) -> bool {
        means(self.fd, self.inode)
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
        // Close first, free the slot after: a child forked in between finds a number that means
        // another socket or none, and leaves it alone. The other order would leak it there.
        if self.slot.word.load(Ordering::Acquire) == self.word {
            if self.is_ours() {
                // A child that never looked may hold a copy: closing ours would not end the
                // connection, and the server would keep its transaction and its locks.
                let _ = shutdown(self.fd, Shutdown::Both);
                close(self.fd);
            }
            self.slot.word.store(0, Ordering::Release);
        }
    }
}

impl Slot {
    const fn new() -> Self {
        Self { word: AtomicU64::new(0), inode: AtomicU64::new(0) }
    }

    fn try_claim(&self, generation: u32) -> bool {
        let claimed = pack(generation, CLAIMED);
        self.word.load(Ordering::Relaxed) == 0
            && self.word.compare_exchange(0, claimed, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// In a child: close our copy of what another generation put here.
    fn let_go(&self, generation: u32) {
        let word = self.word.load(Ordering::Acquire);
        if word == 0 || (word >> 32) as u32 == generation {
            return;
        }
        let inode = self.inode.load(Ordering::Relaxed);
        let number = word as u32;
        // The exchange makes closing happen once. A slot that was only claimed at the fork is
        // freed: the thread that claimed it does not exist here.
        if self.word.compare_exchange(word, 0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        if number != CLAIMED && means(number as RawFd - 1, inode) {
            close(number as RawFd - 1);
        }
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slot({:#x})", self.word.load(Ordering::Relaxed))
    }
}

impl Block {
    const fn new() -> Self {
        Self { slots: [const { Slot::new() }; SLOTS], next: AtomicPtr::new(ptr::null_mut()) }
    }

    fn next(&self) -> Option<&'static Block> {
        // SAFETY: blocks are leaked, so a non-null pointer is valid for ever.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }

    fn next_or_add(&self) -> &'static Block {
        if let Some(next) = self.next() {
            return next;
        }
        let fresh = Box::into_raw(Box::new(Block::new()));
        match self.next.compare_exchange(
            ptr::null_mut(),
            fresh,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            // SAFETY: `fresh` came from a box and is leaked here.
            Ok(_) => unsafe { &*fresh },
            Err(winner) => {
                // SAFETY: nobody saw `fresh`; `winner` is another thread's leaked block.
                unsafe {
                    drop(Box::from_raw(fresh));
                    &*winner
                }
            }
        }
    }
}

fn pack(generation: u32, number: u32) -> u64 {
    (u64::from(generation) << 32) | u64::from(number)
}

fn claim(generation: u32) -> &'static Slot {
    let mut block = &FIRST;
    loop {
        if let Some(slot) = block.slots.iter().find(|slot| slot.try_claim(generation)) {
            return slot;
        }
        block = block.next_or_add();
    }
}

/// Called once in each child, by the thread that gave the process its identity.
pub(super) fn close_inherited(generation: u32) {
    let mut block = Some(&FIRST);
    while let Some(here) = block {
        here.slots.iter().for_each(|slot| slot.let_go(generation));
        block = here.next();
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
