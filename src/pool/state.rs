use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::books::{Bells, Books as AnyBooks};
use super::counters::{add, Counters};
use super::entry::Entry;
use super::manage::Manage;
use super::options::PoolOptions;
use super::outage::Trouble as AnyTrouble;
use super::oversight::Leaks;
use super::seats::Grant;
use super::slots::Slots;
use crate::sync::{AtomicBool, AtomicU64, Condvar, Mutex, MutexGuard};

/// Wakes one caller in the queue.
pub(super) type Bell = Arc<Condvar>;

/// The books of a pool of these.
pub(super) type Books<M> = AnyBooks<Entry<<M as Manage>::Conn>, Bell, Arc<<M as Manage>::Error>>;

/// What a caller gets from them.
pub(super) type Granted<M> = Grant<Entry<<M as Manage>::Conn>>;

/// Why it gets nothing.
pub(super) type Trouble<M> = AnyTrouble<Arc<<M as Manage>::Error>>;

/// What one process knows of the pool.
pub(super) struct State<M: Manage> {
    books: Mutex<Books<M>>,
    /// Rung when something comes back to a closed pool.
    pub(super) quiet: Condvar,
    pub(super) counters: Counters,
    pub(super) leaks: Leaks,
    /// The same as in the books, for those who must not lock them.
    closed: AtomicBool,
    /// Likewise.
    limits: Limits,
    /// Whether the listener has yet to be told that this is a child.
    pub(super) fork_untold: AtomicBool,
    /// Whether the listener has been told that the server may be asked for too much.
    pub(super) crowd_told: AtomicBool,
    /// Of the connection that was opened or checked in last.
    pub(super) idle_limit: Limit,
    last_connect_error: Mutex<Option<(M::Error, Instant)>>,
}

impl<M: Manage> State<M> {
    /// Of an inherited state only atomics are read: its locks may never be released.
    pub(super) fn new(options: &PoolOptions, now: Instant, inherited: Option<&Self>) -> Self {
        let closed = inherited.is_some_and(Self::is_closed);
        let own = (options.min_size, options.max_size);
        let (min_size, max_size) = inherited.map_or(own, |state| state.limits.get());
        let counters = inherited.map(|state| Counters::after_fork(&state.counters));
        let slots = Slots::new(min_size, max_size, options.max_waiting, closed);
        Self {
            books: Mutex::new(AnyBooks::new(slots)),
            quiet: Condvar::new(),
            counters: counters.unwrap_or_default(),
            leaks: Leaks::new(now),
            closed: AtomicBool::new(closed),
            limits: Limits::new(min_size, max_size),
            fork_untold: AtomicBool::new(inherited.is_some()),
            crowd_told: AtomicBool::new(false),
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

    /// Whoever closes the books says so here, while the lock is still held.
    pub(super) fn set_closed(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Likewise whoever resizes them.
    pub(super) fn set_limits(&self, min_size: usize, max_size: usize) {
        self.limits.set(min_size, max_size);
    }

    /// `min_size` and `max_size`.
    pub(super) fn limits(&self) -> (usize, usize) {
        self.limits.get()
    }

    /// Wake those of whom the books say so.
    pub(super) fn ring(&self, bells: &Bells<Bell>) {
        for bell in &bells.served {
            add(&self.counters.hand_offs);
            bell.notify_one();
        }
        bells.turned_away.iter().for_each(|bell| bell.notify_one());
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
        Self(AtomicU64::new(Self::packed(limit)))
    }

    pub(super) fn set(&self, limit: Option<Duration>) {
        self.0.store(Self::packed(limit), Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Option<Duration> {
        let nanos = self.0.load(Ordering::Relaxed);
        (nanos != u64::MAX).then(|| Duration::from_nanos(nanos))
    }

    fn packed(limit: Option<Duration>) -> u64 {
        limit.map_or(u64::MAX, |limit| limit.as_nanos() as u64)
    }
}

/// `min_size` and `max_size`, as one atomic: a fork may come at any moment, and the child must not
/// find the one without the other.
struct Limits(AtomicU64);

impl Limits {
    fn new(min_size: usize, max_size: usize) -> Self {
        Self(AtomicU64::new(Self::packed(min_size, max_size)))
    }

    fn set(&self, min_size: usize, max_size: usize) {
        self.0.store(Self::packed(min_size, max_size), Ordering::Relaxed);
    }

    fn get(&self) -> (usize, usize) {
        let both = self.0.load(Ordering::Relaxed);
        ((both >> 32) as usize, both as u32 as usize)
    }

    /// No pool has four billion connections: what is more is as good as no limit.
    fn packed(min_size: usize, max_size: usize) -> u64 {
        let [min_size, max_size] = [min_size, max_size].map(|size| size.min(u32::MAX as usize));
        (min_size as u64) << 32 | max_size as u64
    }
}
