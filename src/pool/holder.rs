use std::fmt;
use std::sync::{Arc, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::error::Holding;

/// Whoever keeps a lease on behalf of a thread.
pub trait Keeper: Send + Sync {
    /// Give the lease back, by [`super::Lease::reclaim`], if nobody can use it any more. Called
    /// without any lock of the pool's; must not wait.
    fn reclaim_orphan(&self);
}

/// Who has had a slot, and since when.
#[derive(Clone)]
pub(super) struct Holder {
    pub(super) name: Option<Arc<str>>,
    pub(super) thread: Thread,
    pub(super) place: Option<Arc<str>>,
    pub(super) since: Instant,
    /// When the lease began. Not known before it does, nor where nobody looks for leaks.
    pub(super) lent: Option<Instant>,
    /// Whether it was told that this is held for too long.
    pub(super) leaked: bool,
    /// Whom to ask for the lease.
    pub(super) keeper: Option<Weak<dyn Keeper>>,
}

impl Holder {
    /// As errors, events and stats tell it.
    pub(super) fn holding(&self, now: Instant) -> Holding {
        Holding {
            thread: self.name(),
            held: now.saturating_duration_since(self.since),
            place: self.place.as_deref().map(str::to_owned),
            leaked: self.leaked,
        }
    }

    /// Whether a lease is held for longer than `after` and that was not told yet.
    pub(super) fn is_overdue(&self, after: Duration, now: Instant) -> bool {
        self.untold().is_some_and(|lent| now.saturating_duration_since(lent) >= after)
    }

    /// When the lease began that may have to be told one day.
    pub(super) fn untold(&self) -> Option<Instant> {
        self.lent.filter(|_| !self.leaked)
    }

    fn name(&self) -> String {
        match self.name.as_deref().or_else(|| self.thread.name()) {
            Some(name) => format!("'{name}'"),
            None => format!("{:?}", self.thread.id()),
        }
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holder").field("name", &self.name()).finish_non_exhaustive()
    }
}
