use std::collections::VecDeque;

/// Callers that wait, first come, first served. `G` is what they wait for, `B` what wakes one.
pub(super) struct Queue<G, B> {
    /// In the order of their tickets.
    waiting: VecDeque<(Ticket, B)>,
    /// What was handed to callers that have not run since.
    handed: Vec<(Ticket, G)>,
    first: u64,
    last: u64,
}

/// A place in the queue. Later ones are greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Ticket(u64);

/// What became of a place.
#[derive(PartialEq, Eq, Debug)]
#[must_use]
pub(super) enum Turn<G> {
    /// Something was handed over; the place is gone.
    Handed(G),
    /// Not yet.
    Waiting,
    /// Nothing was and nothing will be.
    TurnedAway,
}

impl<G, B> Queue<G, B> {
    pub(super) fn new() -> Self {
        let middle = u64::MAX / 2;
        Self { waiting: VecDeque::new(), handed: Vec::new(), first: middle, last: middle }
    }

    /// Those with empty hands.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn join(&mut self, bell: B) -> Ticket {
        self.last += 1;
        let ticket = Ticket(self.last);
        self.waiting.push_back((ticket, bell));
        ticket
    }

    /// Before all others: it was this caller's turn already.
    pub(super) fn join_first(&mut self, bell: B) -> Ticket {
        self.first -= 1;
        let ticket = Ticket(self.first);
        self.waiting.push_front((ticket, bell));
        ticket
    }

    /// Hand it to the first, of whom there must be one.
    pub(super) fn hand_over(&mut self, what: G) -> Option<B> {
        let (ticket, bell) = self.waiting.pop_front()?;
        self.handed.push((ticket, what));
        Some(bell)
    }

    pub(super) fn turn(&mut self, ticket: Ticket) -> Turn<G> {
        match self.handed_to(ticket) {
            Some(what) => Turn::Handed(what),
            None if self.place(ticket).is_some() => Turn::Waiting,
            None => Turn::TurnedAway,
        }
    }

    /// Give up a place. Returns what reached it meanwhile.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<G> {
        if let Some(place) = self.place(ticket) {
            self.waiting.remove(place);
        }
        self.handed_to(ticket)
    }

    /// Nobody waits from here on.
    pub(super) fn turn_away(&mut self) -> Vec<B> {
        self.waiting.drain(..).map(|(_, bell)| bell).collect()
    }

    /// What was handed over and not yet taken.
    pub(super) fn take_back(&mut self) -> Vec<G> {
        self.handed.drain(..).map(|(_, what)| what).collect()
    }

    fn place(&self, ticket: Ticket) -> Option<usize> {
        self.waiting.binary_search_by_key(&ticket, |(waiting, _)| *waiting).ok()
    }

    fn handed_to(&mut self, ticket: Ticket) -> Option<G> {
        let place = self.handed.iter().position(|(taker, _)| *taker == ticket)?;
        Some(self.handed.swap_remove(place).1)
    }
}
