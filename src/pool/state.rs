use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::entry::Entry;
use super::manage::Manage;
use super::options::PoolOptions;
use super::slots::{Grant, Slots};
use super::stats::{add, Counters, Discard};
use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard};

/// Wakes one caller in the queue.
pub(super) type Bell = Arc<Condvar>;

/// The books of a pool of these.
pub(super) type Books<M> = Slots<Entry<<M as Manage>::Conn>, Bell>;

/// What a caller gets from them.
pub(super) type Granted<M> = Grant<Entry<<M as Manage>::Conn>>;

/// What one process knows of the pool.
pub(super) struct State<M: Manage> {
    books: Mutex<Books<M>>,
    pub(super) counters: Counters,
    /// The same as in the books, for those who must not lock them.
    closed: AtomicBool,
    /// Of the connection that was opened last.
    pub(super) idle_limit: Limit,
    last_connect_error: Mutex<Option<(M::Error, Instant)>>,
}

impl<M: Manage> State<M> {
    /// Of an inherited state only atomics are read: its locks may never be released.
    pub(super) fn new(options: &PoolOptions, inherited: Option<&Self>) -> Self {
        let closed = inherited.is_some_and(Self::is_closed);
        let counters = inherited.map(|state| Counters::after_fork(&state.counters));
        Self {
            books: Mutex::new(Slots::new(options.max_size, options.max_waiting, closed)),
            counters: counters.unwrap_or_default(),
            closed: AtomicBool::new(closed),
            idle_limit: Limit::new(options.max_idle.own()),
            last_connect_error: Mutex::new(None),
        }
    }

    /// Nothing that can panic is done under the lock, and books that stayed open are still true.
    pub(super) fn lock(&self) -> MutexGuard<'_, Books<M>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        // Decide: from here on nothing is lent, so nothing can come to rest behind our back.
        let (entries, bells) = {
            let mut books = self.lock();
            self.closed.store(true, Ordering::Release);
            books.close()
        };
        bells.iter().for_each(|bell| bell.notify_one());
        for entry in entries {
            drop(entry);
            self.counters.discarded(Discard::Closed);
        }
    }

    /// Wake the caller to whom the books have handed something.
    pub(super) fn ring(&self, bell: Option<Bell>) {
        if let Some(bell) = bell {
            add(&self.counters.hand_offs);
            bell.notify_one();
        }
    }

    pub(super) fn connect_failed(&self, error: M::Error, now: Instant) {
        add(&self.counters.connect_errors);
        let mut last = self.last_connect_error.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((error, now));
    }

    pub(super) fn last_connect_error(&self) -> Option<(M::Error, Instant)> {
        self.last_connect_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<M: Manage> fmt::Debug for State<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("closed", &self.closed).finish_non_exhaustive()
    }
}

/// A duration or none, as one atomic.
pub(super) struct Limit(AtomicU64);

impl Limit {
    fn new(limit: Option<Duration>) -> Self {
        let new = Self(AtomicU64::new(0));
        new.set(limit);
        new
    }

    pub(super) fn set(&self, limit: Option<Duration>) {
        let nanos = limit.map_or(u64::MAX, |limit| limit.as_nanos() as u64);
        self.0.store(nanos, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Option<Duration> {
        let nanos = self.0.load(Ordering::Relaxed);
        (nanos != u64::MAX).then(|| Duration::from_nanos(nanos))
    }
}
