use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::model::{Lot, Right};
use super::world::{holder, World};
use crate::pool::outage::Trouble;
use crate::pool::queue::Turn;
use crate::pool::seats::Grant;
use crate::pool::stats::Discard;

type Taken = Result<Option<Option<u32>>, Trouble<u32>>;

/// What callers do, each beside what must come of it.
impl World {
    pub(super) fn ask(&mut self) -> TestCaseResult {
        let lot = self.model.grant(self.now);
        let taken = self.books.take(holder(), self.now);
        // Nobody queues up in a closed pool.
        if self.is_granted(taken, lot)? || self.model.closed {
            return Ok(());
        }
        let full = self.model.max_waiting > 0 && self.model.queue.len() >= self.model.max_waiting;
        self.callers += 1;
        let ticket = self.books.slots.join(self.callers);
        prop_assert_eq!(ticket.is_none(), full, "refused");
        self.model.queue.extend(ticket.map(|ticket| (ticket, self.callers)));
        Ok(())
    }

    pub(super) fn ask_to_open(&mut self) -> TestCaseResult {
        let lacks = self.model.size() < self.model.min_size && !self.model.closed;
        let lot = if lacks { self.model.grant_right(self.now) } else { None };
        let taken = self.books.take_to_open(holder(), self.now);
        self.is_granted(taken, lot).map(drop)
    }

    /// Whether the caller has got what was foretold; `false`: it has to wait.
    pub(super) fn is_granted(
        &mut self,
        taken: Result<Option<Grant<u32>>, Trouble<u32>>,
        lot: Option<Lot>,
    ) -> Result<bool, TestCaseError> {
        let in_vain = lot.is_none() && self.model.is_in_vain();
        let expected = if in_vain { Err(self.trouble()) } else { Ok(lot.map(|lot| lot.conn)) };
        let entry: Taken = taken
            .as_ref()
            .map(|grant| grant.as_ref().map(|grant| grant.entry))
            .map_err(Clone::clone);
        prop_assert_eq!(entry, expected, "taken");
        let Ok(Some(grant)) = taken else { return Ok(in_vain) };
        self.model.held.extend(lot.map(|lot| Lot { number: grant.number, ..lot }));
        Ok(true)
    }

    pub(super) fn collect(&mut self, pick: usize) -> TestCaseResult {
        let Some(ticket) = self.pick_ticket(pick) else { return Ok(()) };
        let lot = self.handed_to(ticket);
        let waiting = self.model.queue.iter().any(|(place, _)| *place == ticket);
        match self.books.slots.collect(ticket, holder()) {
            Turn::Handed(Grant { number, entry }) => {
                prop_assert_eq!(Some(entry), lot.map(|lot| lot.conn), "collected");
                self.model.held.extend(lot.map(|lot| Lot { number, ..lot }));
            }
            Turn::Waiting => prop_assert!(waiting && lot.is_none(), "left waiting"),
            Turn::TurnedAway => {
                prop_assert!(!waiting && lot.is_none(), "turned away");
                self.model.void.retain(|void| *void != ticket);
            }
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, pick: usize) -> TestCaseResult {
        let Some(ticket) = self.pick_ticket(pick) else { return Ok(()) };
        let lot = self.handed_to(ticket);
        self.model.queue.retain(|(place, _)| *place != ticket);
        self.model.void.retain(|void| *void != ticket);
        let grant = self.books.slots.leave(ticket);
        prop_assert_eq!(grant.as_ref().map(|grant| grant.entry), lot.map(|lot| lot.conn));
        // It will be given back like any other.
        self.model
            .held
            .extend(lot.zip(grant).map(|(lot, Grant { number, .. })| Lot { number, ..lot }));
        Ok(())
    }

    pub(super) fn exchange(&mut self, pick: usize) -> TestCaseResult {
        let empty = |lot: &Lot| lot.conn.is_none() && lot.right == Right::None;
        let Some(place) = self.pick(pick, empty) else { return Ok(()) };
        if self.model.closed {
            return Ok(());
        }
        let number = self.model.held[place].number;
        let model = &mut self.model;
        let opens = model.size() <= model.max_size && model.may_connect(self.now);
        let lot = model.idle.pop().map(Lot::of).or(opens.then_some(Lot {
            number,
            conn: None,
            right: Right::Given,
            drained: false,
        }));
        let expected = match lot {
            None if model.is_down() => Err(self.trouble()),
            lot => Ok(lot.map(|lot| Grant { number, entry: lot.conn })),
        };
        prop_assert_eq!(&self.books.exchange(number, self.now), &expected, "exchanged");
        match (expected, lot) {
            (Ok(Some(_)), Some(lot)) => self.model.held[place] = Lot { number, ..lot },
            (Ok(None), _) => {
                self.model.held.swap_remove(place);
                self.callers += 1;
                let ticket = self.books.slots.join_first(number, self.callers);
                self.model.queue.push_front((ticket, self.callers));
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn put_back(&mut self, pick: usize) -> TestCaseResult {
        let Some(place) = self.pick(pick, |lot| lot.conn.is_some()) else { return Ok(()) };
        let Lot { number, conn, drained, .. } = self.model.held[place];
        let (conn, model) = (conn.unwrap(), &mut self.model);
        let refusal = if model.closed {
            Some(Discard::Closed)
        } else if drained {
            Some(Discard::Drained)
        } else {
            (model.size() > model.max_size).then_some(Discard::Surplus)
        };
        let expected = match refusal {
            Some(reason) => {
                model.held[place].conn = None;
                Err((conn, reason))
            }
            None => {
                model.held.swap_remove(place);
                model.idle.push(conn);
                Ok(model.serve(self.now))
            }
        };
        prop_assert_eq!(self.books.put_back(number, conn, self.now), expected, "put back");
        Ok(())
    }

    pub(super) fn release(&mut self, pick: usize) -> TestCaseResult {
        let Some(place) = self.pick(pick, |_| true) else { return Ok(()) };
        let Lot { number, .. } = self.model.held.swap_remove(place);
        let expected = self.model.serve(self.now);
        prop_assert_eq!(self.books.release(number, self.now), expected, "released");
        Ok(())
    }
}
