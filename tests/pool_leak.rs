//! Leases that are held for too long: found by those who pass by, and told once.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use common::{in_fork, of_size, until_waiting, Clock, Failure, Fake, FakeLease, FakePool, NEVER};
use forksafe::pool::{Caller, Discard, Error, Event, Health, Pool, PoolOptions};

const SECOND: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_nanos(1);
const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

/// A pool with a clock, and what it told of leaks. Each telling asks the pool for its stats, so it
/// would wait for ever if the lock were held.
struct Watched {
    pool: FakePool,
    clock: Arc<Clock>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Watched {
    fn new(max_size: usize, leak_after: Option<Duration>) -> Self {
        Self::of(max_size, leak_after, |fake, _| fake)
    }

    fn of(
        max_size: usize,
        leak_after: Option<Duration>,
        change: impl FnOnce(Fake, Arc<Clock>) -> Fake,
    ) -> Self {
        let handle = Arc::new(OnceLock::<FakePool>::new());
        let told = Arc::new(Mutex::new(Vec::new()));
        let clock = Clock::new();
        let (asked, telling) = (Arc::clone(&handle), Arc::clone(&told));
        let on_event = Box::new(move |_: &str, event: Event<'_, Failure>| {
            if let Event::Leaked { holding } = event {
                assert!(holding.leaked && asked.get().unwrap().stats().leaks > 0);
                telling.lock().unwrap().push(holding.to_string());
            }
        });
        let fake = Fake { on_event, clock: Some(Arc::clone(&clock)), ..Fake::default() };
        let options = PoolOptions { leak_after, ..of_size(max_size) };
        let pool = Pool::new(change(fake, Arc::clone(&clock)), options).unwrap();
        assert!(handle.set(pool.clone()).is_ok());
        Self { pool, clock, told }
    }

    fn lend(&self, thread: &str) -> FakeLease {
        let (thread, place) = (Some(thread.into()), Some("app.py:7 in view".into()));
        self.pool.check_out_for(&Caller { thread, place, ..Caller::default() }).unwrap()
    }

    fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }

    /// What was told since this was asked last.
    fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }
}

fn text(thread: &str, seconds: &str) -> Vec<String> {
    vec![format!("thread '{thread}' {seconds}s (leaked) at app.py:7 in view")]
}

#[test]
fn a_lease_that_is_held_for_too_long_is_told_once_at_a_check_out() {
    let watched = Watched::new(4, Some(LIMIT));
    let leaky = watched.lend("leaky");
    watched.pass(LIMIT - TICK);
    let other = watched.lend("other");
    assert_eq!(watched.told(), [""; 0], "not before");
    watched.pass(TICK);
    let third = watched.lend("third");
    assert_eq!(watched.told(), text("leaky", "30.0"));
    watched.pass(LIMIT - 2 * TICK);
    drop((watched.lend("fourth"), third, other, leaky));
    assert_eq!(watched.told(), [""; 0], "once");
    assert_eq!(watched.pool.stats().leaks, 1);
}

#[test]
fn a_lease_is_told_when_another_or_itself_is_checked_in() {
    let watched = Watched::new(2, Some(LIMIT));
    let leaky = watched.lend("leaky");
    watched.pass(SECOND);
    let other = watched.lend("other");
    watched.pass(LIMIT - SECOND);
    drop(other);
    assert_eq!(watched.told(), text("leaky", "30.0"));
    drop(leaky);
    assert_eq!(watched.told(), [""; 0]);
    let late = watched.lend("late");
    watched.pass(LIMIT);
    drop(late);
    assert_eq!(watched.told(), text("late", "30.0"));
    let discarded = watched.lend("discarded");
    watched.pass(2 * LIMIT);
    discarded.discard(Discard::Broken);
    assert_eq!(watched.told(), text("discarded", "60.0"));
    assert_eq!(watched.pool.stats().leaks, 3);
}

#[test]
fn stats_find_a_leak_and_mark_it() {
    let watched = Watched::new(2, Some(LIMIT));
    let _leases = [watched.lend("leaky"), {
        watched.pass(SECOND);
        watched.lend("other")
    }];
    watched.pass(LIMIT - SECOND);
    let stats = watched.pool.stats();
    let leases: Vec<_> = stats.leases.iter().map(|lease| (&*lease.thread, lease.leaked)).collect();
    assert_eq!(leases, [("'leaky'", true), ("'other'", false)]);
    assert_eq!((stats.leaks, watched.told().len()), (1, 1));
    assert_eq!(watched.pool.pop_stats().leaks, 1);
    assert_eq!(watched.pool.stats().leaks, 0);
    assert!(watched.pool.stats().leases[0].leaked, "what is held is no count");
}

#[test]
fn a_time_out_finds_a_leak_and_names_it() {
    let watched = Watched::of(2, Some(LIMIT), |fake, clock| {
        let on_probe = Box::new(move |_| {
            clock.pass(LIMIT);
            Health::Dead
        });
        Fake { on_probe, ..fake }
    });
    let _leaky = watched.lend("leaky");
    drop(watched.lend("other"));
    watched.pass(SECOND);
    // When it begins it is too early, and when the probe is over there is no time to connect.
    let error = watched.pool.check_out(AT_ONCE).unwrap_err();
    assert!(error.to_string().contains(&text("leaky", "31.0")[0]), "{error}");
    assert_eq!((watched.told(), watched.pool.stats().leaks), (text("leaky", "31.0"), 1));
}

#[test]
fn a_caller_in_the_queue_finds_a_leak_when_it_wakes() {
    let watched = Watched::new(1, Some(LIMIT));
    let _leaky = watched.lend("leaky");
    let keep_waiting = || {
        // It wakes about ten times a second: the first time it is too early, the second it is not.
        watched.pass(LIMIT / 2);
        watched.told.lock().unwrap().is_empty()
    };
    let timeout = Some(NEVER);
    let caller = Caller { timeout, keep_waiting: Some(&keep_waiting), ..Caller::default() };
    let error = watched.pool.check_out_for(&caller).unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    assert_eq!(watched.told(), text("leaky", "30.0"));
}

#[test]
fn a_connection_that_is_long_in_coming_is_no_leak() {
    let watched = Watched::of(2, Some(LIMIT), |fake, clock| {
        let on_connect = Box::new(move |number, _| {
            clock.pass(LIMIT * (number as u32 - 1));
            Ok(())
        });
        Fake { on_connect, ..fake }
    });
    let _quick = watched.lend("quick");
    let _slow = watched.lend("slow");
    assert_eq!((watched.pool.stats().leaks, watched.told()), (1, text("quick", "30.0")));
    watched.pass(LIMIT - TICK);
    assert_eq!(watched.pool.stats().leaks, 1, "counted from the lease");
    watched.pass(TICK);
    assert_eq!((watched.pool.stats().leaks, watched.told()), (2, text("slow", "60.0")));
}

#[test]
fn each_lease_has_a_time_of_its_own() {
    let watched = Watched::new(3, Some(LIMIT));
    let one = watched.lend("one");
    watched.pass(SECOND);
    let two = watched.lend("two");
    drop(one);
    watched.pass(SECOND);
    let _three = watched.lend("three");
    watched.pass(LIMIT - SECOND);
    assert_eq!((watched.pool.stats().leaks, watched.told()), (1, text("two", "30.0")));
    watched.pass(SECOND - TICK);
    assert_eq!(watched.pool.stats().leaks, 1);
    watched.pass(TICK);
    assert_eq!((watched.pool.stats().leaks, watched.told()), (2, text("three", "30.0")));
    drop(two);
    // The same slot again.
    let _four = watched.lend("four");
    watched.pass(LIMIT);
    assert_eq!((watched.pool.stats().leaks, watched.told()), (3, text("four", "30.0")));
}

#[test]
fn a_lease_that_was_handed_over_is_told_as_well() {
    let watched = Watched::new(1, Some(LIMIT));
    let first = watched.lend("first");
    thread::scope(|scope| {
        let second = scope.spawn(|| watched.lend("second"));
        until_waiting(&watched.pool, 1);
        watched.pass(SECOND);
        drop(first);
        let _second = second.join().unwrap();
        watched.pass(LIMIT - TICK);
        assert_eq!(watched.pool.stats().leaks, 0);
        watched.pass(TICK);
        assert_eq!((watched.pool.stats().leaks, watched.told()), (1, text("second", "30.0")));
    });
}

#[test]
fn without_leak_after_nothing_is_a_leak() {
    let watched = Watched::new(1, None);
    let lease = watched.lend("holder");
    watched.pass(1000 * LIMIT);
    let stats = watched.pool.stats();
    assert_eq!((stats.leaks, stats.leases[0].leaked), (0, false));
    drop(lease);
    assert_eq!(watched.told(), [""; 0]);
}

#[test]
fn a_limit_that_no_clock_can_hold_is_never_reached() {
    let watched = Watched::new(1, Some(Duration::MAX));
    let _lease = watched.lend("holder");
    watched.pass(1000 * LIMIT);
    assert_eq!(watched.pool.stats().leaks, 0);
}

#[test]
fn a_child_tells_nothing_of_its_parents_leases_and_everything_of_its_own() {
    let watched = Watched::new(2, Some(LIMIT));
    let mut lease = Some(watched.lend("parent"));
    watched.pass(LIMIT);
    in_fork(|| {
        assert_eq!(watched.pool.stats().leaks, 0);
        let _own = watched.lend("child");
        drop(lease.take());
        assert_eq!((watched.pool.stats().leaks, watched.told().len()), (0, 0));
        watched.pass(LIMIT);
        assert_eq!((watched.pool.stats().leaks, watched.told()), (1, text("child", "30.0")));
    });
    assert_eq!((watched.pool.stats().leaks, watched.told()), (1, text("parent", "30.0")));
}
