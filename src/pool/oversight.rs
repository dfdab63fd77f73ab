use std::sync::atomic::Ordering::Relaxed;
use std::sync::Weak;
use std::time::{Duration, Instant};

use super::event::{Event, Reclaim};
use super::histogram::nanoseconds;
use super::holder::Keeper;
use super::manage::Manage;
use super::shared::Shared;
use super::state::Books;
use crate::process::Process;
use crate::sync::{AtomicU64, MutexGuard};

/// Never: later than any clock goes.
const NEVER: u64 = u64::MAX;

/// When a lease may be held for too long. No thread watches: those who pass by ask, and almost
/// always one comparison tells them that there is nothing to look for.
#[derive(Debug)]
pub(super) struct Leaks {
    epoch: Instant,
    /// No lease is overdue before this, in nanoseconds since the epoch. Written under the lock of
    /// the books only.
    due: AtomicU64,
}

impl Leaks {
    pub(super) fn new(now: Instant) -> Self {
        Self { epoch: now, due: AtomicU64::new(NEVER) }
    }

    fn may_be_due(&self, now: Instant) -> bool {
        self.since_epoch(now) >= self.due.load(Relaxed)
    }

    fn since_epoch(&self, at: Instant) -> u64 {
        nanoseconds(at.saturating_duration_since(self.epoch))
    }

    /// Where one is held since `lent`, look again `after` that.
    fn look_at(&self, lent: Instant, after: Duration) -> u64 {
        self.since_epoch(lent).saturating_add(nanoseconds(after))
    }
}

/// What looks after leases that do not come back.
impl<M: Manage> Shared<M> {
    /// A lease begins.
    pub(super) fn expect_back(&self, number: usize, now: Instant) {
        let Some(after) = self.options.leak_after else { return };
        let state = self.state();
        let mut books = state.lock();
        books.slots.lend(number, now);
        let due = state.leaks.look_at(now, after).min(state.leaks.due.load(Relaxed));
        state.leaks.due.store(due, Relaxed);
    }

    /// Tell of leases that are held for too long, each once.
    pub(super) fn find_leaks(&self, now: Instant) {
        let Some(after) = self.options.leak_after else { return };
        let state = self.state();
        if !state.leaks.may_be_due(now) {
            return;
        }
        let leaked = {
            let mut books = state.lock();
            let (leaked, next) = books.slots.overdue(after, now);
            let due = next.map_or(NEVER, |lent| state.leaks.look_at(lent, after));
            state.leaks.due.store(due, Relaxed);
            leaked
        };
        state.counters.leaked(leaked.len());
        for holder in leaked {
            self.tell(Event::Leaked { holding: &holder.holding(now) });
        }
    }

    /// Before a caller queues up, and before it waits on: ask for leases that nobody can use any
    /// more. The books if nobody has to be asked; else they have been let go, and must be asked
    /// again, for something may have come back.
    pub(super) fn ask_keepers<'a>(
        &self,
        books: MutexGuard<'a, Books<M>>,
    ) -> Option<MutexGuard<'a, Books<M>>> {
        let keepers = books.slots.keepers();
        if keepers.is_empty() {
            return Some(books);
        }
        drop(books);
        ask(&keepers);
        None
    }

    /// Ask for all leases that nobody can use any more.
    pub(super) fn reclaim_orphans(&self) {
        let keepers = self.state().lock().slots.keepers();
        ask(&keepers);
    }

    /// A lease comes back that was never checked in.
    pub(super) fn reclaimed(&self, number: usize, cause: Reclaim) {
        let state = self.state();
        state.counters.reclaimed(cause);
        let Some(holder) = state.lock().slots.holder(number) else { return };
        let holding = &holder.holding(self.manage.now());
        self.tell(Event::Reclaimed { holding, cause });
    }
}

/// A keeper runs code of another layer, and may be gone with it: neither belongs under a lock. If
/// one of them should fork, then the others are the parent's.
fn ask(keepers: &[Weak<dyn Keeper>]) {
    let birth = Process::current();
    for keeper in keepers.iter().take_while(|_| birth.is_current()) {
        if let Some(keeper) = keeper.upgrade() {
            keeper.reclaim_orphan();
        }
    }
}
