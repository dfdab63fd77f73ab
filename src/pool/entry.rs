use std::time::{Duration, Instant};

use super::stats::Discard;
use crate::process::Owned;

/// A connection as the pool knows it. Whatever depends on the time is told what time it is.
pub(super) struct Entry<C> {
    conn: Owned<C>,
    id: u64,
    born: Instant,
    lifetime: Option<Duration>,
    idle_limit: Option<Duration>,
    unused_since: Instant,
}

impl<C> Entry<C> {
    /// One that was opened just now. Both durations are its own: see [`jittered`] and [`shorter`].
    pub(super) fn new(
        conn: C,
        id: u64,
        now: Instant,
        lifetime: Option<Duration>,
        idle_limit: Option<Duration>,
    ) -> Self {
        Self { conn: Owned::new(conn), id, born: now, lifetime, idle_limit, unused_since: now }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The connection, or `None` where it is inherited.
    pub(super) fn conn(&self) -> Option<&C> {
        self.conn.get()
    }

    /// The connection, or `None` where it is inherited.
    pub(super) fn conn_mut(&mut self) -> Option<&mut C> {
        self.conn.get_mut()
    }

    /// How long it may rest from here on.
    pub(super) fn set_idle_limit(&mut self, limit: Option<Duration>) {
        self.idle_limit = limit;
    }

    /// Its use is over.
    pub(super) fn rests(&mut self, now: Instant) {
        self.unused_since = now;
    }

    /// How long it has not been used.
    pub(super) fn rested(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.unused_since)
    }

    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.lifetime.is_some_and(|lifetime| now.saturating_duration_since(self.born) >= lifetime)
    }

    /// Why it must not be lent again, as far as the clock can tell.
    pub(super) fn unfit(&self, now: Instant) -> Option<Discard> {
        if self.is_expired(now) {
            return Some(Discard::Expired);
        }
        let overslept = self.idle_limit.is_some_and(|limit| self.rested(now) >= limit);
        overslept.then_some(Discard::Idle)
    }
}

/// `recycle` less up to a tenth, the same for the same seed.
pub(super) fn jittered(recycle: Duration, seed: u64) -> Duration {
    let share = mixed(seed) as u32 % 1024;
    recycle - recycle / (10 * 1024) * share
}

/// The shorter of two limits, of which `None` is the longest.
pub(super) fn shorter(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Neighbouring seeds get far apart (the finalizer of splitmix64).
pub(super) fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const TICK: Duration = Duration::from_nanos(1);

    fn entry(lifetime: Option<Duration>, idle_limit: Option<Duration>) -> (Entry<()>, Instant) {
        let born = Instant::now();
        (Entry::new((), 1, born, lifetime, idle_limit), born)
    }

    #[test]
    fn an_entry_expires_at_its_lifetime_and_not_before() {
        let (entry, born) = entry(Some(HOUR), None);
        assert_eq!(entry.unfit(born + HOUR - TICK), None);
        assert_eq!(entry.unfit(born + HOUR), Some(Discard::Expired));
    }

    #[test]
    fn use_does_not_prolong_a_lifetime() {
        let (mut entry, born) = entry(Some(HOUR), None);
        entry.rests(born + HOUR - TICK);
        assert!(entry.is_expired(born + HOUR));
    }

    #[test]
    fn an_entry_is_idle_for_too_long_counted_from_its_last_use() {
        let (mut entry, born) = entry(None, Some(HOUR));
        assert_eq!(entry.unfit(born + HOUR), Some(Discard::Idle));
        entry.rests(born + HOUR);
        assert_eq!(entry.unfit(born + HOUR + HOUR - TICK), None);
        assert_eq!(entry.unfit(born + HOUR + HOUR), Some(Discard::Idle));
    }

    #[test]
    fn an_entry_without_limits_is_always_fit() {
        let (entry, born) = entry(None, None);
        assert_eq!(entry.unfit(born + HOUR * 24 * 365), None);
    }

    #[test]
    fn a_clock_that_seems_to_go_back_harms_nothing() {
        let (mut entry, born) = entry(Some(HOUR), Some(HOUR));
        entry.rests(born + HOUR / 2);
        assert_eq!(entry.rested(born), Duration::ZERO);
        assert_eq!(entry.unfit(born), None);
    }

    #[test]
    fn jitter_takes_off_up_to_a_tenth_and_spreads_neighbours() {
        let lifetimes: Vec<_> = (0..1000).map(|seed| jittered(HOUR, seed)).collect();
        let (shortest, longest) =
            (*lifetimes.iter().min().unwrap(), *lifetimes.iter().max().unwrap());
        assert!(shortest >= HOUR * 9 / 10 && longest <= HOUR);
        assert!(longest - shortest > HOUR * 9 / 100, "{shortest:?} to {longest:?}");
        let apart = lifetimes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) > HOUR / 1000);
        assert!(apart.count() > 900);
        assert_eq!(jittered(HOUR, 7), jittered(HOUR, 7));
    }

    #[test]
    fn jitter_overflows_nowhere() {
        assert!(jittered(Duration::MAX, 3) <= Duration::MAX);
        assert!(!jittered(TICK, 3).is_zero());
    }

    #[test]
    fn the_shorter_of_two_limits_wins_and_none_is_the_longest() {
        assert_eq!(shorter(Some(HOUR), Some(TICK)), Some(TICK));
        assert_eq!(shorter(Some(TICK), Some(HOUR)), Some(TICK));
        assert_eq!(shorter(None, Some(HOUR)), Some(HOUR));
        assert_eq!(shorter(Some(HOUR), None), Some(HOUR));
        assert_eq!(shorter(None, None), None);
    }
}
