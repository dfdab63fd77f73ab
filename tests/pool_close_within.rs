//! The end of a pool that waits for what is in use.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use common::{ends_well, fork_here, leave, of_size, until, until_waiting, Fake, NEVER};
use forksafe::pool::Error;

#[test]
fn closing_waits_for_what_is_in_use() {
    let (pool, counts) = Fake::default().pool(of_size(2));
    let [one, two] = [(); 2].map(|()| pool.check_out(None).unwrap());
    let began = Instant::now();
    thread::scope(|scope| {
        let closing = scope.spawn(|| pool.close_within(NEVER, None));
        until(|| pool.is_closed());
        drop((one, two));
        assert_eq!(closing.join().unwrap(), 0);
    });
    assert!(began.elapsed() < NEVER, "nobody woke it, its time was over");
    assert_eq!((counts.dropped(), pool.size()), (2, 0));
}

#[test]
fn closing_answers_how_many_are_in_use_when_its_time_is_over() {
    let (pool, counts) = Fake::default().pool(of_size(3));
    let leases = [(); 2].map(|()| pool.check_out(None).unwrap());
    drop(pool.check_out(None).unwrap());
    let began = Instant::now();
    assert_eq!(pool.close_within(Duration::ZERO, None), 2);
    assert_eq!(pool.close_within(Duration::from_millis(20), None), 2);
    assert!(began.elapsed() >= Duration::from_millis(20));
    assert_eq!(counts.dropped(), 1);
    drop(leases);
    assert_eq!((pool.close_within(NEVER, None), counts.dropped()), (0, 3));
}

#[test]
fn closing_wakes_who_waits_and_stops_waiting_when_it_is_told_to() {
    let (pool, _) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.check_out(None).map(drop));
        until_waiting(&pool, 1);
        assert_eq!(pool.close_within(NEVER, Some(&|| false)), 1);
        assert!(matches!(waiting.join().unwrap(), Err(Error::Closed { .. })));
    });
    drop(lease);
}

#[test]
fn a_signal_handler_that_forks_while_the_pool_is_being_closed_keeps_no_child() {
    let (pool, _) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    let forked = Mutex::new(None);
    let keep_waiting = || {
        *forked.lock().unwrap() = fork_here();
        forked.lock().unwrap().is_none()
    };
    // The child comes back out of here too, with nothing in use.
    let in_use = pool.close_within(NEVER, Some(&keep_waiting));
    match forked.into_inner().unwrap() {
        Some(child) => {
            assert_eq!(in_use, 1);
            ends_well(child);
        }
        None => leave(|| assert_eq!((in_use, pool.is_closed()), (0, true))),
    }
    drop(lease);
}
