use std::collections::VecDeque;

use super::holder::Holder;
use super::queue::{Queue, Ticket, Turn};
use super::seats::{Grant, Seats};
use super::stats::Discard;

mod holders;

/// Who has what, and who waits. Plain arithmetic on values, without I/O, clock or lock.
///
/// `E` is an entry, `B` whatever wakes a caller in the queue: it is handed back, and ringing it is
/// left to whoever holds the lock, once it no longer does.
///
/// While anybody waits with empty hands there is nothing to be had, because whatever becomes free
/// goes straight to the first in the queue. So nobody can push in.
pub(super) struct Slots<E, B> {
    min_size: usize,
    max_size: usize,
    max_waiting: usize,
    /// How many may have the right to connect at once.
    connect_limit: usize,
    closed: bool,
    suspended: bool,
    /// How often it was drained. All idle entries are of the latest era.
    era: u64,
    /// The newest at the end.
    idle: VecDeque<E>,
    seats: Seats,
    queue: Queue<Grant<E>, B>,
}

/// How many of each there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sizes {
    pub(super) idle: usize,
    pub(super) in_use: usize,
    pub(super) waiting: usize,
}

impl<E, B> Slots<E, B> {
    /// `min_size` is at most `max_size`. `max_waiting` of 0: no limit.
    pub(super) fn new(min_size: usize, max_size: usize, max_waiting: usize, closed: bool) -> Self {
        Self {
            min_size,
            max_size,
            max_waiting,
            connect_limit: usize::MAX,
            closed,
            suspended: false,
            era: 0,
            idle: VecDeque::new(),
            seats: Seats::new(),
            queue: Queue::new(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.suspended
    }

    pub(super) fn sizes(&self) -> Sizes {
        let (idle, in_use) = (self.idle.len(), self.seats.in_use());
        Sizes { idle, in_use, waiting: self.queue.len() }
    }

    /// `min_size` and `max_size`.
    pub(super) fn limits(&self) -> (usize, usize) {
        (self.min_size, self.max_size)
    }

    /// The newest idle entry, else a free slot with the right to connect, if there is either.
    #[inline]
    pub(super) fn take(&mut self, holder: Holder) -> Option<Grant<E>> {
        let grant = self.grant()?;
        self.seats.set_holder(grant.number, holder);
        Some(grant)
    }

    /// A free slot with the right to connect, while there are fewer than `min_size`.
    pub(super) fn take_to_open(&mut self, holder: Holder) -> Option<Grant<E>> {
        let grant = if self.lacks() { self.grant_connect() } else { None }?;
        self.seats.set_holder(grant.number, holder);
        Some(grant)
    }

    /// Whether there are fewer than `min_size`.
    pub(super) fn lacks(&self) -> bool {
        self.size() < self.min_size && !self.closed
    }

    /// For a slot in use whose connection is gone: the newest idle entry, else the right to connect.
    pub(super) fn exchange(&mut self, number: usize) -> Option<Grant<E>> {
        let entry = self.idle.pop_back();
        if entry.is_none() {
            if self.closed || self.size() > self.max_size || !self.may_connect() {
                return None;
            }
            self.seats.give_right(number);
        }
        self.seats.set_era(number, self.era);
        Some(Grant { number, entry })
    }

    /// The entry that has been idle longest, if `wanted`. Its slot is in use until released.
    pub(super) fn take_oldest_if(&mut self, wanted: impl FnOnce(&E) -> bool) -> Option<Grant<E>> {
        self.idle.front().filter(|entry| wanted(entry))?;
        self.take_oldest()
    }

    /// The same, but never so that fewer than `min_size` are left.
    pub(super) fn sweep_if(&mut self, unfit: impl FnOnce(&E) -> bool) -> Option<Grant<E>> {
        let spare = self.size() > self.min_size;
        self.take_oldest_if(|entry| spare && unfit(entry))
    }

    /// Queue up. `None`: as many wait as may.
    pub(super) fn join(&mut self, bell: B) -> Option<Ticket> {
        let full = self.max_waiting > 0 && self.queue.len() >= self.max_waiting;
        (!full).then(|| self.queue.join(bell))
    }

    /// Give a slot back empty and wait before all others for another.
    pub(super) fn join_first(&mut self, number: usize, bell: B) -> Ticket {
        self.seats.vacate(number);
        self.queue.join_first(bell)
    }

    /// What became of this place; it is gone unless the answer is to wait.
    pub(super) fn collect(&mut self, ticket: Ticket, holder: Holder) -> Turn<Grant<E>> {
        let turn = self.queue.turn(ticket);
        if let Turn::Handed(grant) = &turn {
            self.seats.set_holder(grant.number, holder);
        }
        turn
    }

    /// Give up a place. What reached it meanwhile is to be given back like any other.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<Grant<E>> {
        self.queue.leave(ticket)
    }

    /// A slot comes back with its connection: to the first in the queue, else to the idle ones.
    ///
    /// # Errors
    /// One that must not be kept is returned, and its slot stays in use until released.
    #[inline]
    pub(super) fn put_back(&mut self, number: usize, entry: E) -> Result<Vec<B>, (E, Discard)> {
        if self.closed {
            return Err((entry, Discard::Closed));
        }
        if self.seats.era(number) < self.era {
            return Err((entry, Discard::Drained));
        }
        if self.size() > self.max_size {
            return Err((entry, Discard::Surplus));
        }
        self.seats.vacate(number);
        self.idle.push_back(entry);
        Ok(self.serve())
    }

    /// A slot comes back empty, with whatever right it had.
    pub(super) fn release(&mut self, number: usize) -> Vec<B> {
        self.seats.vacate(number);
        self.serve()
    }

    /// An attempt to connect is over; its slot stays in use.
    pub(super) fn attempt_ended(&mut self, number: usize) -> Vec<B> {
        self.seats.end_right(number);
        self.serve()
    }

    /// The server went down: those that connect now count no more.
    pub(super) fn disown_attempts(&mut self) {
        self.seats.disown_rights();
    }

    /// Whether this attempt to connect is one of those.
    pub(super) fn is_disowned(&self, number: usize) -> bool {
        self.seats.is_disowned(number)
    }

    /// How many may connect at once from here on. Whatever is given back next serves those who wait.
    pub(super) fn limit_connects(&mut self, limit: usize) {
        self.connect_limit = limit;
    }

    /// Whether who finds nothing idle would have to wait for a connect, not for a check-in.
    pub(super) fn depends_on_connects(&self) -> bool {
        !self.suspended && (self.size() < self.max_size || self.seats.connecting() > 0)
    }

    /// Wake all who wait, with empty hands.
    pub(super) fn turn_away(&mut self) -> Vec<B> {
        self.queue.turn_away()
    }

    /// Lend nothing from now on. Returns what is not in use, also what was handed over and not yet
    /// collected, and the callers to wake.
    pub(super) fn close(&mut self) -> (Vec<Grant<E>>, Vec<B>) {
        self.closed = true;
        let mut grants = self.queue.take_back();
        grants.extend(self.take_idle(self.idle.len()));
        (grants, self.turn_away())
    }

    /// Nothing that was opened before now is kept. Returns the idle ones.
    pub(super) fn drain(&mut self) -> Vec<Grant<E>> {
        self.era += 1;
        self.take_idle(self.idle.len())
    }

    /// [`Slots::drain`], unless what is in this slot was opened before the last.
    pub(super) fn drain_era_of(&mut self, number: usize) -> Vec<Grant<E>> {
        if self.seats.era(number) < self.era {
            return Vec::new();
        }
        self.drain()
    }

    /// Returns the idle ones that are too many, and the callers for whom there is room now.
    pub(super) fn resize(&mut self, min_size: usize, max_size: usize) -> (Vec<Grant<E>>, Vec<B>) {
        (self.min_size, self.max_size) = (min_size, max_size);
        let surplus = self.size().saturating_sub(max_size).min(self.idle.len());
        let grants = self.take_idle(surplus);
        (grants, self.serve())
    }

    /// Lend nothing until [`Slots::resume`].
    pub(super) fn suspend(&mut self) {
        self.suspended = true;
    }

    pub(super) fn resume(&mut self) -> Vec<B> {
        self.suspended = false;
        self.serve()
    }

    #[inline]
    fn size(&self) -> usize {
        self.idle.len() + self.seats.in_use()
    }

    fn may_connect(&self) -> bool {
        self.seats.connecting() < self.connect_limit
    }

    #[inline]
    fn grant(&mut self) -> Option<Grant<E>> {
        if self.closed || self.suspended {
            return None;
        }
        match self.idle.pop_back() {
            Some(entry) => Some(self.grant_entry(entry)),
            None => self.grant_connect(),
        }
    }

    #[inline]
    fn grant_entry(&mut self, entry: E) -> Grant<E> {
        Grant { number: self.seats.occupy(self.era), entry: Some(entry) }
    }

    fn grant_connect(&mut self) -> Option<Grant<E>> {
        if self.size() >= self.max_size || !self.may_connect() {
            return None;
        }
        let number = self.seats.occupy(self.era);
        self.seats.give_right(number);
        Some(Grant { number, entry: None })
    }

    fn take_oldest(&mut self) -> Option<Grant<E>> {
        let entry = self.idle.pop_front()?;
        Some(self.grant_entry(entry))
    }

    fn take_idle(&mut self, count: usize) -> Vec<Grant<E>> {
        (0..count).filter_map(|_| self.take_oldest()).collect()
    }

    /// Whatever is free goes to those who wait.
    #[inline]
    fn serve(&mut self) -> Vec<B> {
        if self.queue.len() == 0 {
            return Vec::new();
        }
        self.serve_queue()
    }

    #[cold]
    fn serve_queue(&mut self) -> Vec<B> {
        let mut bells = Vec::new();
        while self.queue.len() > 0 {
            let Some(grant) = self.grant() else { break };
            bells.extend(self.queue.hand_over(grant));
        }
        bells
    }
}

#[cfg(test)]
mod tests;
