//! What is done to a pool as a whole: open and check.
#![allow(clippy::unwrap_used)]

mod common;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{gate, in_fork, of_size, Clock, Failure, Fake, FakePool};
use forksafe::pool::{Caller, Error, Health, MaxIdle, PoolOptions};

const HOUR: Duration = Duration::from_secs(3600);

fn between(min_size: usize, max_size: usize) -> PoolOptions {
    PoolOptions { min_size, ..of_size(max_size) }
}

fn open(pool: &FakePool) {
    pool.open(&Caller::default()).unwrap();
}

/// That many idle connections.
fn filled(fake: Fake, idle: usize) -> (FakePool, Arc<common::Counts>) {
    let (pool, counts) = fake.pool(of_size(idle));
    drop((0..idle).map(|_| pool.check_out(None).unwrap()).collect::<Vec<_>>());
    (pool, counts)
}

#[test]
fn opening_opens_min_size_one_after_another() {
    let under_way = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&under_way);
    let fake = Fake::connecting(move |_| {
        assert_eq!(counted.fetch_add(1, SeqCst), 0, "two at once");
        counted.fetch_sub(1, SeqCst);
        Ok(())
    });
    let (pool, counts) = fake.pool(between(3, 5));
    assert_eq!((counts.opened(), pool.size()), (0, 0));
    open(&pool);
    assert_eq!((counts.opened(), pool.stats().idle, pool.size()), (3, 3, 3));
    open(&pool);
    assert_eq!(counts.opened(), 3, "once is enough");
    assert_eq!((pool.stats().min_size, pool.stats().check_outs), (3, 0));
}

#[test]
fn opening_counts_what_is_in_use() {
    let (pool, counts) = Fake::default().pool(between(2, 5));
    let _lease = pool.check_out(None).unwrap();
    open(&pool);
    assert_eq!((counts.opened(), pool.stats().idle, pool.stats().in_use), (2, 1, 1));
}

#[test]
fn opening_without_a_min_size_opens_nothing() {
    let (pool, counts) = Fake::default().pool(of_size(5));
    open(&pool);
    assert_eq!(counts.opened(), 0);
}

#[test]
fn opening_fails_as_a_check_out_does_and_keeps_what_is_open() {
    let fake = Fake::connecting(|attempt| match attempt {
        2 => Err(Failure("refused")),
        3 => panic!("as planned"),
        _ => Ok(()),
    });
    let (pool, counts) = fake.pool(between(3, 3));
    let error = pool.open(&Caller::default()).unwrap_err();
    assert!(matches!(error, Error::Connect(Failure("refused"))), "{error:?}");
    assert_eq!((counts.opened(), pool.size()), (1, 1));
    catch_unwind(AssertUnwindSafe(|| pool.open(&Caller::default()))).unwrap_err();
    assert_eq!((pool.stats().idle, pool.size()), (1, 1));
    open(&pool);
    assert_eq!((counts.opened(), pool.size()), (3, 3));
}

#[test]
fn opening_ends_with_its_time() {
    let (pool, counts) = Fake::default().pool(between(3, 3));
    let hurried = Caller { timeout: Some(Duration::ZERO), ..Caller::default() };
    assert!(matches!(pool.open(&hurried), Err(Error::TimedOut(_))));
    assert_eq!((counts.opened(), pool.size()), (0, 0));
}

#[test]
fn a_closed_pool_is_not_opened() {
    let (pool, counts) = Fake::default().pool(between(1, 1));
    pool.close();
    assert!(matches!(pool.open(&Caller::default()), Err(Error::Closed { .. })));
    assert_eq!(counts.opened(), 0);
}

#[test]
fn closing_ends_the_opening() {
    let (gate, keeper) = gate();
    let fake = Fake::connecting(move |_| {
        gate.pass();
        Ok(())
    });
    let (pool, counts) = fake.pool(between(3, 3));
    thread::scope(|scope| {
        let opening = scope.spawn(|| pool.open(&Caller::default()));
        keeper.somebody_came();
        pool.close();
        keeper.open();
        assert!(matches!(opening.join().unwrap(), Err(Error::Closed { .. })));
    });
    assert_eq!((counts.opened(), counts.dropped(), pool.size()), (1, 1, 0));
}

#[test]
fn a_suspended_pool_is_opened_and_a_child_opens_its_own() {
    let (pool, counts) = Fake::default().pool(between(2, 2));
    pool.suspend();
    open(&pool);
    assert_eq!(pool.size(), 2);
    in_fork(|| {
        assert_eq!(pool.size(), 0);
        open(&pool);
        assert_eq!((pool.size(), counts.opened(), counts.dropped()), (2, 4, 0));
    });
}

#[test]
fn the_sweep_leaves_min_size_and_what_is_unfit_is_replaced_when_it_is_met() {
    let clock = Clock::new();
    let options =
        PoolOptions { max_idle: MaxIdle::Exactly(Some(HOUR)), recycle: None, ..between(2, 4) };
    let (pool, counts) = Fake::default().at(&clock).pool(options);
    drop([(); 4].map(|()| pool.check_out(None).unwrap()));
    clock.pass(HOUR);
    let lease = pool.check_out(None).unwrap();
    assert_eq!((lease.number, counts.dropped()), (5, 4), "all four have rested too long");
    drop(lease);
    drop([(); 3].map(|()| pool.check_out(None).unwrap()));
    clock.pass(HOUR / 2);
    let [_one, two] = [(); 2].map(|()| pool.check_out(None).unwrap());
    clock.pass(HOUR / 2);
    // One rests too long, two are in use: that is one more than min_size.
    drop(two);
    assert_eq!((counts.dropped(), pool.size()), (5, 2));
    clock.pass(HOUR);
    drop(pool.check_out(None).unwrap());
    assert_eq!(pool.size(), 2);
}

#[test]
fn a_check_pings_every_idle_connection_and_discards_those_that_fail() {
    let fake = Fake::pinging(|number, _| match number {
        2 | 3 => Err(Failure("gone")),
        _ => Ok(()),
    });
    let (pool, counts) = filled(fake, 4);
    let lease = pool.check_out(None).unwrap();
    assert_eq!(lease.number, 4);
    assert_eq!(pool.check(&Caller::default()), 2);
    assert_eq!((counts.pings.load(SeqCst), counts.dropped()), (3, 2));
    assert_eq!((pool.stats().idle, pool.stats().discards.broken), (1, 2));
    drop(lease);
    assert_eq!(pool.check(&Caller::default()), 0);
}

#[test]
fn a_check_probes_and_asks_the_application_too_whatever_pre_ping_says() {
    let probing = Fake::probing(|number| match number {
        1 => Health::Dead,
        _ => Health::Open,
    });
    let on_check = Box::new(|number, _| match number {
        2 => Err(Failure("not what it was")),
        _ => Ok(()),
    });
    let options = PoolOptions { pre_ping: false, ..of_size(3) };
    let (pool, counts) = Fake { on_check, ..probing }.pool(options);
    drop([(); 3].map(|()| pool.check_out(None).unwrap()));
    assert_eq!(pool.check(&Caller::default()), 2);
    assert_eq!((counts.probes.load(SeqCst), counts.pings.load(SeqCst)), (3, 2));
    assert_eq!((pool.stats().idle, counts.dropped()), (1, 2));
}

#[test]
fn a_check_leaves_the_idle_in_their_order() {
    let (pool, _) = filled(Fake::default(), 3);
    let order = || [(); 3].map(|()| pool.check_out(None).unwrap()).map(|lease| lease.number);
    let mut before = order();
    assert_eq!(pool.check(&Caller::default()), 0);
    before.reverse();
    assert_eq!(order(), before);
}

#[test]
fn what_is_idle_can_be_lent_during_a_check() {
    let (gate, keeper) = gate();
    let fake = Fake::pinging(move |_, _| {
        gate.pass();
        Ok(())
    });
    let (pool, counts) = filled(fake, 2);
    thread::scope(|scope| {
        let checking = scope.spawn(|| pool.check(&Caller::default()));
        keeper.somebody_came();
        let lease = pool.check_out(None).unwrap();
        assert_eq!((counts.opened(), pool.stats().in_use), (2, 2));
        keeper.open();
        assert_eq!(checking.join().unwrap(), 0);
        drop(lease);
    });
    assert_eq!((counts.pings.load(SeqCst), pool.stats().idle), (1, 2));
}

#[test]
fn a_check_without_time_and_one_that_panics_lose_nothing() {
    let fake = Fake::pinging(|number, _| {
        assert_ne!(number, 1, "as planned");
        Ok(())
    });
    let (pool, counts) = filled(fake, 3);
    let hurried = Caller { timeout: Some(Duration::ZERO), ..Caller::default() };
    assert_eq!((pool.check(&hurried), counts.pings.load(SeqCst)), (0, 0));
    let panicking = AssertUnwindSafe(|| while pool.check(&Caller::default()) == 0 {});
    catch_unwind(panicking).unwrap_err();
    assert_eq!((pool.stats().in_use, pool.size(), counts.dropped()), (0, 2, 1));
    assert_eq!([(); 3].map(|()| pool.check_out(None).unwrap()).len(), 3);
}

#[test]
fn the_applications_test_is_asked_before_lending_and_not_for_a_new_connection() {
    for pre_ping in [true, false] {
        let on_check = Box::new(|number, _| match number {
            1 => Err(Failure("not what it was")),
            2 => panic!("as planned"),
            _ => Ok(()),
        });
        let options = PoolOptions { pre_ping, ..of_size(1) };
        let (pool, counts) = Fake { on_check, ..Fake::default() }.pool(options);
        drop(pool.check_out(None).unwrap());
        let lease = pool.check_out(None).unwrap();
        assert_eq!((lease.number, pool.stats().discards.broken), (2, 1));
        drop(lease);
        catch_unwind(AssertUnwindSafe(|| pool.check_out(None))).unwrap_err();
        assert_eq!((pool.size(), counts.dropped()), (0, 2));
        drop(pool.check_out(None).unwrap());
        assert_eq!(pool.check_out(None).unwrap().number, 3);
    }
}
