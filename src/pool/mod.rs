//! A pool of anything: lends, takes back, expires, tests. Knows no MySQL and no Python.
//!
//! What reads like a story is `check_out`, and its end is `slot`. They decide under the lock, in
//! `slots`, which is arithmetic, and act outside it. There is no thread here: whatever has to be
//! done is done by those who check out and check in. There is hardly any fork code either: the
//! state is a [`PerProcess`](crate::process::PerProcess), a connection an
//! [`Owned`](crate::process::Owned).

#![forbid(unsafe_code)]

mod attempt;
mod books;
mod caller;
mod check_out;
mod counters;
mod decision;
mod entry;
mod error;
mod event;
mod histogram;
mod holder;
mod lease;
mod manage;
#[cfg(all(test, loom))]
mod model;
mod options;
mod outage;
mod oversight;
mod queue;
mod report;
mod seats;
mod shared;
mod slot;
mod slots;
mod state;
mod stats;
mod upkeep;
mod waiter;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use caller::Caller;
pub use error::{Down, Error, Holding, TimedOut};
pub use event::{Event, Reclaim};
pub use holder::Keeper;
pub use lease::Lease;
pub use manage::{Health, Manage, Reset};
pub use options::{MaxIdle, PoolOptions};
pub use stats::{Discard, Discards, IdleSource, Stats, Summary};

use counters::Reading;
use shared::Shared;
use slots::Sizes;

/// A pool of connections. A clone is another handle of the same pool.
///
/// In a forked child it is the same pool made anew: same options, empty, full size. When the last
/// handle and the last lease of a process are gone, its idle connections are let go.
pub struct Pool<M: Manage> {
    shared: Arc<Shared<M>>,
}

impl<M: Manage> Pool<M> {
    /// A pool that opens its connections when they are asked for.
    ///
    /// # Errors
    /// When an option has a value that [`PoolOptions::validate`] refuses.
    pub fn new(manage: M, options: PoolOptions) -> Result<Self, String> {
        options.validate()?;
        Ok(Self { shared: Arc::new(Shared::new(manage, options)) })
    }

    /// Check out a connection within `timeout`; `None` means [`PoolOptions::timeout`].
    ///
    /// # Errors
    /// [`Error::Connect`] at once when a connection cannot be opened; else see [`Error`].
    pub fn check_out(&self, timeout: Option<Duration>) -> Result<Lease<M>, Error<M::Error>> {
        self.check_out_for(&Caller { timeout, ..Caller::default() })
    }

    /// Check out a connection for a caller that says more about itself.
    ///
    /// # Errors
    /// As [`Pool::check_out`], and [`Error::Interrupted`].
    pub fn check_out_for(&self, caller: &Caller<'_>) -> Result<Lease<M>, Error<M::Error>> {
        Lease::check_out(&self.shared, caller)
    }

    /// Lend nothing from now on: let the idle connections go and wake those who wait. What is in
    /// use goes when it is checked in. Safe to repeat. A child forked later inherits it.
    pub fn close(&self) {
        upkeep::close(&self.shared);
    }

    /// As [`Pool::close`], and then wait up to `timeout` for what is in use to be checked in.
    /// Returns how many still are not. `keep_waiting` as in [`Caller`].
    pub fn close_within(
        &self,
        timeout: Duration,
        keep_waiting: Option<&(dyn Fn() -> bool + Sync)>,
    ) -> usize {
        upkeep::close(&self.shared);
        upkeep::until_quiet(&self.shared, timeout, keep_waiting)
    }

    /// Open connections, one after another, until there are [`PoolOptions::min_size`], idle and in
    /// use together. A suspended pool opens them too.
    ///
    /// # Errors
    /// As [`Pool::check_out_for`].
    pub fn open(&self, caller: &Caller<'_>) -> Result<(), Error<M::Error>> {
        upkeep::open(&self.shared, caller)
    }

    /// Test all idle connections, each with a ping, and discard those that fail. Returns how many.
    /// When the time of `caller` is over, the rest is left as it is.
    pub fn check(&self, caller: &Caller<'_>) -> usize {
        upkeep::check(&self.shared, caller)
    }

    /// Replace every connection: the idle ones at once, those in use when they are checked in.
    pub fn drain(&self) {
        upkeep::drain(&self.shared);
    }

    /// Change [`PoolOptions::min_size`] and [`PoolOptions::max_size`], in this process and in
    /// children forked later. What is idle and too many is discarded at once; what is in use and
    /// too many, at check-in.
    ///
    /// # Errors
    /// As [`PoolOptions::validate`].
    pub fn resize(&self, min_size: usize, max_size: usize) -> Result<(), String> {
        upkeep::resize(&self.shared, min_size, max_size)
    }

    /// [`PoolOptions::min_size`] and [`PoolOptions::max_size`], or what [`Pool::resize`] made of
    /// them.
    pub fn limits(&self) -> (usize, usize) {
        self.shared.state().limits()
    }

    /// Lend nothing until [`Pool::resume`]: callers wait, within their time-outs. A child forked
    /// meanwhile lends.
    pub fn suspend(&self) {
        self.shared.state().lock().slots.suspend();
    }

    /// Lend again. Safe to repeat.
    pub fn resume(&self) {
        upkeep::resume(&self.shared);
    }

    /// How many connections there are, idle and in use together.
    pub fn size(&self) -> usize {
        let Sizes { idle, in_use, .. } = self.shared.state().lock().slots.sizes();
        idle + in_use
    }

    /// As [`Pool::stats`], and count from zero from here on.
    pub fn pop_stats(&self) -> Stats {
        self.shared.stats(Reading::Take)
    }

    /// Whether it has been closed, in this process or before the fork.
    pub fn is_closed(&self) -> bool {
        self.shared.state().is_closed()
    }

    /// That it has not been closed.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn still_open(&self) -> Result<(), Error<M::Error>> {
        match self.is_closed() {
            true => Err(self.shared.closed()),
            false => Ok(()),
        }
    }

    /// What it is doing and has done in this process.
    pub fn stats(&self) -> Stats {
        self.shared.stats(Reading::Look)
    }

    /// Its name, given or made up.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The options it was made with.
    pub fn options(&self) -> &PoolOptions {
        &self.shared.options
    }

    /// What opens and tests its connections.
    pub fn manage(&self) -> &M {
        &self.shared.manage
    }
}

impl<M: Manage> Clone for Pool<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M: Manage> fmt::Debug for Pool<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool {}", self.stats())
    }
}
