use std::sync::Arc;
use std::time::{Duration, Instant};

use super::caller::{Caller, Deadline};
use super::error::Error;
use super::manage::Manage;
use super::shared::Shared;
use super::slots::Ticket;
use super::state::{Bell, Books, Granted};
use super::stats::add;
use crate::process::Process;

/// How often a caller in the queue is asked whether it wants to go on waiting.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// A caller in the queue. Dropping it leaves the queue, and passes on what was handed to it.
pub(super) struct Waiter<'a, M: Manage> {
    shared: &'a Shared<M>,
    ticket: Ticket,
    bell: Bell,
    since: Instant,
    birth: Process,
}

impl<'a, M: Manage> Waiter<'a, M> {
    /// Queue up. `None`: as many wait as may.
    pub(super) fn join(shared: &'a Shared<M>, books: &mut Books<M>, now: Instant) -> Option<Self> {
        let bell = Bell::default();
        let ticket = books.join(Arc::clone(&bell))?;
        add(&shared.state().counters.waits);
        Some(Self { shared, ticket, bell, since: now, birth: Process::current() })
    }

    /// Wait until something is handed over, or it is too late. `None`: a signal handler has forked,
    /// this is the child, and nobody here knows of this place.
    pub(super) fn wait(
        self,
        caller: &Caller<'_>,
        deadline: Deadline,
    ) -> Result<Option<Granted<M>>, Error<M::Error>> {
        loop {
            let mut books = self.shared.state().lock();
            let now = Instant::now();
            // Decide: was something handed over, is it too late? What reached us counts, even at
            // the last moment.
            if let Some(grant) = books.collect(self.ticket, caller.holder(now)) {
                return Ok(Some(grant));
            }
            if books.is_closed() {
                return Err(self.shared.closed());
            }
            if now >= deadline.at() {
                return Err(self.shared.timed_out(books, deadline, now));
            }
            let until = deadline.at() - now;
            let rest = caller.keep_waiting.map_or(until, |_| until.min(ASK_EVERY));
            drop(self.bell.wait_timeout(books, rest));
            if caller.keep_waiting.is_some_and(|keep_waiting| !keep_waiting()) {
                return Err(Error::Interrupted { pool: self.shared.name.clone() });
            }
            if !self.birth.is_current() {
                return Ok(None);
            }
        }
    }
}

impl<M: Manage> Drop for Waiter<'_, M> {
    fn drop(&mut self) {
        if !self.birth.is_current() {
            return;
        }
        let state = self.shared.state();
        state.counters.waited(self.since.elapsed());
        // Between the wait and this moment something may have been handed over: the next gets it.
        let bell = state.lock().leave(self.ticket);
        state.ring(bell);
    }
}
