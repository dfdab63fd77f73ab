//! Callers of one pool in every order: at most `max_size` connections, no slot lost, nobody left
//! waiting. Loom knows no time, so no wait ends by itself: a caller that is too late is one whose
//! time was over when it came, or one that is told to stop when it is woken.
#![allow(clippy::unwrap_used)]

mod leases;
mod outage;
mod upkeep;

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::Arc;
use std::time::{Duration, Instant};

use loom::thread::{self, JoinHandle};

use super::{Caller, Discard, Error, Health, Lease, Manage, MaxIdle, Pool, PoolOptions, Reset};
use crate::model::explore;
use crate::process;

/// Connections that are counted, of a server that may be down.
struct Counted {
    max_size: usize,
    open: Arc<AtomicUsize>,
    /// How many attempts fail, beginning with the next.
    refusals: AtomicUsize,
    /// Whether others may come while one connects.
    slow: bool,
    connecting: AtomicUsize,
    most_at_once: AtomicUsize,
    began: Instant,
    /// How often somebody has looked at the clock, and how far it goes on each time.
    looks: AtomicU32,
    step: Duration,
}

impl Counted {
    fn new(max_size: usize) -> Self {
        Self {
            max_size,
            open: Arc::default(),
            refusals: AtomicUsize::new(0),
            slow: false,
            connecting: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            began: Instant::now(),
            looks: AtomicU32::new(0),
            step: Duration::ZERO,
        }
    }

    fn answer(&self) -> Result<Conn, Refused> {
        if self.refusals.load(SeqCst) > 0 {
            self.refusals.fetch_sub(1, SeqCst);
            return Err(Refused);
        }
        let before = self.open.fetch_add(1, SeqCst);
        assert!(before < self.max_size, "more connections than may be");
        Ok(Conn(Arc::clone(&self.open)))
    }
}

#[derive(Clone, Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

struct Conn(Arc<AtomicUsize>);

impl Drop for Conn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Manage for Counted {
    type Conn = Conn;
    type Error = Refused;

    fn connect(&self, _: Instant) -> Result<Conn, Refused> {
        let at_once = self.connecting.fetch_add(1, SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, SeqCst);
        if self.slow {
            thread::yield_now();
        }
        self.connecting.fetch_sub(1, SeqCst);
        self.answer()
    }

    fn now(&self) -> Instant {
        self.began + self.step * self.looks.fetch_add(1, SeqCst)
    }

    fn probe(&self, _: &mut Conn) -> Health {
        Health::Open
    }

    fn ping(&self, _: &mut Conn, _: Instant) -> Result<(), Refused> {
        Ok(())
    }

    fn reset(&self, _: &mut Conn, _: Reset) -> Result<(), Refused> {
        Ok(())
    }

    fn unfit(&self, _: &Conn) -> Option<Discard> {
        None
    }

    fn is_outage(&self, _: &Refused) -> bool {
        true
    }

    fn idle_limit(&self, _: &Conn) -> Option<Duration> {
        None
    }
}

type Outcome = Result<(), Error<Refused>>;

fn pool(max_size: usize) -> Pool<Counted> {
    pool_of(Counted::new(max_size))
}

fn pool_of(counted: Counted) -> Pool<Counted> {
    let day = Duration::from_secs(24 * 3600);
    let options = PoolOptions {
        max_size: counted.max_size,
        timeout: day,
        ping_after: day,
        recycle: None,
        max_idle: MaxIdle::Exactly(None),
        ..PoolOptions::default()
    };
    Pool::new(counted, options).unwrap()
}

fn used(outcome: Result<Lease<Counted>, Error<Refused>>) -> Outcome {
    outcome.map(|lease| assert!(lease.conn().is_some()))
}

/// A caller that waits for as long as it takes.
fn patient(pool: &Pool<Counted>) -> JoinHandle<Outcome> {
    let pool = pool.clone();
    thread::spawn(move || used(pool.check_out(None)))
}

/// A caller that wants a connection now.
fn late(pool: &Pool<Counted>) -> JoinHandle<Outcome> {
    let pool = pool.clone();
    thread::spawn(move || used(pool.check_out(Some(Duration::ZERO))))
}

/// A caller that gives up when it is woken, whatever it was handed.
fn stopped(pool: &Pool<Counted>) -> JoinHandle<Outcome> {
    let pool = pool.clone();
    thread::spawn(move || {
        let keep_waiting = || false;
        used(pool.check_out_for(&Caller { keep_waiting: Some(&keep_waiting), ..Caller::default() }))
    })
}

fn closing(pool: &Pool<Counted>) -> JoinHandle<Outcome> {
    let pool = pool.clone();
    thread::spawn(move || {
        pool.close();
        Ok(())
    })
}

/// Nobody has or wants anything, and what is open is idle.
fn assert_at_rest(pool: &Pool<Counted>) {
    let stats = pool.stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
    assert_eq!(stats.idle, pool.manage().open.load(SeqCst));
    assert!(!stats.closed || stats.idle == 0, "something rests in a closed pool");
}

fn end(thread: JoinHandle<Outcome>) -> Outcome {
    thread.join().unwrap()
}

#[test]
fn each_of_three_callers_gets_the_one_connection() {
    explore(2, || {
        let pool = pool(1);
        let others = [patient(&pool), patient(&pool)];
        used(pool.check_out(None)).unwrap();
        others.into_iter().for_each(|other| end(other).unwrap());
        assert_at_rest(&pool);
        assert_eq!(pool.stats().idle, 1);
    });
}

#[test]
fn each_of_three_callers_gets_one_of_two_connections() {
    explore(2, || {
        let pool = pool(2);
        let others = [patient(&pool), patient(&pool)];
        used(pool.check_out(None)).unwrap();
        others.into_iter().for_each(|other| end(other).unwrap());
        assert_at_rest(&pool);
    });
}

#[test]
fn a_caller_that_comes_too_late_takes_nothing_with_it() {
    explore(2, || {
        let pool = pool(1);
        let (patient, late) = (patient(&pool), late(&pool));
        used(pool.check_out(None)).unwrap();
        end(patient).unwrap();
        assert!(matches!(end(late), Ok(()) | Err(Error::TimedOut(_))));
        assert_at_rest(&pool);
    });
}

#[test]
fn a_caller_that_stops_waiting_passes_on_what_it_was_handed() {
    explore(2, || {
        let pool = pool(1);
        let held = pool.check_out(None).unwrap();
        let (stopped, patient) = (stopped(&pool), patient(&pool));
        drop(held);
        assert!(matches!(end(stopped), Ok(()) | Err(Error::Interrupted { .. })));
        end(patient).unwrap();
        assert_at_rest(&pool);
    });
}

#[test]
fn a_connection_that_breaks_leaves_its_slot_to_the_next() {
    explore(2, || {
        let pool = pool(1);
        let others = [patient(&pool), patient(&pool)];
        pool.check_out(None).unwrap().discard(Discard::Broken);
        others.into_iter().for_each(|other| end(other).unwrap());
        assert_at_rest(&pool);
    });
}

#[test]
fn closing_wakes_all_who_wait_and_leaves_nothing_open() {
    for max_size in [1, 2] {
        explore(2, move || {
            let pool = pool(max_size);
            let held = pool.check_out(None).unwrap();
            let (one, closing) = (patient(&pool), closing(&pool));
            drop(held);
            assert!(matches!(end(one), Ok(()) | Err(Error::Closed { .. })));
            end(closing).unwrap();
            assert!(matches!(used(pool.check_out(None)), Err(Error::Closed { .. })));
            assert_at_rest(&pool);
        });
    }
}

#[test]
fn closing_while_one_comes_and_one_waits_leaves_nothing_open() {
    explore(2, || {
        let pool = pool(1);
        let callers = [patient(&pool), patient(&pool)];
        pool.close();
        for caller in callers {
            assert!(matches!(end(caller), Ok(()) | Err(Error::Closed { .. })));
        }
        assert_at_rest(&pool);
    });
}

#[test]
fn three_threads_of_a_child_make_the_pool_anew_and_never_come_to_the_inherited_lock() {
    explore(2, || {
        let pool = pool(1);
        used(pool.check_out(None)).unwrap();
        let inherited = pool.shared.state();
        let never_released = inherited.lock();
        process::become_a_child();
        pool.manage().open.store(0, SeqCst);
        let others = [patient(&pool), patient(&pool)];
        used(pool.check_out(None)).unwrap();
        others.into_iter().for_each(|other| end(other).unwrap());
        assert_at_rest(&pool);
        assert_eq!((pool.stats().forks_noticed, pool.stats().idle), (1, 1));
        // The model ends; no child would come to this.
        drop(never_released);
    });
}
