//! What a pool counts, exactly.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{of_size, until_waiting, Clock, Failure, Fake};
use forksafe::pool::{Caller, Discard, Error, IdleSource, MaxIdle, PoolOptions, Summary};

const SECOND: Duration = Duration::from_secs(1);
const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

/// A fake whose time passes when it is told to.
fn timed() -> (Fake, Arc<Clock>) {
    let clock = Clock::new();
    (Fake { clock: Some(Arc::clone(&clock)), ..Fake::default() }, clock)
}

fn one(duration: Duration) -> Summary {
    Summary { count: 1, p50: duration, p99: duration, max: duration }
}

#[test]
fn every_request_is_counted_and_so_is_how_it_ended() {
    let fake = Fake::connecting(|attempt| match attempt {
        1 => Err(Failure("refused")),
        _ => Ok(()),
    });
    let (pool, _) = fake.pool(PoolOptions { max_waiting: 1, ..of_size(1) });
    pool.check_out(None).unwrap_err();
    let lease = pool.check_out(None).unwrap();
    assert!(matches!(pool.check_out(AT_ONCE), Err(Error::TimedOut(_))));
    let stop = AtomicBool::new(false);
    let keep_waiting = || !stop.load(SeqCst);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let caller = Caller { keep_waiting: Some(&keep_waiting), ..Caller::default() };
            pool.check_out_for(&caller).map(drop)
        });
        until_waiting(&pool, 1);
        let stats = pool.stats();
        assert_eq!((stats.requests, stats.request_errors), (4, 2), "one still waits");
        assert!(matches!(pool.check_out(None), Err(Error::TooManyRequests { .. })));
        stop.store(true, SeqCst);
        assert!(matches!(waiting.join().unwrap(), Err(Error::Interrupted { .. })));
    });
    drop(lease);
    pool.close();
    assert!(matches!(pool.check_out(None), Err(Error::Closed { .. })));
    let stats = pool.stats();
    assert_eq!((stats.requests, stats.request_errors, stats.check_outs), (6, 5, 1));
    assert_eq!((stats.timeouts, stats.waits), (1, 2));
}

#[test]
fn connects_are_attempts_and_their_time_is_of_those_that_succeeded() {
    let (fake, clock) = timed();
    let attempt = Mutex::new(0);
    let connecting = Arc::clone(&clock);
    let on_connect = Box::new(move |_, _| {
        connecting.pass(2 * SECOND);
        *attempt.lock().unwrap() += 1;
        match *attempt.lock().unwrap() {
            2 => Err(Failure("refused")),
            _ => Ok(()),
        }
    });
    let (pool, _) = Fake { on_connect, ..fake }.pool(of_size(2));
    let lease = pool.check_out(None).unwrap();
    pool.check_out(None).unwrap_err();
    let _other = pool.check_out(None).unwrap();
    let stats = pool.stats();
    assert_eq!((stats.connects, stats.connect_errors), (3, 1));
    assert_eq!(stats.connect_seconds, 4 * SECOND);
    assert_eq!((stats.requests, stats.request_errors, lease.id()), (3, 1, 1));
}

#[test]
fn wait_time_lasts_from_the_request_to_the_lease_and_use_time_to_the_check_in() {
    let (fake, clock) = timed();
    let connecting = Arc::clone(&clock);
    let on_connect = Box::new(move |_, _| {
        connecting.pass(SECOND);
        Ok(())
    });
    let (pool, _) = Fake { on_connect, ..fake }.pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    let stats = pool.stats();
    assert_eq!((stats.wait_time, stats.use_time), (one(SECOND), Summary::default()));
    clock.pass(3 * SECOND);
    drop(lease);
    let stats = pool.stats();
    assert_eq!((stats.use_time, stats.use_seconds), (one(3 * SECOND), 3 * SECOND));
    assert_eq!((stats.waits, stats.wait_seconds), (0, Duration::ZERO), "it was not queued");

    let lease = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.check_out(None).map(drop));
        until_waiting(&pool, 1);
        clock.pass(5 * SECOND);
        lease.discard(Discard::Expired);
        waiting.join().unwrap().unwrap();
    });
    let stats = pool.stats();
    assert_eq!((stats.waits, stats.wait_seconds), (1, 5 * SECOND));
    assert_eq!((stats.wait_time.count, stats.wait_time.max), (3, 6 * SECOND), "and to connect");
    assert_eq!((stats.use_time.count, stats.use_seconds), (3, 8 * SECOND));
}

#[test]
fn a_connection_that_comes_back_broken_is_a_bad_return_and_others_are_not() {
    let fake = Fake::resetting(|number, _| match number {
        2 => Err(Failure("gone")),
        _ => Ok(()),
    });
    let (pool, _) = fake.pool(of_size(5));
    let [mut one, two, three, four, _five] = [(); 5].map(|()| pool.check_out(None).unwrap());
    one.broken = true;
    drop((one, two));
    assert_eq!(pool.stats().returns_bad, 2);
    three.discard(Discard::Broken);
    assert_eq!((pool.stats().returns_bad, pool.stats().discards.broken), (3, 3));
    four.discard(Discard::Expired);
    drop(pool.check_out(None).unwrap());
    assert_eq!((pool.stats().returns_bad, pool.stats().use_time.count), (3, 5));
}

#[test]
fn what_a_check_finds_dead_is_lost_and_what_is_too_old_is_not() {
    let (fake, clock) = timed();
    let on_ping = Box::new(|number, _| match number {
        1 => Err(Failure("gone")),
        _ => Ok(()),
    });
    let (pool, _) = Fake { on_ping, ..fake }.pool(of_size(3));
    drop([(); 3].map(|()| pool.check_out(None).unwrap()));
    assert_eq!(pool.check(&Caller::default()), 1);
    assert_eq!((pool.stats().lost, pool.stats().idle), (1, 2));
    clock.pass(3600 * SECOND);
    assert_eq!(pool.check(&Caller::default()), 2);
    assert_eq!((pool.stats().lost, pool.stats().discards.expired), (1, 2));
}

#[test]
fn stats_tell_sizes_and_suspension_as_they_are_now() {
    let (pool, _) = Fake::default().pool(PoolOptions { min_size: 1, ..of_size(3) });
    pool.resize(2, 7).unwrap();
    pool.suspend();
    let stats = pool.stats();
    assert_eq!((stats.min_size, stats.max_size, stats.suspended), (2, 7, true));
    assert!(format!("{pool:?}").ends_with("[7 max | 0 in use, 0 idle, 0 waiting] suspended"));
    pool.resume();
    assert!(!pool.stats().suspended);
}

#[test]
fn stats_tell_what_the_idle_limit_comes_from() {
    let source = |max_idle, server| {
        let fake = Fake { idle_limit: server, ..Fake::default() };
        let (pool, _) = fake.pool(PoolOptions { max_idle, ..of_size(1) });
        drop(pool.check_out(None).unwrap());
        (pool.stats().idle_limit, pool.stats().idle_source)
    };
    let fitted = MaxIdle::Fitted(3 * SECOND);
    assert_eq!(source(fitted, Some(SECOND)), (Some(SECOND), IdleSource::Server));
    assert_eq!(source(fitted, Some(9 * SECOND)), (Some(3 * SECOND), IdleSource::MaxIdle));
    assert_eq!(source(fitted, None), (Some(3 * SECOND), IdleSource::MaxIdle));
    let exactly = MaxIdle::Exactly(Some(3 * SECOND));
    assert_eq!(source(exactly, Some(SECOND)), (Some(3 * SECOND), IdleSource::MaxIdle));
}

#[test]
fn stats_tell_the_sizes_and_who_has_what_is_in_use_longest_first() {
    let (fake, clock) = timed();
    let (pool, _) = fake.pool(PoolOptions { min_size: 1, ..of_size(3) });
    let lend = |thread: &str, place: Option<&str>| {
        clock.pass(SECOND);
        let (thread, place) = (Some(thread.into()), place.map(Into::into));
        pool.check_out_for(&Caller { thread, place, ..Caller::default() }).unwrap()
    };
    let _leases = [lend("first", Some("app.py:7 in view")), lend("second", None)];
    let stats = pool.stats();
    assert_eq!((stats.min_size, stats.max_size, stats.size), (1, 3, 2));
    let told: Vec<_> = stats.leases.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["thread 'first' 1.0s at app.py:7 in view", "thread 'second' 0.0s"]);
}
