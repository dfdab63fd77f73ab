use std::time::Duration;

use super::error::Holding;
use super::stats::Discard;

/// Something that an operator may want to know at once. `E` is the error of [`super::Manage`].
#[derive(Debug)]
pub enum Event<'a, E> {
    /// A connection was opened.
    Connected {
        /// Its number in this process.
        id: u64,
        /// How long that took.
        took: Duration,
    },
    /// A connection is not kept.
    Discarded {
        /// Its number in this process.
        id: u64,
        /// Why.
        reason: Discard,
    },
    /// This process is a child, and the pool was made anew in it.
    ForkNoticed {
        /// How many connections of its parent's the child has left alone.
        inherited: u64,
    },
    /// No connection can be opened: attempts are made one at a time from now on, further and
    /// further apart.
    ServerDown {
        /// What the attempt met that failed first.
        error: &'a E,
    },
    /// A connection was opened again.
    ServerBack {
        /// For how long none could be.
        after: Duration,
        /// How many attempts failed.
        failures: u64,
    },
    /// A lease is held longer than `leak_after`.
    Leaked {
        /// By whom.
        holding: &'a Holding,
    },
    /// A lease that nobody could use any more came back by itself.
    Reclaimed {
        /// Who had held it.
        holding: &'a Holding,
        /// Why nobody could.
        cause: Reclaim,
    },
    /// All workers together may want more connections than the server takes. Told once.
    Crowded {
        /// This process and its siblings, or the option `workers`.
        workers: usize,
        /// Connections of each.
        max_size: usize,
        /// What the server takes from all.
        limit: usize,
    },
}

/// Why a lease came back that was never checked in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reclaim {
    /// The object that held it was collected.
    Collected,
    /// The thread that used it last has ended.
    ThreadEnded,
}
