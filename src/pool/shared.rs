use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::caller::Deadline;
use super::entry::{jittered, shorter, Entry};
use super::error::{Error, TimedOut};
use super::manage::Manage;
use super::options::PoolOptions;
use super::slots::Sizes;
use super::state::{Books, State};
use super::stats::{add, Stats};
use crate::process::{PerProcess, Process};
use crate::sync::MutexGuard;

/// Numbers the pools that were given no name.
static UNNAMED: AtomicUsize = AtomicUsize::new(0);

/// How many holders a time-out names.
const NAMED_HOLDERS: usize = 3;

/// What all handles of one pool share: what never changes, and the state of this process.
pub(super) struct Shared<M: Manage> {
    // First, so that the idle connections go before what made them.
    state: PerProcess<State<M>>,
    pub(super) manage: M,
    pub(super) options: PoolOptions,
    pub(super) name: String,
}

impl<M: Manage> Shared<M> {
    pub(super) fn new(manage: M, options: PoolOptions) -> Self {
        let number = || UNNAMED.fetch_add(1, Ordering::Relaxed) + 1;
        let name = options.name.clone().unwrap_or_else(|| format!("pool-{}", number()));
        Self { state: PerProcess::new(), manage, options, name }
    }

    pub(super) fn state(&self) -> &State<M> {
        self.state.get_or_make(|inherited| State::new(&self.options, inherited))
    }

    /// Take in a connection that was opened just now.
    pub(super) fn admit(&self, conn: M::Conn, now: Instant) -> Entry<M::Conn> {
        let idle_limit = shorter(self.options.max_idle.own(), self.manage.idle_limit(&conn));
        let state = self.state();
        state.idle_limit.set(idle_limit);
        let id = state.counters.connected();
        let lifetime = self.options.recycle.map(|recycle| jittered(recycle, seed(id)));
        Entry::new(conn, id, now, lifetime, idle_limit)
    }

    pub(super) fn stats(&self) -> Stats {
        let state = self.state();
        let Sizes { idle, in_use, waiting } = state.lock().sizes();
        Stats {
            pid: Process::current().pid(),
            name: self.name.clone(),
            max_size: self.options.max_size,
            size: idle + in_use,
            idle,
            in_use,
            waiting,
            closed: state.is_closed(),
            idle_limit: state.idle_limit.get(),
            last_connect_error: state.last_connect_error().map(|(error, _)| error.to_string()),
            ..state.counters.stats()
        }
    }

    /// A check-out begins.
    pub(super) fn deadline(&self, timeout: Option<Duration>) -> Deadline {
        Deadline::new(Instant::now(), timeout.unwrap_or(self.options.timeout))
    }

    /// Nothing that may take a round trip is begun after the deadline.
    pub(super) fn still_in_time(
        &self,
        deadline: Deadline,
        now: Instant,
    ) -> Result<(), Error<M::Error>> {
        if now < deadline.at() {
            return Ok(());
        }
        Err(self.timed_out(self.state().lock(), deadline, now))
    }

    pub(super) fn too_many(&self, waiting: usize) -> Error<M::Error> {
        let pid = Process::current().pid();
        Error::TooManyRequests { pool: self.name.clone(), pid, waiting }
    }

    pub(super) fn closed(&self) -> Error<M::Error> {
        Error::Closed { pool: self.name.clone(), pid: Process::current().pid() }
    }

    /// The error of a check-out that is over its deadline. `books` is let go before any text is
    /// made.
    pub(super) fn timed_out(
        &self,
        books: MutexGuard<'_, Books<M>>,
        deadline: Deadline,
        now: Instant,
    ) -> Error<M::Error> {
        let Sizes { idle, in_use, waiting } = books.sizes();
        let longest = books.longest(NAMED_HOLDERS);
        drop(books);
        let state = self.state();
        add(&state.counters.timeouts);
        Error::TimedOut(Box::new(TimedOut {
            pool: self.name.clone(),
            pid: Process::current().pid(),
            timeout: deadline.timeout(),
            size: idle + in_use,
            in_use,
            idle,
            waiting,
            longest: longest.iter().map(|holder| holder.holding(now)).collect(),
            last_connect_error: state
                .last_connect_error()
                .map(|(error, at)| (error, now.saturating_duration_since(at))),
        }))
    }
}

/// Different for each connection of each process.
fn seed(id: u64) -> u64 {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (u64::from(Process::current().pid()) << 32) ^ u64::from(clock.subsec_nanos()) ^ (id << 48)
}
