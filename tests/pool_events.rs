//! What a listener is told.
#![allow(clippy::unwrap_used)]

mod common;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{in_fork, in_short, of_size, Clock, Fake, FakePool, Heard};
use forksafe::pool::{Caller, Discard, Event, MaxIdle, PoolOptions};

const HOUR: Duration = Duration::from_secs(3600);

fn told(heard: &Heard) -> Vec<String> {
    std::mem::take(&mut *heard.lock().unwrap())
}

#[test]
fn connections_are_told_by_number_and_discards_with_their_reason() {
    let (heard, clock) = (Heard::default(), Clock::new());
    let options =
        PoolOptions { max_idle: MaxIdle::Exactly(Some(HOUR)), recycle: None, ..of_size(5) };
    let (pool, _) = Fake::default().at(&clock).heard(&heard).pool(options);
    let [one, two, mut three, four, five] = [(); 5].map(|()| pool.check_out(None).unwrap());
    let connected = (1..=5).map(|id| format!("connected {id}")).collect::<Vec<_>>();
    assert_eq!(told(&heard), connected);
    three.broken = true;
    drop(three);
    assert_eq!(told(&heard), ["discarded 3 Broken"]);
    two.discard(Discard::Inherited);
    assert_eq!(told(&heard), ["discarded 2 Inherited"]);
    drop(four);
    clock.pass(HOUR);
    drop(five);
    assert_eq!(told(&heard), ["discarded 4 Idle"], "by the sweep");
    pool.drain();
    assert_eq!(told(&heard), ["discarded 5 Drained"]);
    pool.close();
    assert_eq!(told(&heard), Vec::<String>::new());
    drop(one);
    assert_eq!(told(&heard), ["discarded 1 Closed"]);
}

#[test]
fn a_resize_and_a_close_tell_of_each() {
    let heard = Heard::default();
    let (pool, _) = Fake::default().heard(&heard).pool(of_size(3));
    let leases = [(); 3].map(|()| pool.check_out(None).unwrap());
    drop(leases);
    told(&heard);
    pool.resize(0, 2).unwrap();
    assert_eq!(told(&heard), ["discarded 1 Surplus"]);
    pool.close();
    assert_eq!(told(&heard), ["discarded 2 Closed", "discarded 3 Closed"]);
}

#[test]
fn the_server_is_told_down_once_and_back_once() {
    let (heard, clock, up) = (Heard::default(), Clock::new(), Arc::new(AtomicBool::new(false)));
    let (pool, _) = Fake::down_until(&up).at(&clock).heard(&heard).pool(of_size(3));
    for _ in 0..3 {
        pool.check_out(None).unwrap_err();
        clock.pass(Duration::from_secs(6));
    }
    assert_eq!(told(&heard), ["down refused"]);
    up.store(true, SeqCst);
    let _leases = [(); 3].map(|()| pool.check_out(None).unwrap());
    assert_eq!(told(&heard), ["connected 1", "back 3", "connected 2", "connected 3"]);
}

#[test]
fn an_outage_is_told_with_its_length_and_a_connect_with_its_own() {
    let (clock, up) = (Clock::new(), Arc::new(AtomicBool::new(false)));
    let times = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&times);
    let on_event = move |pool: &str, event: Event<'_, _>| match event {
        Event::Connected { took, .. } => note.lock().unwrap().push((pool.to_owned(), took)),
        Event::ServerBack { after, .. } => note.lock().unwrap().push((pool.to_owned(), after)),
        _ => {}
    };
    let fake = Fake { on_event: Box::new(on_event), ..Fake::down_until(&up).at(&clock) };
    let inner = fake.on_connect;
    let slow = Arc::clone(&clock);
    let on_connect = Box::new(move |number, deadline| {
        slow.pass(Duration::from_secs(1));
        inner(number, deadline)
    });
    let (pool, _) = Fake { on_connect, ..fake }
        .pool(PoolOptions { name: Some("web".to_owned()), ..of_size(1) });
    pool.check_out(None).unwrap_err();
    up.store(true, SeqCst);
    clock.pass(Duration::from_secs(6));
    drop(pool.check_out(None).unwrap());
    let expected = [1, 7].map(|seconds| ("web".to_owned(), Duration::from_secs(seconds)));
    assert_eq!(*times.lock().unwrap(), expected);
}

#[test]
fn a_child_is_told_of_the_fork_once_and_at_its_first_touch() {
    let heard = Heard::default();
    let (pool, _) = Fake::default().heard(&heard).pool(of_size(3));
    drop([(); 2].map(|()| pool.check_out(None).unwrap()));
    told(&heard);
    in_fork(|| {
        assert_eq!(told(&heard), Vec::<String>::new());
        assert!(!pool.is_closed());
        assert_eq!(told(&heard), ["fork 2"]);
        drop(pool.check_out(None).unwrap());
        assert_eq!(told(&heard), ["connected 1"]);
        in_fork(|| {
            thread::scope(|scope| {
                (0..4).for_each(|_| drop(scope.spawn(|| drop(pool.check_out(None).unwrap()))));
            });
            let told = told(&heard);
            assert_eq!(told.iter().filter(|event| *event == "fork 1").count(), 1, "{told:?}");
        });
    });
    assert_eq!(told(&heard), Vec::<String>::new());
}

#[test]
fn a_listener_may_use_the_pool_because_no_lock_is_held() {
    let seen: Arc<Mutex<Option<FakePool>>> = Arc::default();
    let (handle, heard) = (Arc::clone(&seen), Heard::default());
    let note = Arc::clone(&heard);
    let on_event = move |_: &str, event: Event<'_, _>| {
        let pool = handle.lock().unwrap().clone();
        if let Some(pool) = pool {
            let stats = pool.stats();
            pool.resume();
            note.lock().unwrap().push(format!("{}, {}", in_short(&event), stats.size));
        }
    };
    let up = Arc::new(AtomicBool::new(true));
    let fake = Fake { on_event: Box::new(on_event), limit: Some(1), ..Fake::down_until(&up) };
    let (pool, _) = fake.pool(PoolOptions { workers: Some(1), ..of_size(2) });
    *seen.lock().unwrap() = Some(pool.clone());
    drop(pool.check_out(None).unwrap());
    pool.drain();
    up.store(false, SeqCst);
    pool.check_out(None).unwrap_err();
    let events =
        ["connected 1, 1", "crowded 1 x 2 > 1, 1", "discarded 1 Drained, 1", "down refused, 1"];
    assert_eq!(told(&heard), events);
    in_fork(|| {
        assert_eq!(pool.size(), 0);
        assert_eq!(told(&heard), ["fork 0, 0"]);
    });
    *seen.lock().unwrap() = None;
}

#[test]
fn a_listener_that_panics_loses_no_slot_no_lease_and_no_process() {
    let fake = Fake { on_event: Box::new(|_, _| panic!("as planned")), ..Fake::default() };
    let on_check = Box::new(|_, _| panic!("as planned too"));
    let (pool, counts) = Fake { on_check, ..fake }.pool(of_size(1));
    drop(pool.check_out(None).unwrap());
    // The test panics, and while its connection goes the listener does.
    catch_unwind(AssertUnwindSafe(|| pool.check_out(None))).unwrap_err();
    assert_eq!((counts.dropped(), pool.size()), (1, 0));
    let mut lease = pool.check_out(None).unwrap();
    lease.broken = true;
    drop(lease);
    assert_eq!((counts.dropped(), pool.size()), (2, 0));
    drop(pool.check_out(None).unwrap());
    in_fork(|| {
        pool.resize(1, 1).unwrap();
        pool.open(&Caller::default()).unwrap();
        pool.close();
        assert_eq!(pool.size(), 0);
    });
}

#[test]
fn too_many_workers_are_told_of_once_a_process() {
    let heard = Heard::default();
    let fake = Fake { limit: Some(151), ..Fake::default() };
    let (pool, _) = fake.heard(&heard).pool(PoolOptions { workers: Some(16), ..of_size(10) });
    let crowded = || {
        drop([(); 9].map(|()| pool.check_out(None).unwrap()));
        told(&heard).into_iter().filter(|event| event.starts_with("crowded")).collect::<Vec<_>>()
    };
    assert_eq!(crowded(), ["crowded 16 x 10 > 151"]);
    pool.drain();
    assert!(crowded().is_empty());
    in_fork(|| assert_eq!(crowded(), ["crowded 16 x 10 > 151"]));
}

#[test]
fn as_many_workers_as_the_server_takes_are_no_crowd() {
    for (workers, limit) in [(Some(15), Some(150)), (None, Some(10)), (Some(1_000_000), None)] {
        let heard = Heard::default();
        let fake = Fake { limit, ..Fake::default() };
        let (pool, _) = fake.heard(&heard).pool(PoolOptions { workers, ..of_size(10) });
        drop(pool.check_out(None).unwrap());
        if workers.is_some() {
            assert_eq!(told(&heard), ["connected 1"]);
        }
    }
}

#[test]
fn a_pool_that_becomes_too_large_is_told_of_at_the_second_connect_the_fourth_and_so_on() {
    let heard = Heard::default();
    let fake = Fake { limit: Some(20), ..Fake::default() };
    let (pool, _) = fake.heard(&heard).pool(PoolOptions { workers: Some(2), ..of_size(10) });
    let _two = [(); 2].map(|()| pool.check_out(None).unwrap());
    pool.resize(0, 11).unwrap();
    let _two_more = [(); 2].map(|()| pool.check_out(None).unwrap());
    let told = told(&heard);
    assert_eq!(told[2..], ["connected 3", "connected 4", "crowded 2 x 11 > 20"]);
}
