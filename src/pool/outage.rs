use std::time::{Duration, Instant};

use super::entry::mixed;

/// The delay after one failure is up to twice this; it doubles with each that follows.
const FIRST: Duration = Duration::from_millis(100);

/// No delay is longer.
const LONGEST: Duration = Duration::from_secs(5);

/// What the attempts to connect say of the server. Told the time and a seed; knows no clock. `C` is
/// the cause of a failure.
pub(super) struct Outage<C> {
    phase: Phase,
    /// Of the failure that came last.
    cause: Option<C>,
}

enum Phase {
    /// As many attempts at once as there are slots.
    Up,
    /// One attempt at a time, and none before it is due.
    Down {
        since: Instant,
        due: Instant,
        /// In a row, and made since it went down but for the first: what the delay grows with.
        failures: u32,
        /// All that failed since.
        failed: u64,
    },
    /// It was down a moment ago, and is not to be met by everybody at once.
    SlowStart { limit: usize },
}

/// Why no attempt is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Trouble<C> {
    pub(super) cause: C,
    /// For how long it has been down.
    pub(super) since: Duration,
    /// When an attempt is due; zero: now, or one is under way.
    pub(super) retry_in: Duration,
}

/// It was down, and is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Back {
    pub(super) after: Duration,
    pub(super) failures: u64,
}

impl<C: Clone> Outage<C> {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Up, cause: None }
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up)
    }

    pub(super) fn is_down(&self) -> bool {
        matches!(self.phase, Phase::Down { .. })
    }

    /// For how long it has been down.
    pub(super) fn down_for(&self, now: Instant) -> Option<Duration> {
        match self.phase {
            Phase::Down { since, .. } => Some(now.saturating_duration_since(since)),
            _ => None,
        }
    }

    /// How many attempts may be under way at once.
    pub(super) fn limit(&self, now: Instant) -> usize {
        match self.phase {
            Phase::Up => usize::MAX,
            Phase::Down { due, .. } => usize::from(now >= due),
            Phase::SlowStart { limit } => limit,
        }
    }

    /// What it met last, as long as it is down.
    pub(super) fn trouble(&self, now: Instant) -> Option<Trouble<C>> {
        self.is_down().then(|| self.last_trouble(now)).flatten()
    }

    /// What it met last, be it over or not.
    pub(super) fn last_trouble(&self, now: Instant) -> Option<Trouble<C>> {
        let retry_in = match self.phase {
            Phase::Down { due, .. } => due.saturating_duration_since(now),
            _ => Duration::ZERO,
        };
        let since = self.down_for(now).unwrap_or_default();
        Some(Trouble { cause: self.cause.clone()?, since, retry_in })
    }

    /// An attempt went well. The slow start ends when it would allow `max_size` at once.
    pub(super) fn succeeded(&mut self, now: Instant, max_size: usize) -> Option<Back> {
        let (limit, back) = match self.phase {
            Phase::Up => return None,
            Phase::SlowStart { limit } => (limit * 2, None),
            Phase::Down { since, failed, .. } => {
                let after = now.saturating_duration_since(since);
                (1, Some(Back { after, failures: failed }))
            }
        };
        self.phase = if limit < max_size { Phase::SlowStart { limit } } else { Phase::Up };
        back
    }

    /// An attempt failed because of the server. `belated`: it was begun before the server went
    /// down, so it says nothing about how things are since. Returns whether it goes down now.
    pub(super) fn failed(&mut self, now: Instant, belated: bool, seed: u64, cause: C) -> bool {
        let goes_down = match &mut self.phase {
            Phase::Up | Phase::SlowStart { .. } if belated => return false,
            Phase::Up | Phase::SlowStart { .. } => {
                let due = now + delay(1, seed);
                self.phase = Phase::Down { since: now, due, failures: 1, failed: 1 };
                true
            }
            Phase::Down { due, failures, failed, .. } => {
                *failed += 1;
                if !belated {
                    *failures = failures.saturating_add(1);
                    *due = now + delay(*failures, seed);
                }
                false
            }
        };
        self.cause = Some(cause);
        goes_down
    }
}

/// Full jitter: anything from nothing to twice as much for each failure in a row. Many processes
/// that met the same failure at the same moment come back spread over the whole of it.
fn delay(failures: u32, seed: u64) -> Duration {
    let longest = FIRST.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST);
    let share = mixed(seed) >> 32;
    Duration::from_nanos(((longest.as_nanos() * u128::from(share)) >> 32) as u64)
}

#[cfg(test)]
mod tests;
