use std::sync::Weak;
use std::time::{Duration, Instant};

use super::Slots;
use crate::pool::holder::{Holder, Keeper};

/// Who has the slots that are in use.
impl<E, B> Slots<E, B> {
    /// The `count` holders that have held longest, the longest first.
    pub(in crate::pool) fn longest(&self, count: usize) -> Vec<Holder> {
        let mut holders: Vec<&Holder> = self.seats.holders().collect();
        holders.sort_by_key(|holder| holder.since);
        holders.into_iter().take(count).cloned().collect()
    }

    /// The slot's connection is lent from now on.
    pub(in crate::pool) fn lend(&mut self, number: usize, now: Instant) {
        if let Some(holder) = self.seats.holder_mut(number) {
            holder.lent = Some(now);
        }
    }

    /// Whom to ask for the lease of this slot.
    pub(in crate::pool) fn watch(&mut self, number: usize, keeper: Weak<dyn Keeper>) {
        if let Some(holder) = self.seats.holder_mut(number) {
            holder.keeper = Some(keeper);
        }
    }

    /// Who has the slot.
    pub(in crate::pool) fn holder(&mut self, number: usize) -> Option<Holder> {
        self.seats.holder_mut(number).cloned()
    }

    /// Whom to ask for leases.
    pub(in crate::pool) fn keepers(&self) -> Vec<Weak<dyn Keeper>> {
        self.seats.holders().filter_map(|holder| holder.keeper.clone()).collect()
    }

    /// Those who have held a lease for longer than `after`, each told once. Beside them, since when
    /// the lease is held that is overdue next.
    pub(in crate::pool) fn overdue(
        &mut self,
        after: Duration,
        now: Instant,
    ) -> (Vec<Holder>, Option<Instant>) {
        let mut told = Vec::new();
        for holder in self.seats.holders_mut() {
            if holder.is_overdue(after, now) {
                holder.leaked = true;
                told.push(holder.clone());
            }
        }
        (told, self.seats.holders().filter_map(Holder::untold).min())
    }
}
