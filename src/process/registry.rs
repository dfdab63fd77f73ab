//! The registry of sockets: what a child lets go of, without a look at anything else.
//!
//! An inherited connection may sit behind a lock that nobody in the child will ever release, or
//! be half changed. So each socket's number is kept apart, in lock-free slots, with the generation
//! that opened it and the inode that tells whether the number still means that socket.
//!
//! `fork` copies the table of descriptors first and the memory after, while other threads run. So
//! a child may hold a socket of which its copy of the slots says something later:
//!
//! * The slot is free: the socket was closed in between. A free slot goes on telling what it held,
//!   and rests before it is used again.
//! * The slot is claimed: the socket was just made. A slot is claimed before its socket is made,
//!   under a ticket, and the thread that makes it notes the number under that ticket in memory
//!   that parent and child share. The child waits for the note, for a moment.
//!
//! Three things a child cannot know, and then one descriptor of a socket that it never uses stays
//! open in it: the parent was stopped or killed between the two (the child does not wait for ever);
//! it opened some hundred sockets while the kernel copied, or some thousand before the child looked.
//!
//! Nothing else is ever closed. A number is closed if it means a socket with the noted inode.
//! Linux takes the inodes of sockets from a counter of 32 bits, so one that was closed does not
//! come back for four thousand million files, and one that is inherited is in use: what a child
//! opens itself has others, whatever its numbers. Between that look and the `close` the number
//! could change its meaning only if another thread of the child closed it: it is nobody's there.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{shutdown, Shutdown};
use nix::sys::stat::fstat;

use super::notes::{self, Notes, Told, KEPT};
use super::slot::{short, Slot};
use super::Process;

/// How often a child looks for notes: at first without a pause, then each millisecond.
const LOOKS: u32 = 350;
const PAUSES: u32 = 250;

/// Slots come in blocks that are never freed: a child may be reading them at any time.
struct Block {
    slots: [Slot; KEPT],
    next: AtomicPtr<Block>,
}

static FIRST: Block = Block::new();

/// How many sockets were opened, in this process and in those it was forked from.
static OPENED: AtomicU64 = AtomicU64::new(0);

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
        let claim = Claim::new(Process::current().generation());
        let made = make()?;
        let inode = fstat(&made)?.st_ino;
        let fd = made.into_raw_fd();
        if claim.is_inherited() {
            // The first look at the ground may have closed it.
            close_if(fd, inode);
            return Err(Errno::ECANCELED);
        }
        Ok(claim.fill(fd, inode))
    }

    /// Whether the number still means the socket that was opened. Celery closes `fileno()` behind
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
        self.slot.free(self.generation, self.fd, OPENED.load(Ordering::Relaxed));
    }
}

/// The right to one slot while its socket is being made.
struct Claim {
    slot: &'static Slot,
    place: usize,
    generation: u32,
    ticket: u64,
}

impl Claim {
    fn new(generation: u32) -> Self {
        let ticket = OPENED.fetch_add(1, Ordering::Relaxed) + 1;
        let (place, slot) = claim(generation, ticket);
        Self { slot, place, generation, ticket }
    }

    fn is_inherited(&self) -> bool {
        Process::current().generation() != self.generation
    }

    fn note(&self, socket: Option<(RawFd, u64)>) {
        if let Some(notes) = Notes::shared() {
            notes.write(self.generation, (self.place, short(self.ticket)), socket);
        }
    }

    fn fill(self, fd: RawFd, inode: u64) -> Descriptor {
        self.note(Some((fd, inode)));
        self.slot.open(self.generation, fd, inode);
        let Self { slot, generation, .. } = *std::mem::ManuallyDrop::new(self);
        Descriptor { fd, inode, generation, slot }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_inherited() {
            self.note(None);
            self.slot.forget();
        }
    }
}

impl Block {
    const fn new() -> Self {
        Self { slots: [const { Slot::new() }; KEPT], next: AtomicPtr::new(ptr::null_mut()) }
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

/// Slots are used in turn, so that the next one has mostly rested.
fn claim(generation: u32, ticket: u64) -> (usize, &'static Slot) {
    let first = ticket as usize % KEPT;
    let mut block = &FIRST;
    for behind in (0..).step_by(KEPT) {
        let mut places = (first..KEPT).chain(0..first);
        if let Some(place) = places.find(|place| block.slots[*place].claim(generation, ticket)) {
            return (behind + place, &block.slots[place]);
        }
        block = block.next_or_add();
    }
    unreachable!("memory ends before numbers do")
}

/// Called once in each process, by the thread that gave it its identity. The others need not wait
/// for it: they claim no slot that is still to be looked at.
pub(super) fn close_inherited(generation: u32) {
    let mut looks = 0;
    while !let_go(generation, looks < LOOKS) {
        if looks < LOOKS - PAUSES {
            thread::yield_now();
        } else {
            thread::sleep(Duration::from_millis(1));
        }
        looks += 1;
    }
    notes::renew(generation);
}

/// One walk along all slots. Whether nothing is left that is known to be there and not yet where.
fn let_go(generation: u32, patient: bool) -> bool {
    let opened = OPENED.load(Ordering::Relaxed);
    let read = |theirs, place| match Notes::shared().map(|notes| notes.read(theirs, place)) {
        Some(Told::NotYet) if !patient => Told::Nothing,
        told => told.unwrap_or(Told::Nothing),
    };
    let mut done = true;
    for (place, slot) in all().enumerate() {
        let noted = |theirs, ticket| read(theirs, (place, ticket));
        done &= slot.let_go(generation, opened, noted, close_if);
    }
    done
}

fn all() -> impl Iterator<Item = &'static Slot> {
    std::iter::successors(Some(&FIRST), |block| block.next()).flat_map(|block| &block.slots)
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
