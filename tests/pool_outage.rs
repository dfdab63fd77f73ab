//! A server that is down, and one that is back.
#![allow(clippy::unwrap_used)]

mod common;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{gate, in_fork, of_size, until, until_waiting, Clock, Failure, Fake, FakePool};
use forksafe::pool::{Caller, Down, Error, Health, PoolOptions};

/// Longer than any delay between two attempts.
const LATER: Duration = Duration::from_secs(6);

fn down(pool: &FakePool) -> Down<Failure> {
    match pool.check_out(None) {
        Err(Error::Down(down)) => *down,
        other => panic!("not known to be down: {other:?}"),
    }
}

fn refused(pool: &FakePool) {
    let error = pool.check_out(None).unwrap_err();
    assert!(matches!(error, Error::Connect(Failure("refused"))), "{error:?}");
}

#[test]
fn the_first_caller_gets_the_cause_and_the_next_gets_it_without_an_attempt() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let fake = Fake::connecting(move |attempt| {
        counted.store(attempt, SeqCst);
        Err(Failure("refused"))
    });
    let (pool, _) = Fake { outage: true, ..fake }.at(&Clock::new()).pool(of_size(3));
    refused(&pool);
    for _ in 0..100 {
        let down = down(&pool);
        assert_eq!((&*down.pool, down.pid), (pool.name(), std::process::id()));
        assert_eq!((down.error, down.since), (Failure("refused"), Duration::ZERO));
        assert!(down.retry_in > Duration::ZERO && down.retry_in < Duration::from_millis(200));
    }
    assert_eq!((attempts.load(SeqCst), pool.size()), (1, 0));
    assert_eq!((pool.stats().connect_errors, pool.stats().down_for), (1, Some(Duration::ZERO)));
}

#[test]
fn the_text_has_the_cause_and_when_the_next_attempt_is_due() {
    let down = Down {
        pool: "web".to_owned(),
        pid: 4711,
        error: Failure("refused"),
        since: Duration::from_millis(2_300),
        retry_in: Duration::from_millis(400),
    };
    let error = Error::Down(Box::new(down.clone()));
    assert_eq!(
        error.to_string(),
        "refused; pool 'web' in process 4711 has met this for 2.3s, and tries again in 0.4s"
    );
    let under_way = Error::Down(Box::new(Down { retry_in: Duration::ZERO, ..down }));
    assert!(under_way.to_string().ends_with("for 2.3s, and an attempt is under way"));
}

#[test]
fn attempts_get_fewer_and_one_is_made_at_a_time() {
    let (attempts, clock) = (Arc::new(AtomicUsize::new(0)), Clock::new());
    let counted = Arc::clone(&attempts);
    let fake = Fake::connecting(move |attempt| {
        counted.store(attempt, SeqCst);
        Err(Failure("refused"))
    });
    let (pool, _) = Fake { outage: true, ..fake }.at(&clock).pool(of_size(3));
    // A minute, in which somebody asks each millisecond.
    for _ in 0..60_000 {
        pool.check_out(None).unwrap_err();
        clock.pass(Duration::from_millis(1));
    }
    let attempts = attempts.load(SeqCst);
    assert!((15..=60).contains(&attempts), "{attempts} attempts in a minute");
}

#[test]
fn while_an_attempt_is_under_way_everybody_else_fails_at_once() {
    let (clock, (gate, keeper)) = (Clock::new(), gate());
    let fake = Fake::connecting(move |attempt| {
        if attempt == 2 {
            gate.pass();
        }
        Err(Failure("refused"))
    });
    let (pool, _) = Fake { outage: true, ..fake }.at(&clock).pool(of_size(3));
    refused(&pool);
    clock.pass(LATER);
    thread::scope(|scope| {
        let trying = scope.spawn(|| refused(&pool));
        keeper.somebody_came();
        let down = down(&pool);
        assert_eq!((down.since, down.retry_in), (LATER, Duration::ZERO));
        keeper.open();
        trying.join().unwrap();
    });
}

#[test]
fn those_who_wait_fail_with_the_cause_as_soon_as_it_is_known() {
    let (gate, keeper) = gate();
    let fake = Fake::connecting(move |attempt| match attempt {
        1 => Ok(()),
        _ => {
            gate.pass();
            Err(Failure("refused"))
        }
    });
    let (pool, _) = Fake { outage: true, ..fake }.pool(of_size(2));
    let lease = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        let trying = scope.spawn(|| refused(&pool));
        keeper.somebody_came();
        let waiting = [(); 3].map(|()| scope.spawn(|| pool.check_out(None).map(drop)));
        until_waiting(&pool, 3);
        keeper.open();
        for waiter in waiting {
            let error = waiter.join().unwrap().unwrap_err();
            assert!(matches!(&error, Error::Down(down) if down.error == Failure("refused")));
        }
        trying.join().unwrap();
    });
    let stats = pool.stats();
    assert_eq!((stats.timeouts, stats.hand_offs, stats.waiting, stats.in_use), (0, 0, 0, 1));
    drop(lease);
    assert_eq!(pool.check_out(None).unwrap().number, 1, "what is open is lent all the while");
}

#[test]
fn when_it_is_back_callers_queue_and_connect_one_then_two_then_four_at_once() {
    let (clock, (gate, keeper)) = (Clock::new(), gate());
    let fake = Fake::connecting(move |attempt| match attempt {
        1 => Err(Failure("refused")),
        2 => Ok(()),
        _ => {
            gate.pass();
            Ok(())
        }
    });
    let (pool, counts) = Fake { outage: true, ..fake }.at(&clock).pool(of_size(20));
    refused(&pool);
    clock.pass(LATER);
    let first = pool.check_out(None).unwrap();
    assert_eq!(pool.stats().down_for, None);
    let kept = Mutex::new(vec![first]);
    thread::scope(|scope| {
        for caller in 0..7 {
            let (pool, kept) = (&pool, &kept);
            scope.spawn(move || {
                let lease = pool.check_out(None).unwrap();
                kept.lock().unwrap().push(lease);
            });
            // The first of them connects; it is alone.
            until_waiting(pool, caller);
        }
        // Held back at the gate, and let through one after another.
        for (opened, under_way) in [(1, 1), (2, 2), (3, 4), (4, 4)] {
            until(|| pool.stats().in_use == opened + under_way);
            assert_eq!((counts.opened(), pool.stats().waiting), (opened, 8 - opened - under_way));
            keeper.open();
        }
        (0..3).for_each(|_| keeper.open());
    });
    assert_eq!((counts.opened(), pool.stats().timeouts), (8, 0));
}

#[test]
fn who_needs_another_connection_in_a_slow_start_waits_for_its_turn_to_connect() {
    let (clock, (gate, keeper)) = (Clock::new(), gate());
    let fake = Fake::connecting(move |attempt| match attempt {
        2 => Err(Failure("refused")),
        4 => {
            gate.pass();
            Ok(())
        }
        _ => Ok(()),
    });
    let on_probe = Box::new(|number| match number {
        1 => Health::Dead,
        _ => Health::Open,
    });
    let (pool, _) = Fake { outage: true, on_probe, ..fake }.at(&clock).pool(of_size(4));
    let lease = pool.check_out(None).unwrap();
    refused(&pool);
    clock.pass(LATER);
    let other = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        let slow = scope.spawn(|| drop(pool.check_out(None).unwrap()));
        keeper.somebody_came();
        drop(lease);
        let unlucky = scope.spawn(|| pool.check_out(None).map(|lease| lease.number));
        until_waiting(&pool, 1);
        assert_eq!(pool.stats().in_use, 2, "it does not keep the slot meanwhile");
        keeper.open();
        assert!(unlucky.join().unwrap().unwrap() > 2);
        slow.join().unwrap();
    });
    drop(other);
    assert_eq!((pool.stats().in_use, pool.stats().discards.broken), (0, 1));
}

#[test]
fn an_error_that_tells_nothing_of_the_server_keeps_nobody_from_trying() {
    let fake = Fake::connecting(|_| Err(Failure("refused")));
    let (pool, _) = Fake { outage: false, ..fake }.at(&Clock::new()).pool(of_size(2));
    (0..5).for_each(|_| refused(&pool));
    assert_eq!((pool.stats().connect_errors, pool.stats().down_for), (5, None));
}

#[test]
fn an_attempt_that_panics_while_it_is_down_costs_no_slot_and_not_the_right_to_try() {
    let clock = Clock::new();
    let fake = Fake::connecting(|attempt| match attempt {
        1 => Err(Failure("refused")),
        2 => panic!("as planned"),
        _ => Ok(()),
    });
    let (pool, _) = Fake { outage: true, ..fake }.at(&clock).pool(of_size(1));
    refused(&pool);
    clock.pass(LATER);
    catch_unwind(AssertUnwindSafe(|| pool.check_out(None))).unwrap_err();
    assert_eq!(pool.size(), 0);
    drop(pool.check_out(None).unwrap());
}

#[test]
fn a_caller_that_is_too_late_to_try_leaves_the_attempt_to_the_next() {
    let (clock, up) = (Clock::new(), Arc::new(AtomicBool::new(false)));
    let (pool, _) = Fake::down_until(&up).at(&clock).pool(of_size(1));
    refused(&pool);
    clock.pass(LATER);
    up.store(true, SeqCst);
    let error = pool.check_out(Some(Duration::ZERO)).unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)), "{error:?}");
    drop(pool.check_out(None).unwrap());
}

#[test]
fn a_child_of_a_process_whose_server_is_down_tries_at_once() {
    let (clock, up) = (Clock::new(), Arc::new(AtomicBool::new(false)));
    let (pool, _) = Fake::down_until(&up).at(&clock).pool(of_size(2));
    refused(&pool);
    down(&pool);
    in_fork(|| {
        assert_eq!(pool.stats().down_for, None);
        refused(&pool);
        down(&pool);
    });
    in_fork(|| {
        up.store(true, SeqCst);
        drop([(); 2].map(|()| pool.check_out(None).unwrap()));
    });
    down(&pool);
}

#[test]
fn opening_a_pool_whose_server_is_down_fails_with_the_cause() {
    let (clock, up) = (Clock::new(), Arc::new(AtomicBool::new(false)));
    let options = PoolOptions { min_size: 2, ..of_size(2) };
    let (pool, _) = Fake::down_until(&up).at(&clock).pool(options);
    let error = pool.open(&Caller::default()).unwrap_err();
    assert!(matches!(error, Error::Connect(Failure("refused"))), "{error:?}");
    let error = pool.open(&Caller::default()).unwrap_err();
    assert!(matches!(error, Error::Down(_)), "{error:?}");
    up.store(true, SeqCst);
    clock.pass(LATER);
    pool.open(&Caller::default()).unwrap();
    assert_eq!((pool.stats().idle, pool.size()), (2, 2));
}

/// A server that has not answered when the time is over.
fn silent(timeout: Duration) -> FakePool {
    let waits = |_, deadline: Instant| {
        thread::sleep(deadline.saturating_duration_since(Instant::now()));
        Err(Failure("no answer"))
    };
    let fake = Fake { outage: true, on_connect: Box::new(waits), ..Fake::default() };
    fake.pool(PoolOptions { timeout, ..of_size(2) }).0
}

#[test]
fn an_attempt_that_its_own_caller_cut_short_takes_nobody_down() {
    let pool = silent(Duration::from_secs(20));
    pool.check_out(Some(Duration::from_millis(20))).unwrap_err();
    assert_eq!(pool.stats().down_for, None);
}

#[test]
fn an_attempt_that_had_all_the_time_there_is_takes_the_pool_down() {
    let pool = silent(Duration::from_millis(20));
    pool.check_out(None).unwrap_err();
    assert!(pool.stats().down_for.is_some());
}
