use std::collections::VecDeque;

use super::caller::Holder;

/// The books of a pool: who has what. Plain arithmetic on values, without I/O, clock or lock.
///
/// `E` is an entry, `B` whatever wakes a caller in the queue: it is handed back, and ringing it is
/// left to whoever holds the lock, once it no longer does.
///
/// While anybody waits with empty hands there is neither an idle entry nor a free slot, because
/// what comes back goes straight to the first in the queue. So nobody can push in.
pub(super) struct Slots<E, B> {
    max_size: usize,
    max_waiting: usize,
    closed: bool,
    /// The newest at the end.
    idle: VecDeque<E>,
    /// The slots in use, by number, each with its holder once it has one.
    held: Vec<Option<Holder>>,
    /// Numbers in `held` that nobody uses.
    unused: Vec<usize>,
    queue: VecDeque<(Ticket, B)>,
    /// What was handed to callers that have not run since.
    handed: Vec<(Ticket, Grant<E>)>,
    last_ticket: u64,
}

/// The right to one slot, with its connection if it has one. Lasts until the number is released
/// or put back.
#[derive(Debug)]
#[must_use]
pub(super) struct Grant<E> {
    pub(super) number: usize,
    pub(super) entry: Option<E>,
}

/// A place in the queue. Later ones are greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Ticket(u64);

/// How many of each there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sizes {
    pub(super) idle: usize,
    pub(super) in_use: usize,
    pub(super) waiting: usize,
}

impl<E, B> Slots<E, B> {
    pub(super) fn new(max_size: usize, max_waiting: usize, closed: bool) -> Self {
        Self {
            max_size,
            max_waiting,
            closed,
            idle: VecDeque::new(),
            held: Vec::new(),
            unused: Vec::new(),
            queue: VecDeque::new(),
            handed: Vec::new(),
            last_ticket: 0,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn sizes(&self) -> Sizes {
        let in_use = self.held.len() - self.unused.len();
        Sizes { idle: self.idle.len(), in_use, waiting: self.queue.len() }
    }

    /// The newest idle entry, else a free slot, if there is either.
    pub(super) fn take(&mut self, holder: Holder) -> Option<Grant<E>> {
        let entry = self.idle.pop_back();
        if self.closed || (entry.is_none() && self.sizes().in_use >= self.max_size) {
            return None;
        }
        Some(Grant { number: self.occupy(Some(holder)), entry })
    }

    /// For a slot in use whose connection is gone: the newest idle entry in exchange for the slot.
    pub(super) fn exchange(&mut self) -> Option<E> {
        self.idle.pop_back()
    }

    /// The entry that has been idle longest, if it is `unfit`. Its slot is in use until released.
    pub(super) fn take_oldest_if(&mut self, unfit: impl FnOnce(&E) -> bool) -> Option<Grant<E>> {
        if !unfit(self.idle.front()?) {
            return None;
        }
        let entry = self.idle.pop_front();
        Some(Grant { number: self.occupy(None), entry })
    }

    /// Queue up. `None`: as many wait as may.
    pub(super) fn join(&mut self, bell: B) -> Option<Ticket> {
        if self.max_waiting > 0 && self.queue.len() >= self.max_waiting {
            return None;
        }
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.queue.push_back((ticket, bell));
        Some(ticket)
    }

    /// What was handed to this place, if anything was; the place is gone then.
    pub(super) fn collect(&mut self, ticket: Ticket, holder: Holder) -> Option<Grant<E>> {
        let grant = self.handed_to(ticket)?;
        self.held[grant.number] = Some(holder);
        Some(grant)
    }

    /// Give up a place. What reached it meanwhile goes on to the first in the queue.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<B> {
        if let Ok(place) = self.queue.binary_search_by_key(&ticket, |(waiting, _)| *waiting) {
            self.queue.remove(place);
        }
        let grant = self.handed_to(ticket)?;
        self.hand_on(grant)
    }

    /// A slot comes back with its connection: to the first in the queue, else to the idle ones.
    ///
    /// # Errors
    /// In a closed pool the entry is returned, and its slot stays in use until released.
    pub(super) fn put_back(&mut self, number: usize, entry: E) -> Result<Option<B>, E> {
        if self.closed {
            return Err(entry);
        }
        Ok(self.hand_on(Grant { number, entry: Some(entry) }))
    }

    /// A slot comes back empty.
    pub(super) fn release(&mut self, number: usize) -> Option<B> {
        self.hand_on(Grant { number, entry: None })
    }

    /// Lend nothing from now on. Returns the entries to let go, also those that were handed over
    /// and not yet collected, and the callers to wake.
    pub(super) fn close(&mut self) -> (Vec<E>, Vec<B>) {
        self.closed = true;
        let mut entries: Vec<E> = self.idle.drain(..).collect();
        for (_, grant) in std::mem::take(&mut self.handed) {
            self.vacate(grant.number);
            entries.extend(grant.entry);
        }
        let bells = self.queue.drain(..).map(|(_, bell)| bell).collect();
        (entries, bells)
    }

    /// The `count` holders that have held longest, the longest first.
    pub(super) fn longest(&self, count: usize) -> Vec<Holder> {
        let mut holders: Vec<&Holder> = self.held.iter().flatten().collect();
        holders.sort_by_key(|holder| holder.since());
        holders.into_iter().take(count).cloned().collect()
    }

    fn hand_on(&mut self, grant: Grant<E>) -> Option<B> {
        if let Some((ticket, bell)) = self.queue.pop_front() {
            self.held[grant.number] = None;
            self.handed.push((ticket, grant));
            return Some(bell);
        }
        self.vacate(grant.number);
        self.idle.extend(grant.entry);
        None
    }

    fn handed_to(&mut self, ticket: Ticket) -> Option<Grant<E>> {
        let place = self.handed.iter().position(|(taker, _)| *taker == ticket)?;
        Some(self.handed.swap_remove(place).1)
    }

    fn occupy(&mut self, holder: Option<Holder>) -> usize {
        let number = self.unused.pop().unwrap_or_else(|| {
            self.held.push(None);
            self.held.len() - 1
        });
        self.held[number] = holder;
        number
    }

    fn vacate(&mut self, number: usize) {
        self.held[number] = None;
        self.unused.push(number);
    }
}

#[cfg(test)]
mod tests;
