//! The end of a pool.
#![allow(clippy::unwrap_used)]

mod common;

use std::thread;

use common::{gate, of_size, until_waiting, Fake, FakePool, NEVER};
use forksafe::pool::{Error, PoolOptions};

fn refuses(pool: &FakePool) -> bool {
    matches!(pool.check_out(None), Err(Error::Closed { .. }))
}

#[test]
fn closing_lets_the_idle_connections_go() {
    let (pool, counts) = Fake::default().pool(of_size(3));
    drop([(); 3].map(|()| pool.check_out(None).unwrap()));
    assert!(!pool.is_closed());
    pool.close();
    assert!(pool.is_closed() && pool.stats().closed);
    assert_eq!((counts.dropped(), pool.stats().size, pool.stats().discards.closed), (3, 0, 3));
    pool.close();
    assert_eq!(pool.stats().discards.closed, 3);
}

#[test]
fn a_closed_pool_lends_nothing_and_says_so() {
    let options = PoolOptions { name: Some("web".to_owned()), ..of_size(1) };
    let (pool, counts) = Fake::default().pool(options);
    pool.close();
    let error = pool.check_out(None).unwrap_err();
    let pid = std::process::id();
    let text = format!("no connection from pool 'web' in process {pid}: the pool is closed");
    assert_eq!(error.to_string(), text);
    assert_eq!((counts.opened(), pool.stats().waits), (0, 0));
    assert_eq!(pool.stats().to_string(), "'web' [1 max | 0 in use, 0 idle, 0 waiting] closed");
}

#[test]
fn closing_wakes_everybody_who_waits() {
    let (pool, _) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        let waiting = [(); 3].map(|()| scope.spawn(|| refuses(&pool)));
        until_waiting(&pool, 3);
        pool.close();
        assert!(waiting.into_iter().all(|waiter| waiter.join().unwrap()));
    });
    let stats = pool.stats();
    assert_eq!((stats.waiting, stats.timeouts), (0, 0));
    assert!(stats.wait_seconds < NEVER, "nobody was woken, all gave up");
    drop(lease);
}

#[test]
fn what_is_in_use_goes_when_it_comes_back() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    pool.close();
    assert_eq!((lease.number, counts.dropped(), pool.stats().in_use), (1, 0, 1));
    drop(lease);
    assert_eq!((counts.dropped(), pool.stats().size, pool.stats().discards.closed), (1, 0, 1));
    assert_eq!(counts.resets.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn what_is_being_opened_is_not_lent_any_more() {
    let (gate, keeper) = gate();
    let fake = Fake::connecting(move |_| {
        gate.pass();
        Ok(())
    });
    let (pool, counts) = fake.pool(of_size(1));
    thread::scope(|scope| {
        let connecting = scope.spawn(|| refuses(&pool));
        keeper.somebody_came();
        pool.close();
        keeper.open();
        assert!(connecting.join().unwrap());
    });
    assert_eq!((counts.opened(), counts.dropped(), pool.stats().size), (1, 1, 0));
    assert_eq!(pool.stats().discards.closed, 1);
}

#[test]
fn what_is_being_reset_is_not_kept_any_more() {
    let (gate, keeper) = gate();
    let fake = Fake::resetting(move |_, _| {
        gate.pass();
        Ok(())
    });
    let (pool, counts) = fake.pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| drop(lease));
        keeper.somebody_came();
        pool.close();
        keeper.open();
    });
    assert_eq!((counts.dropped(), pool.stats().size, pool.stats().discards.closed), (1, 0, 1));
}

#[test]
fn the_last_handle_takes_the_idle_connections_with_it() {
    let (pool, counts) = Fake::default().pool(of_size(2));
    let other = pool.clone();
    let lease = pool.check_out(None).unwrap();
    drop(pool.check_out(None).unwrap());
    drop(pool);
    assert_eq!(counts.dropped(), 0);
    drop(other);
    assert_eq!(counts.dropped(), 0, "a lease keeps its pool");
    drop(lease);
    assert_eq!(counts.dropped(), 2);
}
