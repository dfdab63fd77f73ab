use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::model::{Lot, Right, Server};
use super::world::World;
use crate::pool::outage::{Back, Trouble};

/// What the server does to attempts to connect.
impl World {
    pub(super) fn connect(&mut self, pick: usize) -> TestCaseResult {
        let Some(place) = self.pick(pick, |lot| lot.right != Right::None) else { return Ok(()) };
        self.conns += 1;
        let lot = &mut self.model.held[place];
        (lot.conn, lot.right) = (Some(self.conns), Right::None);
        let number = lot.number;
        let back = self.model.connected(self.now).map(|(after, failures)| Back { after, failures });
        let bells = self.model.serve(self.now);
        prop_assert_eq!(self.books.connected(number, self.now), (bells, back));
        Ok(())
    }

    pub(super) fn refuse(&mut self, pick: usize, outage: bool, seed: u64) -> TestCaseResult {
        let Some(place) = self.pick(pick, |lot| lot.right != Right::None) else { return Ok(()) };
        self.attempts += 1;
        let (cause, now) = (self.attempts, self.now);
        let Lot { number, right, .. } = self.model.held[place];
        let (bells, goes_down) = self.books.refused(number, outage.then_some(cause), now, seed);
        let mut sent_away = None;
        if outage {
            // When the next is due is left to chance, within bounds.
            let delay =
                self.books.outage.trouble(now).map_or(Duration::ZERO, |known| known.retry_in);
            sent_away = self.model.refused(right, cause, delay, now);
            self.check_delay(delay)?;
        }
        prop_assert_eq!(goes_down, sent_away.is_some(), "went down");
        self.model.held[place].right = Right::None;
        let mut expected = self.model.serve(now);
        expected.turned_away.extend(sent_away.into_iter().flatten());
        prop_assert_eq!(bells, expected, "refused");
        Ok(())
    }

    pub(super) fn check_delay(&self, delay: Duration) -> TestCaseResult {
        if let Server::Down { in_a_row, .. } = self.model.server {
            let rising = Duration::from_millis(100) * 2_u32.saturating_pow(in_a_row.min(10));
            prop_assert!(delay <= rising.min(Duration::from_secs(5)), "{in_a_row}: {delay:?}");
        }
        Ok(())
    }

    pub(super) fn trouble(&self) -> Trouble<u32> {
        let Server::Down { since, due, cause, .. } = self.model.server else {
            unreachable!("no trouble where nothing is down")
        };
        Trouble {
            cause,
            since: self.now - since,
            retry_in: due.saturating_duration_since(self.now),
        }
    }
}
