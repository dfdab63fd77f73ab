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
//! it opened some thousand sockets while the kernel copied, or some ten thousand before the child
//! looked.
//!
//! Nothing else is ever closed. A number is closed if it means a socket with the noted inode.
//! Linux takes the inodes of sockets from a counter of 32 bits, so one that was closed does not
//! come back for four thousand million files, and one that is inherited is in use: what a child
//! opens itself has others, whatever its numbers. Between that look and the `close` the number
//! could change its meaning only if another thread of the child closed it: it is nobody's there.

use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::notes::{Notes, Told, SLOTS};
use super::slot::{short, Slot};
use super::Process;

/// Slots, and how many of them were claimed so far: in this process and in those before it.
pub(super) struct Registry {
    first: AtomicPtr<Block>,
    claimed: AtomicU64,
}

/// Slots come in blocks that are never freed: a child may be reading them at any time.
struct Block {
    slots: Box<[Slot]>,
    next: AtomicPtr<Block>,
}

/// The right to one slot while its socket is being made.
pub(super) struct Claim {
    slot: &'static Slot,
    notes: Option<&'static Notes>,
    generation: u32,
    place: usize,
    ticket: u32,
}

impl Registry {
    pub(super) const fn new() -> Self {
        Self { first: AtomicPtr::new(ptr::null_mut()), claimed: AtomicU64::new(0) }
    }

    /// Slots are used in turn, so that the next one has mostly rested.
    pub(super) fn claim(&self, generation: u32, notes: Option<&'static Notes>) -> Claim {
        let ticket = self.claimed.fetch_add(1, Ordering::Relaxed) + 1;
        let first = ticket as usize % SLOTS;
        let (mut behind, mut block) = (0, or_add(&self.first));
        loop {
            let mut places = (first..SLOTS).chain(0..first);
            if let Some(place) = places.find(|place| block.slots[*place].claim(generation, ticket))
            {
                let (slot, place) = (&block.slots[place], behind + place);
                return Claim { slot, notes, generation, place, ticket: short(ticket) };
            }
            (behind, block) = (behind + SLOTS, or_add(&block.next));
        }
    }

    /// What was in the slot is closed.
    pub(super) fn free(&self, slot: &Slot, generation: u32, fd: RawFd) {
        slot.free(generation, fd, self.claimed.load(Ordering::Relaxed));
    }

    /// In a child: one walk along all slots, which hands to `close` what other generations have
    /// there. By one thread; the others need not wait for it, for they claim no slot that is still
    /// to be looked at. `false`: a note is missing; be patient and walk again, or give it up.
    pub(super) fn let_go(
        &self,
        generation: u32,
        notes: Option<&Notes>,
        patient: bool,
        close: impl Fn(RawFd, u64),
    ) -> bool {
        let claimed = self.claimed.load(Ordering::Relaxed);
        let noted = |theirs, place, ticket| match notes.map(|n| n.read(theirs, place, ticket)) {
            Some(Told::NotYet) if patient => Told::NotYet,
            Some(Told::Socket(fd, inode)) => Told::Socket(fd, inode),
            _ => Told::Nothing,
        };
        let mut complete = true;
        for (place, slot) in self.slots().enumerate() {
            let noted = |theirs, ticket| noted(theirs, place, ticket);
            complete &= slot.let_go(generation, claimed, noted, &close);
        }
        complete
    }

    /// As a fork copies it: each slot at a moment of its own.
    #[cfg(all(test, loom))]
    pub(super) fn copied(&self) -> Self {
        or_add(&self.first);
        let slots = self.slots().map(Slot::copied).collect();
        let first = Box::leak(Box::new(Block { slots, next: AtomicPtr::default() }));
        let claimed = AtomicU64::new(self.claimed.load(Ordering::Relaxed));
        Self { first: AtomicPtr::new(first), claimed }
    }

    fn slots(&self) -> impl Iterator<Item = &'static Slot> {
        let blocks = std::iter::successors(seen(&self.first), |block| seen(&block.next));
        blocks.flat_map(|block| &block.slots)
    }
}

impl Claim {
    /// Whether this is a child that was forked since the claim.
    pub(super) fn is_inherited(&self) -> bool {
        Process::current().generation() != self.generation
    }

    pub(super) fn fill(self, fd: RawFd, inode: u64) -> &'static Slot {
        self.note(Some((fd, inode)));
        self.slot.open(self.generation, fd, inode);
        std::mem::ManuallyDrop::new(self).slot
    }

    fn note(&self, socket: Option<(RawFd, u64)>) {
        if let Some(notes) = self.notes {
            notes.write(self.generation, self.place, self.ticket, socket);
        }
    }
}

/// Nothing came of it.
impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_inherited() {
            self.note(None);
            self.slot.forget();
        }
    }
}

fn seen(link: &AtomicPtr<Block>) -> Option<&'static Block> {
    // SAFETY: blocks are leaked, so a non-null pointer is valid for ever.
    unsafe { link.load(Ordering::Acquire).as_ref() }
}

fn or_add(link: &AtomicPtr<Block>) -> &'static Block {
    if let Some(block) = seen(link) {
        return block;
    }
    let slots = (0..SLOTS).map(|_| Slot::default()).collect();
    let fresh = Box::into_raw(Box::new(Block { slots, next: AtomicPtr::default() }));
    match link.compare_exchange(ptr::null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
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
