//! Notes that a process leaves for children whose copy of its memory came too early.
//!
//! They lie in memory that parent and child share, so a child reads there what a thread of its
//! parent wrote after the fork. Each process writes to notes of its own, and reads those that it
//! inherited once, before it replaces them. A note is believed as far as the number it names means
//! the inode it names: a torn or a foreign one does no harm.

use std::cmp::Ordering;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::sync::{AtomicU32, AtomicU64};

/// As many slots of the registry have notes: those of its first block.
pub(super) const SLOTS: usize = if cfg!(loom) { 2 } else { 8192 };

/// How many notes a slot has. Its users take them in turn, so that a note lasts for as long as its
/// socket is open, and for `SLOTS * TURNS` openings at least. Together they have 1 MiB, of which the
/// kernel provides no page before it is written to.
const TURNS: usize = if cfg!(loom) { 2 } else { 8 };

/// What one generation has opened lately.
#[repr(C, align(16))]
pub(super) struct Notes {
    /// Whose notes these are. Others write nothing here.
    generation: AtomicU32,
    kept: [[Note; SLOTS]; TURNS],
}

/// `ticket << 32 | number + 1`, or `ticket << 32` when no socket was made; and the inode.
#[cfg_attr(loom, derive(Default))]
#[repr(align(16))]
struct Note {
    word: AtomicU64,
    inode: AtomicU64,
}

/// What the notes say about a ticket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    NotYet,
    Socket(RawFd, u64),
    /// No socket was made, or the note is gone.
    Nothing,
}

impl Notes {
    /// Loom's atomics have to be made.
    #[cfg(loom)]
    pub(super) fn new(generation: u32) -> Self {
        let kept = std::array::from_fn(|_| std::array::from_fn(|_| Note::default()));
        Self { generation: AtomicU32::new(generation), kept }
    }

    /// From here on these are the notes of this generation.
    #[cfg(not(loom))]
    pub(super) fn begin(&self, generation: u32) {
        self.generation.store(generation, Release);
    }

    pub(super) fn write(
        &self,
        generation: u32,
        place: usize,
        ticket: u32,
        socket: Option<(RawFd, u64)>,
    ) {
        let Some(note) = self.note(generation, place, ticket) else { return };
        let (number, inode) = socket.map_or((0, 0), |(number, inode)| (number as u32 + 1, inode));
        note.inode.store(inode, Relaxed);
        note.word.store((u64::from(ticket) << 32) | u64::from(number), Release);
    }

    pub(super) fn read(&self, generation: u32, place: usize, ticket: u32) -> Told {
        let Some(note) = self.note(generation, place, ticket) else { return Told::Nothing };
        let word = note.word.load(Acquire);
        let (written, number) = ((word >> 32) as u32, word as u32);
        match written.cmp(&ticket) {
            Ordering::Less => Told::NotYet,
            Ordering::Equal if number > 0 => {
                Told::Socket(number as RawFd - 1, note.inode.load(Relaxed))
            }
            _ => Told::Nothing,
        }
    }

    fn note(&self, generation: u32, place: usize, ticket: u32) -> Option<&Note> {
        let theirs = self.generation.load(Acquire) == generation;
        self.kept[ticket as usize / SLOTS % TURNS].get(place).filter(|_| theirs)
    }
}
