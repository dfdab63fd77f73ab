use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::holder::Holder;

/// So far off that adding it to a clock cannot overflow.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Who asks for a connection. `Caller::default()` is this thread, with the pool's own time-out.
#[derive(Clone, Default)]
pub struct Caller<'a> {
    /// How long the check-out may take. Default: [`super::PoolOptions::timeout`]. Zero: lend what
    /// can be lent at once, without a round trip.
    pub timeout: Option<Duration>,
    /// What a time-out text calls the holder. Default: the thread's own name, or its id.
    pub thread: Option<Arc<str>>,
    /// Where in the code this is, for [`super::PoolOptions::leak_after`]. Default: not recorded.
    pub place: Option<Arc<str>>,
    /// Asked about ten times a second, and never under a lock, while the caller waits in the
    /// queue: `false` ends the wait with [`super::Error::Interrupted`].
    pub keep_waiting: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl Caller<'_> {
    pub(super) fn holder(&self, now: Instant) -> Holder {
        Holder {
            name: self.thread.clone(),
            thread: thread::current(),
            place: self.place.clone(),
            since: now,
            lent: None,
            leaked: false,
            keeper: None,
        }
    }
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("timeout", &self.timeout)
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

/// When a check-out has to be over: computed once, when it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    began: Instant,
    at: Instant,
}

impl Deadline {
    pub(super) fn new(now: Instant, timeout: Duration) -> Self {
        Self { began: now, at: now + timeout.min(A_YEAR) }
    }

    pub(super) fn at(self) -> Instant {
        self.at
    }

    pub(super) fn timeout(self) -> Duration {
        self.at - self.began
    }

    /// A ping gets a quarter of what is left: when a firewall has swallowed the connection and no
    /// answer ever comes, the rest is for opening another.
    pub(super) fn of_a_ping(self, now: Instant) -> Instant {
        now + self.at.saturating_duration_since(now) / 4
    }
}
