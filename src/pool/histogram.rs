use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::counters::Reading;
use super::stats::Summary;

/// Sub-buckets of an octave, as a power of two: eight, so that a bucket is an eighth as wide as the
/// durations in it are long.
const FINENESS: u32 = 3;
const PER_OCTAVE: usize = 1 << FINENESS;

/// The first octave whose durations share a bucket with none: 2^46 ns are twenty hours.
const OCTAVES: u32 = 46;
const BUCKETS: usize = (OCTAVES - FINENESS + 1) as usize * PER_OCTAVE;

/// Durations, counted in buckets that grow with them: from single nanoseconds to twenty hours; the
/// last bucket takes in whatever is longer. Adding one takes no lock and no memory.
///
/// The longest is kept aside, and not together with the buckets: while others add, it may be told
/// an eighth too short or too long.
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    longest: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], longest: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub(super) fn add(&self, duration: Duration) {
        let nanos = nanoseconds(duration);
        self.buckets[bucket(nanos)].fetch_add(1, Relaxed);
        // Almost always one load: a new longest is rare.
        if nanos > self.longest.load(Relaxed) {
            self.longest.fetch_max(nanos, Relaxed);
        }
    }

    /// What was added so far, or since it was taken last. What others add meanwhile is in this
    /// summary or in a later one, and never in two that are taken.
    pub(super) fn summary(&self, reading: Reading) -> Summary {
        let longest = reading.of(&self.longest);
        let counts = self.buckets.each_ref().map(|bucket| reading.of(bucket));
        let Some(last) = counts.iter().rposition(|count| *count > 0) else {
            return Summary::default();
        };
        let max = longest.clamp(shortest_of(last), longest_of(last));
        let count = counts.iter().sum();
        let percentile = |percent| Duration::from_nanos(rank(&counts, count, percent).min(max));
        Summary { count, p50: percentile(50), p99: percentile(99), max: Duration::from_nanos(max) }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary(Reading::Look).fmt(f)
    }
}

/// Nanoseconds in 64 bits, which is enough for five centuries.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(duration.subsec_nanos()))
}

/// The first octaves are exact, a bucket for each number; from there on the bits that follow the
/// highest choose a bucket of the octave.
fn bucket(nanos: u64) -> usize {
    let Some(octave) = nanos.checked_ilog2().filter(|octave| *octave >= FINENESS) else {
        return nanos as usize;
    };
    let within = (nanos >> (octave - FINENESS)) as usize % PER_OCTAVE;
    let index = (octave - FINENESS + 1) as usize * PER_OCTAVE + within;
    index.min(BUCKETS - 1)
}

fn shortest_of(bucket: usize) -> u64 {
    match bucket / PER_OCTAVE {
        0 => bucket as u64,
        octave => ((bucket % PER_OCTAVE + PER_OCTAVE) as u64) << (octave - 1),
    }
}

fn longest_of(bucket: usize) -> u64 {
    if bucket == BUCKETS - 1 {
        return u64::MAX;
    }
    shortest_of(bucket + 1) - 1
}

/// What `percent` of `count` durations do not exceed.
fn rank(counts: &[u64], count: u64, percent: u64) -> u64 {
    let wanted = (u128::from(count) * u128::from(percent)).div_ceil(100) as u64;
    let mut seen = 0;
    let bucket = counts.iter().position(|in_bucket| {
        seen += in_bucket;
        seen >= wanted
    });
    longest_of(bucket.unwrap_or(BUCKETS - 1))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    const HOUR: u64 = 3_600_000_000_000;

    fn of(durations: &[u64]) -> Histogram {
        let histogram = Histogram::default();
        durations.iter().for_each(|nanos| histogram.add(Duration::from_nanos(*nanos)));
        histogram
    }

    /// Numbers from nowhere, the same each time.
    fn dice() -> impl FnMut() -> u64 {
        let mut state = 1_u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 11
        }
    }

    /// Never too short, and by an eighth too long at most.
    fn assert_near(told: Duration, exact: u64, what: &str) {
        let told = nanoseconds(told);
        assert!(exact <= told && told <= exact + exact / 8, "{what}: {told} for {exact}");
    }

    #[test]
    fn nothing_is_all_zero() {
        assert_eq!(of(&[]).summary(Reading::Look), Summary::default());
    }

    #[test]
    fn one_duration_is_told_exactly() {
        for nanos in [0, 1, 7, 8, 9, 1000, 123_456_789, HOUR, 19 * HOUR, u64::MAX] {
            let Summary { count, p50, p99, max } = of(&[nanos]).summary(Reading::Look);
            assert_eq!((count, p50, p99), (1, max, max));
            assert_eq!(max, Duration::from_nanos(nanos));
        }
        let histogram = Histogram::default();
        histogram.add(Duration::MAX);
        assert_eq!(histogram.summary(Reading::Look).max, Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn the_buckets_follow_each_other_without_a_gap() {
        assert_eq!((shortest_of(0), bucket(u64::MAX)), (0, BUCKETS - 1));
        for index in 0..BUCKETS {
            let (shortest, longest) = (shortest_of(index), longest_of(index));
            assert_eq!((bucket(shortest), bucket(longest)), (index, index));
            if index + 1 < BUCKETS {
                assert_eq!(bucket(longest + 1), index + 1);
                assert!(longest - shortest <= shortest / 8, "{shortest} to {longest}");
            }
        }
    }

    #[test]
    fn percentiles_of_many_kinds_of_durations_are_exact_to_an_eighth() {
        let mut dice = dice();
        let mut many = |mut one: Box<dyn FnMut(u64) -> u64>| -> Vec<u64> {
            (0..10_000).map(|_| one(dice())).collect()
        };
        let kinds = [
            ("all the same", many(Box::new(|_| 250_000))),
            ("a few nanoseconds", many(Box::new(|dice| dice % 20))),
            ("even", many(Box::new(|dice| 1_000 + dice % 1_000_000))),
            ("even in octaves", many(Box::new(|dice| 1 << (dice % 44)))),
            ("many short, few long", many(Box::new(|dice| 1_000_000_000 / (1 + dice % 5_000)))),
            (
                "two sorts",
                many(Box::new(|dice| [90_000, 5_000_000_000][(dice % 50 == 0) as usize])),
            ),
            ("hours", many(Box::new(|dice| HOUR + dice % (18 * HOUR)))),
        ];
        for (kind, mut durations) in kinds {
            let told = of(&durations).summary(Reading::Look);
            durations.sort_unstable();
            assert_eq!((told.count, nanoseconds(told.max)), (10_000, durations[9_999]), "{kind}");
            assert_near(told.p50, durations[4_999], kind);
            assert_near(told.p99, durations[9_899], kind);
        }
    }

    #[test]
    fn a_percentile_never_exceeds_the_longest() {
        let Summary { p50, p99, max, .. } = of(&[1024, 1024, 1025]).summary(Reading::Look);
        assert_eq!((p50, p99, max), (max, max, Duration::from_nanos(1025)));
    }

    #[test]
    fn taking_it_begins_anew_and_looking_does_not() {
        let histogram = of(&[5_000, 6_000]);
        assert_eq!(histogram.summary(Reading::Look).count, 2);
        assert_eq!(histogram.summary(Reading::Take).count, 2);
        assert_eq!(histogram.summary(Reading::Take), Summary::default());
        histogram.add(Duration::from_nanos(3_000));
        assert_eq!(histogram.summary(Reading::Look).max, Duration::from_nanos(3_000));
    }

    #[test]
    fn a_longest_that_belongs_to_another_summary_is_told_to_an_eighth() {
        let histogram = of(&[3_000]);
        for other in [0, HOUR] {
            histogram.longest.store(other, Relaxed);
            let told = nanoseconds(histogram.summary(Reading::Look).max);
            assert!(told.abs_diff(3_000) <= 3_000 / 8, "{told} beside {other}");
        }
    }

    #[test]
    fn what_many_threads_add_while_it_is_taken_is_told_exactly_once() {
        const EACH: u64 = 1_000_000;
        let (histogram, begin) = (Histogram::default(), Barrier::new(4));
        let taken = thread::scope(|scope| {
            let adding: Vec<_> = (0..4_u64)
                .map(|_| {
                    scope.spawn(|| {
                        begin.wait();
                        (1..=EACH).for_each(|n| histogram.add(Duration::from_nanos(n)));
                    })
                })
                .collect();
            let mut taken = 0;
            while adding.iter().any(|thread| !thread.is_finished()) {
                let Summary { count, p50, p99, max } = histogram.summary(Reading::Take);
                assert!(p50 <= p99 && p99 <= max, "{p50:?} {p99:?} {max:?}");
                assert!(nanoseconds(max) <= EACH + EACH / 8, "{max:?}");
                taken += count;
            }
            taken
        });
        assert_eq!(taken + histogram.summary(Reading::Look).count, 4 * EACH);
    }
}
