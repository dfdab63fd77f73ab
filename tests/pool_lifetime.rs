//! How long a connection is kept. The rules themselves are tested as arithmetic beside the code;
//! here with limits so short or so long that no test has to wait.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{of_size, Fake};
use forksafe::pool::{MaxIdle, PoolOptions};

const TICK: Duration = Duration::from_nanos(1);
const HOUR: Duration = Duration::from_secs(3600);
const AT_ONCE: Option<Duration> = Some(TICK);
const LONG: Option<Duration> = Some(HOUR);

#[test]
fn an_expired_connection_is_discarded_when_it_comes_back() {
    let (pool, counts) = Fake::default().pool(PoolOptions { recycle: AT_ONCE, ..of_size(1) });
    drop(pool.check_out(None).unwrap());
    assert_eq!((counts.opened(), counts.dropped(), pool.stats().size), (1, 1, 0));
    assert_eq!(pool.stats().discards.expired, 1);
    assert_eq!(
        counts.resets.load(std::sync::atomic::Ordering::SeqCst),
        0,
        "a round trip for nothing"
    );
}

#[test]
fn a_connection_that_rested_too_long_is_not_lent() {
    let (pool, counts) =
        Fake::default().pool(PoolOptions { max_idle: MaxIdle::Exactly(AT_ONCE), ..of_size(1) });
    drop(pool.check_out(None).unwrap());
    assert_eq!(pool.stats().idle, 1);
    assert_eq!(pool.check_out(None).unwrap().number, 2);
    assert_eq!((counts.dropped(), pool.stats().discards.idle), (1, 1));
}

#[test]
fn a_connection_within_its_limits_is_lent_again() {
    let (pool, counts) = Fake::default().pool(PoolOptions {
        max_idle: MaxIdle::Exactly(LONG),
        recycle: LONG,
        ..of_size(1)
    });
    for _ in 0..3 {
        assert_eq!(pool.check_out(None).unwrap().number, 1);
    }
    assert_eq!(counts.dropped(), 0);
}

#[test]
fn a_server_with_a_short_wait_timeout_lowers_max_idle() {
    let fake = Fake { idle_limit: AT_ONCE, ..Fake::default() };
    let (pool, _) = fake.pool(PoolOptions { max_idle: MaxIdle::Fitted(HOUR), ..of_size(1) });
    assert_eq!(pool.stats().idle_limit, LONG, "before the first connection");
    drop(pool.check_out(None).unwrap());
    assert_eq!(pool.stats().idle_limit, AT_ONCE);
    assert_eq!(pool.check_out(None).unwrap().number, 2);
    assert_eq!(pool.stats().discards.idle, 1);
}

#[test]
fn a_server_with_a_long_wait_timeout_does_not_raise_max_idle() {
    let fake = Fake { idle_limit: LONG, ..Fake::default() };
    let (pool, _) = fake.pool(PoolOptions { max_idle: MaxIdle::Fitted(TICK), ..of_size(1) });
    drop(pool.check_out(None).unwrap());
    assert_eq!(pool.stats().idle_limit, AT_ONCE);
}

#[test]
fn without_limits_nothing_is_ever_too_old() {
    let (pool, _) = Fake::default().pool(PoolOptions {
        max_idle: MaxIdle::Exactly(None),
        recycle: None,
        ..of_size(1)
    });
    drop(pool.check_out(None).unwrap());
    assert_eq!(pool.check_out(None).unwrap().number, 1);
    assert_eq!(pool.stats().idle_limit, None);
}

#[test]
fn a_check_in_sweeps_one_that_has_rested_too_long_at_the_bottom() {
    let (pool, counts) =
        Fake::default().pool(PoolOptions { max_idle: MaxIdle::Exactly(AT_ONCE), ..of_size(3) });
    let [one, two, three] = [(); 3].map(|()| pool.check_out(None).unwrap());
    drop(one);
    assert_eq!((pool.stats().idle, counts.dropped()), (1, 0), "it has only just come to rest");
    drop(two);
    assert_eq!((pool.stats().idle, counts.dropped()), (1, 1), "the first is too old by now");
    drop(three);
    assert_eq!((pool.stats().size, counts.dropped(), pool.stats().discards.idle), (1, 2, 2));
}

#[test]
fn a_check_in_sweeps_nothing_that_is_fit() {
    let (pool, counts) = Fake::default().pool(of_size(3));
    drop([(); 3].map(|()| pool.check_out(None).unwrap()));
    assert_eq!((pool.stats().idle, counts.dropped()), (3, 0));
}
