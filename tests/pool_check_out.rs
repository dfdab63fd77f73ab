//! Who gets which connection, and when.
#![allow(clippy::unwrap_used)]

mod common;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use common::{gate, of_size, until_waiting, Failure, Fake, FakeLease, NEVER};
use forksafe::pool::{Caller, Discard, Error, PoolOptions};

#[test]
fn the_newest_idle_connection_is_lent_first() {
    let (pool, counts) = Fake::default().pool(of_size(3));
    let [one, two, three] = [(); 3].map(|()| pool.check_out(None).unwrap());
    drop((two, three, one));
    assert_eq!([(); 3].map(|()| pool.check_out(None).unwrap().number), [1; 3]);
    let leases = [(); 3].map(|()| pool.check_out(None).unwrap());
    assert_eq!(leases.each_ref().map(|lease| lease.number), [1, 3, 2]);
    assert_eq!(counts.opened(), 3);
}

#[test]
fn a_connection_is_opened_only_when_none_is_idle() {
    let (pool, counts) = Fake::default().pool(of_size(10));
    assert_eq!(counts.opened(), 0);
    for _ in 0..5 {
        drop(pool.check_out(None).unwrap());
    }
    assert_eq!(counts.opened(), 1);
    assert_eq!((pool.stats().check_outs, pool.stats().connects), (5, 1));
}

#[test]
fn there_are_never_more_than_max_size_under_many_threads() {
    let mut options = of_size(3);
    options.recycle = Some(Duration::from_micros(50));
    let (pool, counts) = Fake::default().pool(options);
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                for turn in 0..300 {
                    let mut lease = pool.check_out(None).unwrap();
                    lease.broken = turn % 7 == 0;
                    if turn % 11 == 0 {
                        lease.discard(Discard::Broken);
                    }
                }
            });
        }
    });
    assert!((1..=3).contains(&counts.most_at_once.load(SeqCst)), "{counts:?}");
    let stats = pool.stats();
    assert_eq!((stats.in_use, stats.waiting, stats.check_outs), (0, 0, 12 * 300));
    assert_eq!(counts.opened() - counts.dropped(), stats.idle);
    let discards = stats.discards;
    assert!(discards.broken > 0);
    assert_eq!((discards.broken + discards.expired) as usize, counts.dropped());
}

#[test]
fn callers_are_served_in_the_order_in_which_they_came() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    let served = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for caller in 0..8 {
            let (pool, served) = (&pool, &served);
            scope.spawn(move || {
                let mut lease = pool.check_out(None).unwrap();
                served.lock().unwrap().push(caller);
                // Half of them hand on a connection, half an empty slot.
                lease.broken = caller % 2 == 0;
            });
            until_waiting(pool, caller + 1);
        }
        drop(lease);
    });
    assert_eq!(*served.lock().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!((pool.stats().hand_offs, pool.stats().waits), (8, 8));
    assert_eq!(counts.opened(), 5);
}

#[test]
fn a_newcomer_cannot_push_in_before_the_first_waiter_has_run() {
    let (pool, _) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    let (keep, kept) = channel::<FakeLease>();
    thread::scope(|scope| {
        scope.spawn(|| keep.send(pool.check_out(None).unwrap()).unwrap());
        until_waiting(&pool, 1);
        drop(lease);
        // The waiter may not have woken up yet; what came back is its own all the same.
        let newcomer = pool.check_out(Some(Duration::ZERO));
        assert!(matches!(newcomer, Err(Error::TimedOut(_))), "{newcomer:?}");
        assert_eq!(kept.recv_timeout(NEVER).unwrap().number, 1);
    });
}

#[test]
fn the_slot_comes_back_when_connecting_fails() {
    let fake = Fake::connecting(|attempt| match attempt {
        1 => Err(Failure("refused")),
        _ => Ok(()),
    });
    let (pool, _) = fake.pool(of_size(1));
    let error = pool.check_out(None).unwrap_err();
    assert!(matches!(&error, Error::Connect(Failure("refused"))), "{error:?}");
    assert_eq!(error.to_string(), "refused");
    assert_eq!(pool.stats().size, 0);
    assert_eq!(pool.stats().last_connect_error.as_deref(), Some("refused"));
    drop(pool.check_out(Some(NEVER)).unwrap());
    assert_eq!((pool.stats().connect_errors, pool.stats().connects), (1, 2));
}

#[test]
fn the_slot_comes_back_when_connecting_panics() {
    let fake = Fake::connecting(|attempt| {
        assert_ne!(attempt, 1, "as planned");
        Ok(())
    });
    let (pool, _) = fake.pool(of_size(1));
    catch_unwind(AssertUnwindSafe(|| pool.check_out(None))).unwrap_err();
    assert_eq!(pool.stats().size, 0);
    drop(pool.check_out(Some(NEVER)).unwrap());
}

#[test]
fn a_failed_connect_hands_its_slot_to_the_first_waiter() {
    let (gate, keeper) = gate();
    let fake = Fake::connecting(move |attempt| match attempt {
        1 => {
            gate.pass();
            Err(Failure("refused"))
        }
        _ => Ok(()),
    });
    let (pool, _) = fake.pool(of_size(1));
    thread::scope(|scope| {
        let failing = scope.spawn(|| pool.check_out(None));
        keeper.somebody_came();
        let waiting = scope.spawn(|| pool.check_out(None));
        until_waiting(&pool, 1);
        keeper.open();
        assert!(matches!(failing.join().unwrap(), Err(Error::Connect(_))));
        assert_eq!(waiting.join().unwrap().unwrap().number, 1);
    });
    assert_eq!(pool.stats().hand_offs, 1);
}

#[test]
fn nobody_waits_for_the_io_of_another() {
    let (gate, keeper) = gate();
    let fake = Fake::connecting(move |attempt| {
        if attempt == 2 {
            gate.pass();
        }
        Ok(())
    });
    let (pool, _) = fake.pool(of_size(2));
    let lease = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        let connecting = scope.spawn(|| pool.check_out(None).unwrap().number);
        keeper.somebody_came();
        drop(lease);
        assert_eq!(pool.check_out(None).unwrap().number, 1);
        assert_eq!((pool.stats().idle, pool.stats().in_use), (1, 1));
        keeper.open();
        assert_eq!(connecting.join().unwrap(), 2);
    });
}

#[test]
fn one_more_than_max_waiting_is_refused_at_once() {
    let (pool, _) = Fake::default().pool(PoolOptions { max_waiting: 1, ..of_size(1) });
    let lease = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.check_out(None).map(drop));
        until_waiting(&pool, 1);
        let error = pool.check_out(None).unwrap_err();
        assert!(matches!(error, Error::TooManyRequests { waiting: 1, .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("1 callers wait") && text.contains("max_waiting"), "{text}");
        drop(lease);
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn a_caller_that_stops_waiting_leaves_the_queue() {
    let (pool, _) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    let stop = AtomicBool::new(false);
    let keep_waiting = || !stop.load(SeqCst);
    let caller = Caller { keep_waiting: Some(&keep_waiting), ..Caller::default() };
    thread::scope(|scope| {
        let interrupted = scope.spawn(|| pool.check_out_for(&caller).map(drop));
        until_waiting(&pool, 1);
        stop.store(true, SeqCst);
        assert!(matches!(interrupted.join().unwrap(), Err(Error::Interrupted { .. })));
    });
    assert_eq!((pool.stats().waiting, pool.stats().timeouts), (0, 0));
    drop(lease);
    assert_eq!(pool.stats().idle, 1);
}

#[test]
fn a_caller_that_stops_waiting_passes_on_what_it_was_given() {
    let (pool, _) = Fake::default().pool(of_size(1));
    let lease = Mutex::new(Some(pool.check_out(None).unwrap()));
    // Asked outside the lock: this is where something can reach a caller that goes away.
    let keep_waiting = || {
        until_waiting(&pool, 2);
        drop(lease.lock().unwrap().take());
        false
    };
    let caller = Caller { keep_waiting: Some(&keep_waiting), ..Caller::default() };
    thread::scope(|scope| {
        let interrupted = scope.spawn(|| pool.check_out_for(&caller).map(drop));
        until_waiting(&pool, 1);
        let next = scope.spawn(|| pool.check_out(None).unwrap().number);
        assert!(matches!(interrupted.join().unwrap(), Err(Error::Interrupted { .. })));
        assert_eq!(next.join().unwrap(), 1);
    });
    assert_eq!(pool.stats().hand_offs, 2);
}
