use std::time::Instant;

use super::caller::Deadline;
use super::counters::{add, Reading};
use super::error::{Error, Holding, TimedOut};
use super::holder::Holder;
use super::manage::Manage;
use super::shared::Shared;
use super::slots::Sizes;
use super::state::Books;
use super::stats::{IdleSource, Stats};
use crate::process::Process;
use crate::sync::MutexGuard;

/// How many holders a time-out names.
const NAMED_HOLDERS: usize = 3;

/// What a pool tells of itself.
impl<M: Manage> Shared<M> {
    pub(super) fn stats(&self, reading: Reading) -> Stats {
        let (state, now) = (self.state(), self.manage.now());
        self.find_leaks(now);
        let idle_limit = state.idle_limit.get();
        let books = state.lock();
        let Sizes { idle, in_use, waiting } = books.slots.sizes();
        let (min_size, max_size) = books.slots.limits();
        let suspended = books.slots.is_suspended();
        let down_for = books.outage.down_for(now);
        let longest = books.slots.longest(usize::MAX);
        drop(books);
        Stats {
            pid: Process::current().pid(),
            name: self.name.clone(),
            min_size,
            max_size,
            size: idle + in_use,
            idle,
            in_use,
            waiting,
            closed: state.is_closed(),
            suspended,
            down_for,
            idle_limit,
            idle_source: match idle_limit == self.options.max_idle.own() {
                true => IdleSource::MaxIdle,
                false => IdleSource::Server,
            },
            leases: holdings(&longest, now),
            last_connect_error: state.last_connect_error().map(|(error, _)| error.to_string()),
            ..state.counters.stats(reading)
        }
    }

    /// The error of a check-out that is over its deadline. `books` is let go before any text is
    /// made.
    pub(super) fn timed_out(
        &self,
        books: MutexGuard<'_, Books<M>>,
        deadline: Deadline,
    ) -> Error<M::Error> {
        let Sizes { idle, in_use, waiting } = books.slots.sizes();
        let (_, max_size) = books.slots.limits();
        let suspended = books.slots.is_suspended();
        drop(books);
        let (state, now) = (self.state(), self.manage.now());
        self.find_leaks(now);
        add(&state.counters.timeouts);
        // Anew, for those that were found to leak are marked by now.
        let longest = state.lock().slots.longest(NAMED_HOLDERS);
        Error::TimedOut(Box::new(TimedOut {
            pool: self.name.clone(),
            pid: Process::current().pid(),
            timeout: deadline.timeout(),
            suspended,
            size: idle + in_use,
            max_size,
            in_use,
            idle,
            waiting,
            longest: holdings(&longest, now),
            last_connect_error: state
                .last_connect_error()
                .map(|(error, at)| (error, now.saturating_duration_since(at))),
        }))
    }
}

/// The text of a thread's name is made outside the lock.
fn holdings(longest: &[Holder], now: Instant) -> Vec<Holding> {
    longest.iter().map(|holder| holder.holding(now)).collect()
}
