use std::sync::Arc;
use std::time::{Duration, Instant};

use super::caller::{Caller, Deadline};
use super::counters::add;
use super::error::Error;
use super::manage::Manage;
use super::queue::{Ticket, Turn};
use super::shared::Shared;
use super::slot::Slot;
use super::state::{Bell, Books, Granted};
use crate::process::Process;
use crate::sync::MutexGuard;

/// How often a caller in the queue is asked whether it wants to go on waiting.
pub(super) const ASK_EVERY: Duration = Duration::from_millis(100);

/// A caller in the queue. Dropping it leaves the queue, and passes on what was handed to it.
pub(super) struct Waiter<'a, M: Manage> {
    shared: &'a Arc<Shared<M>>,
    ticket: Ticket,
    bell: Bell,
    since: Instant,
    birth: Process,
}

impl<'a, M: Manage> Waiter<'a, M> {
    /// Queue up. `None`: as many wait as may.
    pub(super) fn join(
        shared: &'a Arc<Shared<M>>,
        books: &mut Books<M>,
        now: Instant,
    ) -> Option<Self> {
        let bell = Bell::default();
        let ticket = books.slots.join(Arc::clone(&bell))?;
        add(&shared.state().counters.waits);
        Some(Self { shared, ticket, bell, since: now, birth: Process::current() })
    }

    /// Give back the slot `number` empty and wait for another, before all others.
    pub(super) fn join_first(
        shared: &'a Arc<Shared<M>>,
        books: &mut Books<M>,
        number: usize,
        now: Instant,
    ) -> Self {
        let bell = Bell::default();
        let ticket = books.slots.join_first(number, Arc::clone(&bell));
        Self { shared, ticket, bell, since: now, birth: Process::current() }
    }

    /// Wait until something is handed over, or it is too late. `None`: a signal handler has forked,
    /// this is the child, and nobody here knows of this place.
    pub(super) fn wait(
        self,
        caller: &Caller<'_>,
        deadline: Deadline,
    ) -> Result<Option<Granted<M>>, Error<M::Error>> {
        let mut asked = true;
        while self.birth.is_current() {
            let now = self.shared.manage.now();
            let mut books = self.shared.state().lock();
            // Decide: was something handed over, is it too late? What reached us counts, even at
            // the last moment.
            match books.slots.collect(self.ticket, caller.holder(now)) {
                Turn::Handed(grant) => return Ok(Some(grant)),
                Turn::TurnedAway => return Err(self.turned_away(books, now)),
                Turn::Waiting => {}
            }
            if !asked {
                asked = true;
                let Some(unchanged) = self.shared.ask_keepers(books) else { continue };
                books = unchanged;
            }
            let until = deadline.at().saturating_duration_since(Instant::now());
            if until.is_zero() {
                return Err(self.shared.timed_out(books, deadline));
            }
            let rest = caller.keep_waiting.map_or(until, |_| until.min(ASK_EVERY));
            drop(self.bell.wait_timeout(books, rest));
            if caller.keep_waiting.is_some_and(|keep_waiting| !keep_waiting()) {
                return Err(Error::Interrupted { pool: self.shared.name.clone() });
            }
            asked = false;
            self.shared.find_leaks(self.shared.manage.now());
        }
        Ok(None)
    }

    /// Either the pool was closed or the server went down. It may be back by now: what put an end
    /// to the wait is told all the same.
    fn turned_away(&self, books: MutexGuard<'_, Books<M>>, now: Instant) -> Error<M::Error> {
        let trouble = books.outage.last_trouble(now);
        let closed = books.slots.is_closed();
        drop(books);
        match trouble {
            Some(trouble) if !closed => self.shared.down(&trouble),
            _ => self.shared.closed(),
        }
    }
}

impl<M: Manage> Drop for Waiter<'_, M> {
    fn drop(&mut self) {
        if !self.birth.is_current() {
            return;
        }
        let state = self.shared.state();
        state.counters.waited(self.shared.manage.now().saturating_duration_since(self.since));
        let grant = state.lock().slots.leave(self.ticket);
        // Between the wait and this moment something may have been handed over: the next gets it.
        if let Some(grant) = grant {
            Slot::granted(self.shared, grant).give_back();
        }
    }
}
