//! How long a connection is kept. The rules themselves are tested as arithmetic beside the code;
//! here with limits so short or so long that no test has to wait.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{of_size, Clock, Fake};
use forksafe::pool::{IdleSource, MaxIdle, PoolOptions};

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

#[test]
fn max_idle_exactly_is_not_lowered_by_what_the_server_says() {
    for (limit, source) in [(None, IdleSource::MaxIdle), (LONG, IdleSource::MaxIdle)] {
        let fake = Fake { idle_limit: AT_ONCE, ..Fake::default() };
        let (pool, _) = fake.pool(PoolOptions { max_idle: MaxIdle::Exactly(limit), ..of_size(1) });
        drop(pool.check_out(None).unwrap());
        assert_eq!((pool.stats().idle_limit, pool.stats().idle_source), (limit, source));
        assert_eq!(pool.check_out(None).unwrap().number, 1);
    }
}

#[test]
fn whose_limit_it_is_is_told() {
    for (server, source) in [
        (None, IdleSource::MaxIdle),
        (Some(HOUR * 2), IdleSource::MaxIdle),
        (AT_ONCE, IdleSource::Server),
    ] {
        let fake = Fake { idle_limit: server, ..Fake::default() };
        let (pool, _) = fake.pool(PoolOptions { max_idle: MaxIdle::Fitted(HOUR), ..of_size(1) });
        assert_eq!(pool.stats().idle_source, IdleSource::MaxIdle, "before the first connection");
        drop(pool.check_out(None).unwrap());
        assert_eq!(pool.stats().idle_source, source);
    }
}

#[test]
fn a_limit_that_changes_while_a_connection_is_lent_holds_from_its_return() {
    let (clock, limit) = (Clock::new(), Arc::new(Mutex::new(LONG)));
    let fake = Fake { idle_limits: Some(Arc::clone(&limit)), ..Fake::default() };
    let options = PoolOptions { max_idle: MaxIdle::Fitted(HOUR), recycle: None, ..of_size(1) };
    let (pool, _) = fake.at(&clock).pool(options);
    let lease = pool.check_out(None).unwrap();
    *limit.lock().unwrap() = Some(HOUR / 60);
    assert_eq!(pool.stats().idle_limit, LONG);
    drop(lease);
    assert_eq!(pool.stats().idle_limit, Some(HOUR / 60));
    clock.pass(HOUR / 60 - TICK);
    drop(pool.check_out(None).unwrap());
    assert_eq!(pool.stats().discards.idle, 0);
    clock.pass(HOUR / 60);
    assert_eq!(pool.check_out(None).unwrap().number, 2);
}

#[test]
fn a_connection_lives_no_longer_than_what_it_was_opened_with() {
    for (recycle, lifetime) in [(LONG, Some(HOUR / 6)), (None, Some(HOUR / 6))] {
        let clock = Clock::new();
        let fake = Fake { lifetime, ..Fake::default() }.at(&clock);
        let max_idle = MaxIdle::Exactly(None);
        let (pool, _) = fake.pool(PoolOptions { recycle, max_idle, ..of_size(1) });
        drop(pool.check_out(None).unwrap());
        clock.pass(HOUR / 6 - TICK);
        assert_eq!(pool.check_out(None).unwrap().number, 1);
        clock.pass(TICK);
        assert_eq!(pool.check_out(None).unwrap().number, 2);
        assert_eq!(pool.stats().discards.expired, 1);
    }
}

#[test]
fn what_it_was_opened_with_does_not_prolong_a_life() {
    let clock = Clock::new();
    let fake = Fake { lifetime: Some(HOUR * 24), ..Fake::default() }.at(&clock);
    let max_idle = MaxIdle::Exactly(None);
    let (pool, _) = fake.pool(PoolOptions { recycle: LONG, max_idle, ..of_size(1) });
    drop(pool.check_out(None).unwrap());
    clock.pass(HOUR * 9 / 10 - TICK);
    assert_eq!(pool.check_out(None).unwrap().number, 1, "a tenth is the most that is taken off");
    clock.pass(HOUR / 10 + TICK);
    assert_eq!(pool.check_out(None).unwrap().number, 2);
}
