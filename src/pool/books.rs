use std::time::Instant;

use super::holder::Holder;
use super::outage::{Back, Outage, Trouble};
use super::seats::Grant;
use super::slots::Slots;
use super::stats::Discard;

/// The books of a pool: who has what, and what the server allows. Without I/O, clock or lock; told
/// the time.
///
/// While the server is down nobody waits for a connection to be opened: whoever would have to is
/// turned away at once. A pool that is suspended keeps its queue all the same.
pub(super) struct Books<E, B, C> {
    pub(super) slots: Slots<E, B>,
    pub(super) outage: Outage<C>,
}

/// Whom to wake, once the lock is let go.
#[derive(PartialEq, Eq, Debug)]
#[must_use]
pub(super) struct Bells<B> {
    /// To these something was handed over.
    pub(super) served: Vec<B>,
    /// These get nothing any more.
    pub(super) turned_away: Vec<B>,
}

impl<E, B, C: Clone> Books<E, B, C> {
    pub(super) fn new(slots: Slots<E, B>) -> Self {
        Self { slots, outage: Outage::new() }
    }

    /// What can be had now; `None`: the caller has to wait.
    ///
    /// # Errors
    /// It would have to wait for a connection to be opened, and the server is down.
    #[inline]
    pub(super) fn take(
        &mut self,
        holder: Holder,
        now: Instant,
    ) -> Result<Option<Grant<E>>, Trouble<C>> {
        self.reckon(now);
        let granted = self.slots.take(holder);
        self.or_trouble(granted, now)
    }

    /// As [`Books::take`], but only what [`Slots::take_to_open`] gives.
    ///
    /// # Errors
    /// As [`Books::take`].
    pub(super) fn take_to_open(
        &mut self,
        holder: Holder,
        now: Instant,
    ) -> Result<Option<Grant<E>>, Trouble<C>> {
        self.reckon(now);
        let granted = self.slots.take_to_open(holder);
        self.or_trouble(granted, now)
    }

    /// For a slot in use whose connection is gone. `None`: the caller has to wait, before all others.
    ///
    /// # Errors
    /// There is nothing in exchange, and the server is down.
    pub(super) fn exchange(
        &mut self,
        number: usize,
        now: Instant,
    ) -> Result<Option<Grant<E>>, Trouble<C>> {
        self.reckon(now);
        match self.slots.exchange(number) {
            Some(grant) => Ok(Some(grant)),
            None => self.outage.trouble(now).map_or(Ok(None), Err),
        }
    }

    /// As [`Slots::put_back`].
    ///
    /// # Errors
    /// As [`Slots::put_back`].
    #[inline]
    pub(super) fn put_back(
        &mut self,
        number: usize,
        entry: E,
        now: Instant,
    ) -> Result<Bells<B>, (E, Discard)> {
        self.reckon(now);
        let served = self.slots.put_back(number, entry)?;
        Ok(self.bells(served))
    }

    /// As [`Slots::release`].
    pub(super) fn release(&mut self, number: usize, now: Instant) -> Bells<B> {
        self.reckon(now);
        let served = self.slots.release(number);
        self.bells(served)
    }

    /// A connection was opened. Returns also whether the server was down before.
    pub(super) fn connected(&mut self, number: usize, now: Instant) -> (Bells<B>, Option<Back>) {
        let (_, max_size) = self.slots.limits();
        let back = self.outage.succeeded(now, max_size);
        self.slots.limit_connects(self.outage.limit(now));
        let served = self.slots.attempt_ended(number);
        (self.bells(served), back)
    }

    /// A connection could not be opened; `cause` where that tells of the server. Returns also
    /// whether it goes down now.
    pub(super) fn refused(
        &mut self,
        number: usize,
        cause: Option<C>,
        now: Instant,
        seed: u64,
    ) -> (Bells<B>, bool) {
        let belated = self.slots.is_disowned(number);
        let goes_down = cause.is_some_and(|cause| self.outage.failed(now, belated, seed, cause));
        let mut turned_away = Vec::new();
        if goes_down {
            self.slots.disown_attempts();
            if !self.slots.is_suspended() {
                turned_away = self.slots.turn_away();
            }
        }
        self.reckon(now);
        let served = self.slots.attempt_ended(number);
        let mut bells = self.bells(served);
        bells.turned_away.extend(turned_away);
        (bells, goes_down)
    }

    /// As [`Slots::resize`].
    pub(super) fn resize(
        &mut self,
        min_size: usize,
        max_size: usize,
        now: Instant,
    ) -> (Vec<Grant<E>>, Bells<B>) {
        self.reckon(now);
        let (grants, served) = self.slots.resize(min_size, max_size);
        (grants, self.bells(served))
    }

    /// As [`Slots::resume`].
    pub(super) fn resume(&mut self, now: Instant) -> Bells<B> {
        self.reckon(now);
        let served = self.slots.resume();
        self.bells(served)
    }

    /// An attempt may have come due.
    #[inline]
    fn reckon(&mut self, now: Instant) {
        if !self.outage.is_up() {
            self.slots.limit_connects(self.outage.limit(now));
        }
    }

    /// Who gets nothing waits, unless it would wait for a server that is down.
    fn or_trouble(
        &self,
        granted: Option<Grant<E>>,
        now: Instant,
    ) -> Result<Option<Grant<E>>, Trouble<C>> {
        if granted.is_some() || !self.slots.depends_on_connects() {
            return Ok(granted);
        }
        self.outage.trouble(now).map_or(Ok(None), Err)
    }

    #[inline]
    fn bells(&mut self, served: Vec<B>) -> Bells<B> {
        let dead_end = self.outage.is_down() && self.slots.depends_on_connects();
        let turned_away = if dead_end { self.slots.turn_away() } else { Vec::new() };
        Bells { served, turned_away }
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
