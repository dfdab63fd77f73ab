use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::caller::Deadline;
use super::entry::{jittered, shorter, Entry};
use super::error::{Down, Error};
use super::event::Event;
use super::manage::Manage;
use super::options::{MaxIdle, PoolOptions};
use super::state::{State, Trouble};
use crate::process::{PerProcess, Process};

/// Numbers the pools that were given no name.
static UNNAMED: AtomicUsize = AtomicUsize::new(0);

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
        let mut made = false;
        let state = self.state.get_or_make(|inherited| {
            made = true;
            State::new(&self.options, self.manage.now(), inherited)
        });
        if made {
            self.tell_of_the_fork(state);
        }
        state
    }

    /// Two threads of a child may have made a state; whichever was kept is told of once.
    #[cold]
    fn tell_of_the_fork(&self, state: &State<M>) {
        let first =
            state.fork_untold.compare_exchange(true, false, Ordering::Relaxed, Ordering::Relaxed);
        if first.is_ok() {
            let inherited = state.counters.inherited();
            self.tell(Event::ForkNoticed { inherited });
        }
    }

    /// Tell the listener, never under the lock. It may be told while a slot comes back because a
    /// hook has panicked: a panic of its own must not end the process then.
    pub(super) fn tell(&self, event: Event<'_, M::Error>) {
        let telling = AssertUnwindSafe(|| self.manage.on_event(&self.name, event));
        drop(panic::catch_unwind(telling));
    }

    /// Take in a connection that was opened just now.
    pub(super) fn admit(&self, conn: M::Conn, began: Instant, now: Instant) -> Entry<M::Conn> {
        let idle_limit = self.idle_limit(&conn);
        let own = self.manage.lifetime(&conn);
        let id = self.state().counters.connected(now.saturating_duration_since(began));
        let recycle = self.options.recycle.map(|recycle| jittered(recycle, seed(id)));
        Entry::new(conn, id, now, shorter(recycle, own), idle_limit)
    }

    /// How long this connection may rest, as things are now.
    pub(super) fn idle_limit(&self, conn: &M::Conn) -> Option<Duration> {
        let limit = match self.options.max_idle {
            MaxIdle::Fitted(own) => shorter(Some(own), self.manage.idle_limit(conn)),
            MaxIdle::Exactly(limit) => limit,
        };
        self.state().idle_limit.set(limit);
        limit
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
        Err(self.timed_out(self.state().lock(), deadline))
    }

    pub(super) fn too_many(&self, waiting: usize) -> Error<M::Error> {
        let pid = Process::current().pid();
        Error::TooManyRequests { pool: self.name.clone(), pid, waiting }
    }

    pub(super) fn closed(&self) -> Error<M::Error> {
        Error::Closed { pool: self.name.clone(), pid: Process::current().pid() }
    }

    pub(super) fn down(&self, trouble: &Trouble<M>) -> Error<M::Error> {
        Error::Down(Box::new(Down {
            pool: self.name.clone(),
            pid: Process::current().pid(),
            error: (*trouble.cause).clone(),
            since: trouble.since,
            retry_in: trouble.retry_in,
        }))
    }
}

/// Different for each connection of each process.
pub(super) fn seed(id: u64) -> u64 {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (u64::from(Process::current().pid()) << 32) ^ u64::from(clock.subsec_nanos()) ^ (id << 48)
}
