//! One place in the registry: what it holds, and what it held last.

use std::fmt;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering;

use super::notes::Told;
use crate::sync::AtomicU64;

/// How many slots must have been claimed since a slot was freed before it is used again. For so
/// long it tells a child about the socket that was closed while the child was being forked.
const REST: u64 = if cfg!(loom) { 8 } else { 4096 };

/// The lower half of a word: two bits for the state, the rest for a number or a ticket.
const STATE: u32 = 3 << 30;
/// The number and the inode are those of a socket that was closed.
const FREE: u32 = 0;
/// The number and the inode are those of a socket.
const OPEN: u32 = 1 << 30;
/// A thread is making a socket; the ticket says where it will note it.
const CLAIMED: u32 = 2 << 30;

/// Word and inode belong together, and a fork copies memory page by page while other threads
/// write. Aligned to its own size, a slot never lies on two pages.
#[derive(Default)]
#[repr(align(32))]
pub(super) struct Slot {
    /// `generation << 32 | state | number or ticket`; zero: never used.
    word: AtomicU64,
    inode: AtomicU64,
    /// How many slots had been claimed when it was freed.
    freed: AtomicU64,
}

impl Slot {
    /// Take the slot, before the socket is made: a child that finds it so knows that there may be
    /// a socket of which its copy of our memory does not tell the number.
    pub(super) fn claim(&self, generation: u32, ticket: u64) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        // What another generation left here is not ours to forget: a thread of this process may
        // be on its way to let go of it.
        let known = word == 0 || (state(word) == FREE && generation_of(word) == generation);
        let rested = word == 0 || self.has_rested(ticket);
        let taken = pack(generation, CLAIMED, short(ticket));
        known
            && rested
            && self.word.compare_exchange(word, taken, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// What was claimed is there now.
    pub(super) fn open(&self, generation: u32, number: RawFd, inode: u64) {
        self.inode.store(inode, Ordering::Relaxed);
        self.word.store(pack(generation, OPEN, number as u32), Ordering::Release);
    }

    /// Nothing came of a claim.
    pub(super) fn forget(&self) {
        self.word.store(0, Ordering::Release);
    }

    /// What was here is closed.
    pub(super) fn free(&self, generation: u32, number: RawFd, claimed: u64) {
        self.freed.store(claimed, Ordering::Relaxed);
        self.word.store(pack(generation, FREE, number as u32), Ordering::Release);
    }

    /// In a child, by one thread: `close` what another generation has here, or had here when it
    /// was last in use. `noted` looks for a socket that was being made at the fork; while it does
    /// not know, nothing changes, and the answer is `false`.
    pub(super) fn let_go(
        &self,
        generation: u32,
        claimed: u64,
        noted: impl FnOnce(u32, u32) -> Told,
        close: impl FnOnce(RawFd, u64),
    ) -> bool {
        let word = self.word.load(Ordering::Acquire);
        let (theirs, rest) = (generation_of(word), word as u32 & !STATE);
        if word == 0 || theirs == generation {
            return true;
        }
        let here = || Told::Socket(rest as RawFd, self.inode.load(Ordering::Relaxed));
        let socket = match state(word) {
            CLAIMED => noted(theirs, rest),
            FREE if self.has_rested(claimed) => Told::Nothing,
            _ => here(),
        };
        match socket {
            Told::NotYet => return false,
            Told::Nothing => self.forget(),
            Told::Socket(number, inode) => {
                close(number, inode);
                // Closed first, and not forgotten: another thread of this child may be forking.
                self.inode.store(inode, Ordering::Relaxed);
                self.freed.store(claimed, Ordering::Relaxed);
                self.word.store(pack(generation, FREE, number as u32), Ordering::Release);
            }
        }
        true
    }

    /// As a fork copies it: word and inode are of one moment.
    #[cfg(all(test, loom))]
    pub(super) fn copied(&self) -> Self {
        let [word, inode, freed] = loop {
            let word = self.word.load(Ordering::Acquire);
            let rest = [&self.inode, &self.freed].map(|part| part.load(Ordering::Acquire));
            if self.word.load(Ordering::Acquire) == word {
                break [word, rest[0], rest[1]];
            }
        };
        let [word, inode, freed] = [word, inode, freed].map(AtomicU64::new);
        Self { word, inode, freed }
    }

    fn has_rested(&self, claimed: u64) -> bool {
        claimed.saturating_sub(self.freed.load(Ordering::Relaxed)) >= REST
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({:#x})", self.word.load(Ordering::Relaxed))
    }
}

/// A ticket as far as a word has room for it.
pub(super) fn short(ticket: u64) -> u32 {
    ticket as u32 & !STATE
}

fn pack(generation: u32, state: u32, rest: u32) -> u64 {
    (u64::from(generation) << 32) | u64::from(state | rest)
}

fn state(word: u64) -> u32 {
    word as u32 & STATE
}

fn generation_of(word: u64) -> u32 {
    (word >> 32) as u32
}
