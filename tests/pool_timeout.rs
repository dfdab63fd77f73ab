//! The deadline: computed once, kept by every step, and told in full when it has passed.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{gate, of_size, until_waiting, Failure, Fake, FakePool, NEVER};
use forksafe::pool::{Caller, Error, Holding, PoolOptions, TimedOut};

const SOON: Duration = Duration::from_millis(20);

fn timed_out(pool: &FakePool, timeout: Duration) -> TimedOut<Failure> {
    match pool.check_out(Some(timeout)) {
        Err(Error::TimedOut(timed_out)) => *timed_out,
        other => panic!("not a time-out: {other:?}"),
    }
}

#[test]
fn a_full_pool_times_out_and_not_before() {
    let (pool, _) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    let began = Instant::now();
    timed_out(&pool, SOON);
    assert!(began.elapsed() >= SOON);
    let stats = pool.stats();
    assert_eq!((stats.timeouts, stats.waits, stats.waiting), (1, 1, 0));
    assert!(stats.wait_seconds >= SOON);
    drop(lease);
    drop(pool.check_out(Some(SOON)).unwrap());
}

#[test]
fn the_pools_own_timeout_holds_where_the_caller_names_none() {
    let (pool, _) = Fake::default().pool(PoolOptions { timeout: SOON, ..of_size(1) });
    let _lease = pool.check_out(None).unwrap();
    let error = pool.check_out(None).unwrap_err();
    assert!(error.to_string().starts_with("no connection within 0.02s from pool"), "{error}");
}

#[test]
fn the_text_has_the_numbers_the_holders_and_the_last_error() {
    let held = |thread: &str, millis, place: Option<&str>| Holding {
        thread: thread.to_owned(),
        held: Duration::from_millis(millis),
        place: place.map(str::to_owned),
        leaked: place.is_some(),
    };
    let mut timed_out = TimedOut {
        pool: "web".to_owned(),
        pid: 4711,
        timeout: Duration::from_secs(10),
        suspended: true,
        size: 10,
        max_size: 12,
        in_use: 9,
        idle: 1,
        waiting: 3,
        longest: vec![
            held("'worker-1'", 12_340, Some("app.py:12 in view")),
            held("ThreadId(7)", 900, None),
        ],
        last_connect_error: Some((Failure("refused"), Duration::from_millis(3_200))),
    };
    assert_eq!(
        Error::TimedOut(Box::new(timed_out.clone())).to_string(),
        "no connection within 10s from pool 'web' in process 4711 \
         (10 of 12 open, 9 in use, 1 idle, 3 waiting); \
         the pool is suspended, and lends nothing until it is resumed; \
         held longest: thread 'worker-1' 12.3s (leaked) at app.py:12 in view, thread ThreadId(7) 0.9s; \
         last connect error (3.2s ago): refused"
    );
    timed_out.suspended = false;
    timed_out.longest.clear();
    timed_out.last_connect_error = None;
    assert_eq!(
        timed_out.to_string(),
        "no connection within 10s from pool 'web' in process 4711 \
         (10 of 12 open, 9 in use, 1 idle, 3 waiting)"
    );
}

#[test]
fn a_timeout_names_the_three_threads_that_have_held_longest() {
    let (pool, _) = Fake::default().pool(of_size(4));
    let leases: Vec<_> = ["one", "two", "three", "four"]
        .map(|name| {
            let pool = pool.clone();
            let holder = thread::Builder::new().name(name.to_owned());
            holder.spawn(move || pool.check_out(None).unwrap()).unwrap().join().unwrap()
        })
        .into();
    let told = timed_out(&pool, Duration::ZERO);
    let threads: Vec<_> = told.longest.iter().map(|holding| &*holding.thread).collect();
    assert_eq!(threads, ["'one'", "'two'", "'three'"]);
    assert!(told.longest[0].held >= told.longest[2].held);
    assert_eq!((told.size, told.max_size, told.in_use, told.waiting), (4, 4, 4, 1));
    assert_eq!((told.pid, told.timeout), (std::process::id(), Duration::ZERO));
    drop(leases);
}

#[test]
fn a_timeout_of_a_suspended_pool_says_so() {
    let (pool, _) = Fake::default().pool(of_size(3));
    drop(pool.check_out(None).unwrap());
    pool.suspend();
    let told = timed_out(&pool, Duration::ZERO);
    assert_eq!((told.suspended, told.idle, told.max_size), (true, 1, 3));
    pool.resume();
    pool.resize(0, 1).unwrap();
    let _lease = pool.check_out(None).unwrap();
    let told = timed_out(&pool, Duration::ZERO);
    assert_eq!((told.suspended, told.size, told.max_size), (false, 1, 1));
}

#[test]
fn a_holder_has_the_name_that_the_caller_gave_it() {
    let (pool, _) = Fake::default().pool(of_size(1));
    let caller = Caller { thread: Some("Thread-7 (job)".into()), ..Caller::default() };
    let lease = pool.check_out_for(&caller).unwrap();
    assert_eq!(timed_out(&pool, Duration::ZERO).longest[0].thread, "'Thread-7 (job)'");
    // Whoever was handed the connection is its holder from then on.
    thread::scope(|scope| {
        let next = Caller { thread: Some("next".into()), ..Caller::default() };
        let pool = &pool;
        let waiting = scope.spawn(move || pool.check_out_for(&next).unwrap());
        until_waiting(pool, 1);
        drop(lease);
        let _lease = waiting.join().unwrap();
        assert_eq!(timed_out(pool, Duration::ZERO).longest[0].thread, "'next'");
    });
}

#[test]
fn a_timeout_tells_the_last_connect_error() {
    let fake = Fake::connecting(|attempt| match attempt {
        1 => Err(Failure("refused")),
        _ => Ok(()),
    });
    let (pool, _) = fake.pool(of_size(1));
    pool.check_out(None).unwrap_err();
    let _lease = pool.check_out(None).unwrap();
    let told = timed_out(&pool, Duration::ZERO);
    assert_eq!(told.last_connect_error.as_ref().unwrap().0, Failure("refused"));
    let error = Error::TimedOut(Box::new(told));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "refused");
}

#[test]
fn without_time_only_what_needs_no_round_trip_is_lent() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    timed_out(&pool, Duration::ZERO);
    assert_eq!((counts.opened(), pool.stats().size), (0, 0));
    drop(pool.check_out(None).unwrap());
    drop(pool.check_out(Some(Duration::ZERO)).unwrap());
}

#[test]
fn without_time_for_a_ping_a_connection_stays_in_the_pool() {
    let options = PoolOptions { ping_after: Duration::ZERO, ..of_size(1) };
    let (pool, counts) = Fake::default().pool(options);
    drop(pool.check_out(None).unwrap());
    timed_out(&pool, Duration::ZERO);
    assert_eq!((pool.stats().idle, pool.stats().pings, counts.dropped()), (1, 0, 0));
    drop(pool.check_out(None).unwrap());
    assert_eq!((pool.stats().pings, counts.opened()), (1, 1));
}

#[test]
fn every_step_is_told_a_deadline_within_the_one_of_the_check_out() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (connects, pings) = (Arc::clone(&told), Arc::clone(&told));
    let fake = Fake {
        on_connect: Box::new(move |_, deadline| {
            connects.lock().unwrap().push(("connect", deadline));
            Ok(())
        }),
        on_ping: Box::new(move |_, deadline| {
            pings.lock().unwrap().push(("ping", deadline));
            Err(Failure("gone"))
        }),
        ..Fake::default()
    };
    let (pool, _) = fake.pool(PoolOptions { ping_after: Duration::ZERO, ..of_size(1) });
    drop(pool.check_out(None).unwrap());
    told.lock().unwrap().clear();

    let began = Instant::now();
    drop(pool.check_out(Some(NEVER)).unwrap());
    let ended = Instant::now();
    let told = told.lock().unwrap();
    assert_eq!(told.iter().map(|(step, _)| *step).collect::<Vec<_>>(), ["ping", "connect"]);
    let (ping, connect) = (told[0].1, told[1].1);
    assert!(connect >= began + NEVER && connect <= ended + NEVER);
    // The rest is for opening another, should the ping get no answer at all.
    assert!(ping >= began + NEVER / 5 && ping <= ended + NEVER / 4);
}

#[test]
fn a_waiter_connects_by_the_deadline_that_it_came_with() {
    let told = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&told);
    let on_connect = move |_, deadline| {
        *tell.lock().unwrap() = Some(deadline);
        Ok(())
    };
    let fake = Fake { on_connect: Box::new(on_connect), ..Fake::default() };
    let (pool, _) = fake.pool(of_size(1));
    let mut lease = pool.check_out(None).unwrap();
    let queued = Mutex::new(None);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.check_out(Some(NEVER)).map(drop));
        until_waiting(&pool, 1);
        *queued.lock().unwrap() = Some(Instant::now());
        lease.broken = true;
        drop(lease);
        waiting.join().unwrap().unwrap();
    });
    let queued = queued.lock().unwrap().unwrap();
    assert!(told.lock().unwrap().unwrap() <= queued + NEVER, "the wait was not counted");
}

#[test]
fn a_waiter_that_is_too_late_passes_on_what_it_was_given() {
    let patience = Duration::from_millis(500);
    let (gate, keeper) = gate();
    let fake = Fake::pinging(move |_, _| {
        gate.pass();
        Err(Failure("no answer"))
    });
    let (pool, counts) = fake.pool(PoolOptions { ping_after: Duration::ZERO, ..of_size(1) });
    let lease = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        let late = scope.spawn(|| pool.check_out(Some(patience)).map(drop));
        until_waiting(&pool, 1);
        let too_late = Instant::now() + patience;
        drop(lease);
        keeper.somebody_came();
        let next = scope.spawn(|| pool.check_out(None).unwrap().number);
        until_waiting(&pool, 1);
        thread::sleep(too_late.saturating_duration_since(Instant::now()));
        keeper.open();
        assert!(matches!(late.join().unwrap(), Err(Error::TimedOut(_))));
        assert_eq!(next.join().unwrap(), 2);
    });
    assert_eq!((pool.stats().hand_offs, counts.dropped(), pool.stats().ping_failures), (2, 1, 1));
}

#[test]
fn a_timeout_that_no_clock_can_hold_is_very_long() {
    let (pool, _) = Fake::default().pool(PoolOptions { timeout: Duration::MAX, ..of_size(1) });
    drop(pool.check_out(None).unwrap());
}
