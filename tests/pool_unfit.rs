//! What is found unfit, when it is looked for, and what happens to it.
#![allow(clippy::unwrap_used)]

mod common;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{of_size, until_waiting, Counts, Failure, Fake, FakePool};
use forksafe::pool::{Discard, Health, PoolOptions, Reset};

const LONG: Duration = Duration::from_secs(3600);

fn pinging_after(ping_after: Duration) -> PoolOptions {
    PoolOptions { ping_after, ..of_size(2) }
}

/// Check out twice, one after the other; the number of the second.
fn twice(pool: &FakePool) -> usize {
    drop(pool.check_out(None).unwrap());
    pool.check_out(None).unwrap().number
}

fn probed_and_pinged(counts: &Counts) -> (usize, usize) {
    (counts.probes.load(SeqCst), counts.pings.load(SeqCst))
}

#[test]
fn a_connection_that_was_opened_just_now_is_neither_probed_nor_pinged() {
    let (pool, counts) = Fake::default().pool(pinging_after(Duration::ZERO));
    drop(pool.check_out(None).unwrap());
    assert_eq!(probed_and_pinged(&counts), (0, 0));
}

#[test]
fn within_the_bypass_window_a_probe_is_enough() {
    let (pool, counts) = Fake::default().pool(pinging_after(LONG));
    assert_eq!(twice(&pool), 1);
    assert_eq!(probed_and_pinged(&counts), (1, 0));
}

#[test]
fn past_the_bypass_window_a_connection_is_pinged() {
    let (pool, counts) = Fake::default().pool(pinging_after(Duration::ZERO));
    assert_eq!(twice(&pool), 1);
    assert_eq!(probed_and_pinged(&counts), (1, 1));
    assert_eq!((pool.stats().pings, pool.stats().ping_failures), (1, 0));
}

#[test]
fn a_suspect_connection_is_pinged_even_within_the_bypass_window() {
    let (pool, counts) = Fake::probing(|_| Health::Suspect).pool(pinging_after(LONG));
    assert_eq!(twice(&pool), 1);
    assert_eq!(probed_and_pinged(&counts), (1, 1));
}

#[test]
fn a_dead_connection_is_never_lent_and_never_pinged() {
    let (pool, counts) = Fake::probing(|_| Health::Dead).pool(pinging_after(Duration::ZERO));
    assert_eq!(twice(&pool), 2);
    assert_eq!(probed_and_pinged(&counts), (1, 0));
    assert_eq!((counts.dropped(), pool.stats().probe_failures), (1, 1));
    assert_eq!(pool.stats().discards.broken, 1);
}

#[test]
fn a_failed_ping_discards_and_the_next_idle_one_is_lent() {
    let fake = Fake::pinging(|number, _| match number {
        2 => Err(Failure("gone")),
        _ => Ok(()),
    });
    let (pool, counts) = fake.pool(pinging_after(Duration::ZERO));
    let [one, two] = [(); 2].map(|()| pool.check_out(None).unwrap());
    drop(one);
    drop(two);
    assert_eq!(pool.check_out(None).unwrap().number, 1);
    assert_eq!((counts.opened(), counts.dropped()), (2, 1));
    assert_eq!((pool.stats().ping_failures, pool.stats().discards.broken), (1, 1));
}

#[test]
fn when_all_idle_ones_are_dead_one_is_opened() {
    let (pool, counts) = Fake::probing(|_| Health::Dead).pool(of_size(5));
    drop([(); 5].map(|()| pool.check_out(None).unwrap()));
    assert_eq!(pool.check_out(None).unwrap().number, 6);
    assert_eq!((counts.dropped(), pool.stats().size), (5, 1));
}

#[test]
fn a_waiter_whose_connection_turns_out_dead_keeps_its_turn() {
    let (pool, _) = Fake::probing(|_| Health::Dead).pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    let served = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for caller in 0..3 {
            let (pool, served) = (&pool, &served);
            scope.spawn(move || {
                let lease = pool.check_out(None).unwrap();
                served.lock().unwrap().push((caller, lease.number));
            });
            until_waiting(pool, caller + 1);
        }
        drop(lease);
    });
    assert_eq!(*served.lock().unwrap(), [(0, 2), (1, 3), (2, 4)]);
}

#[test]
fn without_pre_ping_nothing_is_tested() {
    let fake = Fake::probing(|_| Health::Dead);
    let (pool, counts) =
        fake.pool(PoolOptions { pre_ping: false, ..pinging_after(Duration::ZERO) });
    assert_eq!(twice(&pool), 1);
    assert_eq!(probed_and_pinged(&counts), (0, 0));
}

#[test]
fn a_connection_is_reset_once_on_return_in_the_way_of_the_options() {
    for how in [Reset::Rollback, Reset::Session, Reset::Nothing] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let fake = Fake::resetting(move |number, how| {
            tell.lock().unwrap().push((number, how));
            Ok(())
        });
        let (pool, _) = fake.pool(PoolOptions { reset: how, ..of_size(1) });
        let lease = pool.check_out(None).unwrap();
        assert!(told.lock().unwrap().is_empty());
        drop(lease);
        assert_eq!(*told.lock().unwrap(), [(1, how)]);
    }
}

#[test]
fn a_connection_is_reset_outside_the_lock() {
    let seen: Arc<Mutex<Option<FakePool>>> = Arc::default();
    let handle = Arc::clone(&seen);
    let fake = Fake::resetting(move |_, _| {
        let pool = handle.lock().unwrap().clone().unwrap();
        assert_eq!(pool.stats().in_use, 1);
        Ok(())
    });
    let (pool, _) = fake.pool(of_size(1));
    *seen.lock().unwrap() = Some(pool.clone());
    drop(pool.check_out(None).unwrap());
    assert_eq!(pool.stats().idle, 1);
    *seen.lock().unwrap() = None;
}

#[test]
fn a_connection_that_cannot_be_reset_is_discarded() {
    let (pool, counts) = Fake::resetting(|_, _| Err(Failure("gone"))).pool(of_size(1));
    drop(pool.check_out(None).unwrap());
    assert_eq!((pool.stats().size, counts.dropped()), (0, 1));
    assert_eq!(pool.stats().discards.broken, 1);
}

#[test]
fn a_broken_connection_is_discarded_without_a_reset() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    pool.check_out(None).unwrap().broken = true;
    assert_eq!((pool.stats().size, counts.dropped(), counts.resets.load(SeqCst)), (0, 1, 0));
    assert_eq!(pool.stats().discards.broken, 1);
}

#[test]
fn a_lease_can_be_discarded_for_a_counted_reason() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    pool.check_out(None).unwrap().discard(Discard::Expired);
    assert_eq!((pool.stats().size, counts.dropped(), counts.resets.load(SeqCst)), (0, 1, 0));
    assert_eq!(pool.stats().discards.expired, 1);
}

#[test]
fn a_connection_is_let_go_before_its_slot_and_outside_the_lock() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watch = || {
        let (pool, seen) = (pool.clone(), Arc::clone(&seen));
        Some(Box::new(move || seen.lock().unwrap().push(pool.stats().in_use)) as Box<_>)
    };
    let mut lease = pool.check_out(None).unwrap();
    lease.on_drop = watch();
    lease.broken = true;
    drop(lease);
    let mut lease = pool.check_out(None).unwrap();
    lease.on_drop = watch();
    lease.discard(Discard::Broken);
    assert_eq!((seen.lock().unwrap().as_slice(), counts.dropped()), ([1, 1].as_slice(), 2));
}

#[test]
fn a_hook_that_panics_costs_its_connection_and_no_slot() {
    let ping = Fake::pinging(|_, _| panic!("as planned"));
    let reset = Fake::resetting(|_, _| panic!("as planned"));
    let probe = Fake::probing(|_| panic!("as planned"));
    for fake in [ping, reset, probe] {
        let (pool, counts) = fake.pool(PoolOptions { ping_after: Duration::ZERO, ..of_size(1) });
        let in_use = Arc::new(Mutex::new(None));
        let (handle, seen) = (pool.clone(), Arc::clone(&in_use));
        let panicking = AssertUnwindSafe(|| {
            let mut lease = pool.check_out(None).unwrap();
            let watch = move || *seen.lock().unwrap() = Some(handle.stats().in_use);
            lease.on_drop = Some(Box::new(watch));
            drop(lease);
            drop(pool.check_out(None));
        });
        catch_unwind(panicking).unwrap_err();
        assert_eq!(*in_use.lock().unwrap(), Some(1), "the slot went before its connection");
        assert_eq!((pool.stats().size, counts.dropped()), (0, 1));
        assert_eq!(pool.stats().discards.broken, 1);
    }
}

#[test]
fn a_thread_that_panics_with_a_lease_costs_its_connection_and_no_slot() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let panicking = AssertUnwindSafe(|| {
        let _lease = pool.check_out(None).unwrap();
        panic!("as planned");
    });
    catch_unwind(panicking).unwrap_err();
    assert_eq!((pool.stats().size, counts.dropped(), counts.resets.load(SeqCst)), (0, 1, 0));
}
