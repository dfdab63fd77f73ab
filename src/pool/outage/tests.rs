#![allow(clippy::unwrap_used)]

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_nanos(1);

/// Down at the given moment, with the first delay that this seed makes.
fn down(now: Instant, seed: u64) -> Outage<&'static str> {
    let mut outage = Outage::new();
    assert!(outage.failed(now, false, seed, "refused"));
    outage
}

fn retry_in(outage: &Outage<&str>, now: Instant) -> Duration {
    outage.trouble(now).unwrap().retry_in
}

/// The delays after so many failures in a row, each with another seed.
fn delays(failures: u32) -> Vec<Duration> {
    let delay = |seed| {
        let now = Instant::now();
        let mut outage = down(now, seed);
        for _ in 1..failures {
            outage.failed(now, false, seed, "refused");
        }
        retry_in(&outage, now)
    };
    (0..2000).map(delay).collect()
}

#[test]
fn while_it_is_up_everybody_may_connect() {
    let mut outage = Outage::<&str>::new();
    let now = Instant::now();
    assert_eq!((outage.limit(now), outage.trouble(now)), (usize::MAX, None));
    assert_eq!(outage.succeeded(now, 10), None);
    assert!(outage.is_up() && !outage.is_down());
    assert_eq!((outage.last_trouble(now), outage.down_for(now)), (None, None));
}

#[test]
fn the_first_failure_takes_it_down_and_nobody_may_connect_before_the_delay() {
    let now = Instant::now();
    let outage = down(now, 7);
    let delay = retry_in(&outage, now);
    assert!(!delay.is_zero());
    assert_eq!(outage.limit(now), 0);
    assert_eq!(outage.limit(now + delay - TICK), 0);
    assert_eq!(outage.limit(now + delay), 1, "and then one alone");
    assert_eq!(outage.limit(now + SECOND * 3600), 1);
}

#[test]
fn the_jitter_is_full_and_doubles_up_to_five_seconds() {
    let bounds = [200, 400, 800, 1600, 3200, 5000, 5000, 5000].map(Duration::from_millis);
    for (failures, bound) in (1..).zip(bounds) {
        let delays = delays(failures);
        let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
        assert!(*most <= bound, "{most:?} after {failures} failures");
        assert!(*most > bound * 99 / 100 && *least < bound / 100, "{least:?} to {most:?}");
        let mean = delays.iter().sum::<Duration>() / delays.len() as u32;
        assert!(mean > bound * 45 / 100 && mean < bound * 55 / 100, "{mean:?} of {bound:?}");
    }
}

#[test]
fn the_delay_overflows_nowhere() {
    assert!(delay(u32::MAX, u64::MAX) <= LONGEST);
    assert!(delay(40, 3) <= LONGEST);
}

#[test]
fn attempts_begun_before_it_went_down_do_not_lengthen_the_delay() {
    let now = Instant::now();
    let mut outage = down(now, 7);
    let due = retry_in(&outage, now);
    for _ in 0..20 {
        assert!(!outage.failed(now, true, 8, "belated"));
    }
    assert_eq!(retry_in(&outage, now), due);
    assert_eq!(outage.trouble(now).unwrap().cause, "belated", "its cause is told all the same");
    let back = outage.succeeded(now + SECOND, 10).unwrap();
    assert_eq!(back, Back { after: SECOND, failures: 21 });
}

#[test]
fn its_trouble_tells_the_last_cause_since_when_and_until_when() {
    let now = Instant::now();
    let mut outage = down(now, 7);
    outage.failed(now + SECOND, false, 9, "no route");
    let due = now + SECOND + delay(2, 9);
    let trouble = outage.trouble(now + SECOND).unwrap();
    let expected = Trouble { cause: "no route", since: SECOND, retry_in: due - now - SECOND };
    assert_eq!(trouble, expected);
    assert_eq!(outage.down_for(now + SECOND), Some(SECOND));
    assert_eq!(retry_in(&outage, now + SECOND * 60), Duration::ZERO, "due since long");
}

#[test]
fn the_first_success_ends_the_outage_and_begins_a_slow_start() {
    let now = Instant::now();
    let mut outage = down(now, 7);
    assert_eq!(outage.succeeded(now + SECOND, 10), Some(Back { after: SECOND, failures: 1 }));
    assert!(!outage.is_down() && !outage.is_up());
    assert_eq!((outage.down_for(now), outage.trouble(now)), (None, None));
    let last = outage.last_trouble(now).unwrap();
    let (since, retry_in) = (Duration::ZERO, Duration::ZERO);
    assert_eq!(last, Trouble { cause: "refused", since, retry_in }, "for those it turned away");
}

#[test]
fn a_slow_start_doubles_with_each_success_until_max_size() {
    let now = Instant::now();
    let mut outage = down(now, 7);
    let mut limits = Vec::new();
    for success in 0..6 {
        assert_eq!(outage.succeeded(now, 10).is_some(), success == 0, "back once");
        limits.push(outage.limit(now));
    }
    assert_eq!(limits, [1, 2, 4, 8, usize::MAX, usize::MAX]);
    let mut small = down(now, 7);
    small.succeeded(now, 1);
    assert!(small.is_up(), "one at once is all there may be");
}

#[test]
fn a_failure_in_a_slow_start_takes_it_down_again_from_the_first_delay() {
    let now = Instant::now();
    let mut outage = down(now, 7);
    outage.failed(now, false, 7, "refused");
    outage.succeeded(now, 10);
    let again = now + SECOND;
    assert!(outage.failed(again, false, 7, "refused again"));
    assert_eq!(retry_in(&outage, again), delay(1, 7));
    assert_eq!(outage.down_for(again), Some(Duration::ZERO));
    assert_eq!(outage.succeeded(again, 10).unwrap().failures, 1);
}

#[test]
fn what_was_begun_before_the_outage_does_not_end_a_slow_start() {
    let now = Instant::now();
    let mut outage = down(now, 7);
    outage.succeeded(now, 10);
    assert!(!outage.failed(now, true, 7, "belated"));
    assert_eq!(outage.limit(now), 1);
    for _ in 0..4 {
        outage.succeeded(now, 10);
    }
    assert!(!outage.failed(now, true, 7, "belated") && outage.is_up());
}
