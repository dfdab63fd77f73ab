use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::model::{Lot, Right};
use super::world::World;
use crate::pool::queue::Ticket;
use crate::pool::seats::Grant;

/// What somebody decides about the whole pool.
impl World {
    pub(super) fn taken_oldest(
        &mut self,
        taken: Option<Grant<u32>>,
        expected: bool,
    ) -> TestCaseResult {
        let oldest = (expected && !self.model.idle.is_empty()).then(|| self.model.idle.remove(0));
        prop_assert_eq!(taken.as_ref().and_then(|grant| grant.entry), oldest, "the oldest");
        self.model.held.extend(
            taken.zip(oldest).map(|(Grant { number, .. }, conn)| Lot { number, ..Lot::of(conn) }),
        );
        Ok(())
    }

    pub(super) fn resize(&mut self, min_size: usize, max_size: usize) -> TestCaseResult {
        (self.model.min_size, self.model.max_size) = (min_size, max_size);
        let surplus = self.model.size().saturating_sub(max_size).min(self.model.idle.len());
        let conns: Vec<u32> = self.model.idle.drain(..surplus).collect();
        let (grants, bells) = self.books.resize(min_size, max_size, self.now);
        self.let_go(grants, &conns)?;
        prop_assert_eq!(bells, self.model.serve(self.now), "resized");
        Ok(())
    }

    pub(super) fn drain_as_old_as(&mut self, pick: usize) -> TestCaseResult {
        let Some(place) = self.pick(pick, |lot| lot.conn.is_some()) else { return Ok(()) };
        let Lot { number, drained, .. } = self.model.held[place];
        let grants = self.books.slots.drain_era_of(number);
        if !drained {
            return self.drained(grants);
        }
        prop_assert_eq!(grants, Vec::new(), "drained twice for one failover");
        Ok(())
    }

    pub(super) fn drained(&mut self, grants: Vec<Grant<u32>>) -> TestCaseResult {
        self.model.lots().for_each(|lot| lot.drained = true);
        let conns: Vec<u32> = self.model.idle.drain(..).collect();
        self.let_go(grants, &conns)
    }

    pub(super) fn close(&mut self) -> TestCaseResult {
        let model = &mut self.model;
        model.closed = true;
        let (grants, bells) = self.books.slots.close();
        prop_assert_eq!(bells, model.turn_away());
        let handed: Vec<(Ticket, Lot)> = model.rung.drain(..).collect();
        model.void.extend(handed.iter().map(|(ticket, _)| *ticket));
        let mut expected: Vec<Option<u32>> = handed.iter().map(|(_, lot)| lot.conn).collect();
        expected.extend(model.idle.drain(..).map(Some));
        let mut entries: Vec<Option<u32>> = grants.iter().map(|grant| grant.entry).collect();
        entries.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(entries, expected);
        for Grant { number, entry } in grants {
            // A right to connect comes back with its slot.
            let right = match entry {
                Some(_) => Right::None,
                None if self.books.slots.is_disowned(number) => Right::Belated,
                None => Right::Given,
            };
            self.model.held.push(Lot { number, conn: None, right, drained: false });
        }
        Ok(())
    }

    /// These are discarded at once; their slots come back later.
    pub(super) fn let_go(&mut self, grants: Vec<Grant<u32>>, conns: &[u32]) -> TestCaseResult {
        let entries: Vec<u32> = grants.iter().filter_map(|grant| grant.entry).collect();
        prop_assert_eq!(&entries[..], conns, "let go");
        for Grant { number, .. } in grants {
            self.model.held.push(Lot { number, conn: None, right: Right::None, drained: false });
        }
        Ok(())
    }
}
