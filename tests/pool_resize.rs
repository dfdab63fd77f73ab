//! Other sizes while the pool is at work.
#![allow(clippy::unwrap_used)]

mod common;

use std::thread;

use common::{gate, in_fork, of_size, until_waiting, Fake};
use forksafe::pool::{Caller, Discard, Error, PoolOptions};

#[test]
fn a_larger_pool_lends_more_and_serves_those_who_wait() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        let waiting = [(); 2].map(|()| scope.spawn(|| pool.check_out(None).unwrap()));
        until_waiting(&pool, 2);
        pool.resize(0, 3).unwrap();
        let leases = waiting.map(|waiter| waiter.join().unwrap());
        assert_eq!((pool.stats().in_use, pool.stats().hand_offs), (3, 2));
        drop(leases);
    });
    assert_eq!((pool.stats().max_size, counts.opened()), (3, 3));
    drop(lease);
}

#[test]
fn a_smaller_pool_discards_what_is_idle_at_once_and_the_rest_at_check_in() {
    let (pool, counts) = Fake::default().pool(of_size(5));
    let [one, two, three, four, five] = [(); 5].map(|()| pool.check_out(None).unwrap());
    drop((one, two));
    pool.resize(0, 2).unwrap();
    assert_eq!((counts.dropped(), pool.stats().idle, pool.stats().in_use), (2, 0, 3));
    assert_eq!(pool.stats().discards.surplus, 2);
    drop(three);
    assert_eq!((counts.dropped(), pool.size(), pool.stats().discards.surplus), (3, 2, 3));
    drop((four, five));
    assert_eq!((counts.dropped(), pool.stats().idle), (3, 2));
    let _leases = [(); 2].map(|()| pool.check_out(None).unwrap());
    let full = pool.check_out(Some(std::time::Duration::ZERO));
    assert!(matches!(full, Err(Error::TimedOut(_))), "{full:?}");
    assert_eq!(counts.opened(), 5);
}

#[test]
fn the_oldest_idle_ones_are_discarded() {
    let (pool, counts) = Fake::default().pool(of_size(3));
    let [one, two, three] = [(); 3].map(|()| pool.check_out(None).unwrap());
    drop(two);
    drop(three);
    drop(one);
    pool.resize(0, 1).unwrap();
    assert_eq!((pool.check_out(None).unwrap().number, counts.dropped()), (1, 2));
}

#[test]
fn a_caller_of_a_pool_that_was_made_smaller_waits_until_there_is_room() {
    let (pool, counts) = Fake::default().pool(of_size(3));
    let [mut one, mut two, three] = [(); 3].map(|()| pool.check_out(None).unwrap());
    (one.broken, two.broken) = (true, true);
    pool.resize(0, 1).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.check_out(None).unwrap().number);
        until_waiting(&pool, 1);
        drop((one, two));
        assert_eq!((pool.stats().waiting, pool.stats().in_use), (1, 1));
        drop(three);
        assert_eq!(waiting.join().unwrap(), 3);
    });
    assert_eq!(counts.opened(), 3);
}

#[test]
fn one_whose_connection_is_unfit_does_not_open_another_beyond_the_new_size() {
    let (gate, keeper) = gate();
    let fake = Fake::pinging(move |_, _| {
        gate.pass();
        Err(common::Failure("gone"))
    });
    let options = PoolOptions { ping_after: std::time::Duration::ZERO, ..of_size(2) };
    let (pool, counts) = fake.pool(options);
    let [one, two] = [(); 2].map(|()| pool.check_out(None).unwrap());
    drop(one);
    thread::scope(|scope| {
        let unlucky = scope.spawn(|| pool.check_out(None).unwrap().number);
        keeper.somebody_came();
        pool.resize(0, 1).unwrap();
        keeper.open();
        until_waiting(&pool, 1);
        assert_eq!((counts.opened(), pool.size()), (2, 1));
        two.discard(Discard::Broken);
        assert_eq!(unlucky.join().unwrap(), 3);
    });
}

#[test]
fn min_size_is_what_an_open_opens_next_time() {
    let (pool, counts) = Fake::default().pool(of_size(2));
    pool.resize(3, 4).unwrap();
    assert_eq!(counts.opened(), 0);
    pool.open(&Caller::default()).unwrap();
    assert_eq!((counts.opened(), pool.stats().min_size), (3, 3));
}

#[test]
fn sizes_that_no_pool_can_have_are_refused_and_change_nothing() {
    let (pool, _) = Fake::default().pool(of_size(2));
    assert_eq!(pool.resize(0, 0).unwrap_err(), "max_size must be at least 1, not 0");
    assert!(pool.resize(4, 3).unwrap_err().starts_with("min_size must be at most max_size"));
    assert_eq!((pool.stats().min_size, pool.stats().max_size), (0, 2));
}

#[test]
fn a_child_and_a_grandchild_have_the_size_that_their_parent_was_given() {
    let (pool, _) = Fake::default().pool(of_size(1));
    let _lease = pool.check_out(None).unwrap();
    pool.resize(2, 3).unwrap();
    in_fork(|| {
        let stats = pool.stats();
        assert_eq!((stats.min_size, stats.max_size, stats.size), (2, 3, 0));
        let _leases = [(); 3].map(|()| pool.check_out(None).unwrap());
        pool.resize(0, 5).unwrap();
        in_fork(|| assert_eq!((pool.stats().min_size, pool.stats().max_size), (0, 5)));
    });
    assert_eq!(pool.stats().max_size, 3);
}
