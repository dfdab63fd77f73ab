//! A pool that lends nothing for a while.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{in_fork, of_size, until_waiting, Clock, Fake};
use forksafe::pool::{Error, PoolOptions};

const LATER: Duration = Duration::from_secs(6);

#[test]
fn callers_of_a_suspended_pool_wait_until_it_is_resumed() {
    let (pool, counts) = Fake::default().pool(of_size(2));
    drop(pool.check_out(None).unwrap());
    pool.suspend();
    assert!(pool.stats().suspended);
    thread::scope(|scope| {
        let waiting = [(); 2].map(|()| scope.spawn(|| pool.check_out(None).unwrap()));
        until_waiting(&pool, 2);
        assert_eq!((pool.stats().in_use, counts.opened()), (0, 1));
        pool.resume();
        drop(waiting.map(|waiter| waiter.join().unwrap()));
    });
    assert!(!pool.stats().suspended);
    assert_eq!((pool.stats().hand_offs, pool.size()), (2, 2));
    pool.resume();
    drop(pool.check_out(None).unwrap());
}

#[test]
fn they_wait_no_longer_than_they_may_and_no_more_than_may() {
    let (pool, _) = Fake::default().pool(PoolOptions { max_waiting: 1, ..of_size(2) });
    pool.suspend();
    let error = pool.check_out(Some(Duration::from_millis(10))).unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)), "{error:?}");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.check_out(None).map(drop));
        until_waiting(&pool, 1);
        assert!(matches!(pool.check_out(None), Err(Error::TooManyRequests { waiting: 1, .. })));
        pool.resume();
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn what_comes_back_to_a_suspended_pool_rests() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    pool.suspend();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.check_out(None).unwrap().number);
        until_waiting(&pool, 1);
        drop(lease);
        assert_eq!((pool.stats().idle, pool.stats().waiting), (1, 1));
        pool.resume();
        assert_eq!(waiting.join().unwrap(), 1);
    });
    assert_eq!((counts.resets.load(SeqCst), counts.opened()), (2, 1));
}

#[test]
fn closing_a_suspended_pool_wakes_all_who_wait() {
    let (pool, _) = Fake::default().pool(of_size(1));
    pool.suspend();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.check_out(None).map(drop));
        until_waiting(&pool, 1);
        pool.close();
        assert!(matches!(waiting.join().unwrap(), Err(Error::Closed { .. })));
    });
}

#[test]
fn a_child_of_a_suspended_pool_lends() {
    let (pool, _) = Fake::default().pool(of_size(1));
    drop(pool.check_out(None).unwrap());
    pool.suspend();
    in_fork(|| {
        assert!(!pool.stats().suspended);
        drop(pool.check_out(None).unwrap());
    });
    assert!(pool.stats().suspended);
}

#[test]
fn callers_of_a_suspended_pool_outwait_a_server_that_goes_away_and_comes_back() {
    let (clock, up) = (Clock::new(), Arc::new(AtomicBool::new(false)));
    let (pool, _) = Fake::down_until(&up).at(&clock).pool(of_size(2));
    pool.check_out(None).unwrap_err();
    pool.suspend();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.check_out(None).map(|lease| lease.number));
        until_waiting(&pool, 1);
        up.store(true, SeqCst);
        clock.pass(LATER);
        pool.resume();
        assert_eq!(waiting.join().unwrap().unwrap(), 1);
    });
}
