//! A few threads use one pool while whatever can go wrong goes wrong, by chance: connects, tests,
//! resets and listeners that fail or panic, a server that is down, holders that panic, callers that
//! come too late, others that drain, resize and suspend the pool. Afterwards every slot is back, and
//! the books agree with what has really been opened and let go.
#![allow(clippy::unwrap_used)]

mod common;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use common::{count, planned_panic, Mood, Moody, NEVER};
use forksafe::pool::{Caller, Discard, Discards, Error, MaxIdle, Pool, PoolOptions};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

/// What a caller does with the connection that it gets.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Use,
    Break,
    Discard,
    Panic,
    ReadOnly,
    /// Takes only what there is at once.
    Hurry,
    /// Waits, but goes when it is woken, whatever it was handed.
    Stop,
    // These want none.
    Open,
    Check,
    Drain,
    Resize(usize, usize),
    Suspend,
}

fn moods() -> impl Strategy<Value = Vec<Mood>> {
    let one = prop_oneof![6 => Just(Mood::Well), 2 => Just(Mood::Badly), 1 => Just(Mood::Down), 1 => Just(Mood::Panic)];
    prop::collection::vec(one, 1..40)
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let one = prop_oneof![
        6 => Just(Turn::Use),
        2 => Just(Turn::Break),
        2 => Just(Turn::Discard),
        2 => Just(Turn::Panic),
        1 => Just(Turn::ReadOnly),
        2 => Just(Turn::Hurry),
        2 => Just(Turn::Stop),
        1 => Just(Turn::Open),
        1 => Just(Turn::Check),
        1 => Just(Turn::Drain),
        1 => sizes().prop_map(|(min_size, max_size)| Turn::Resize(min_size, max_size)),
        1 => Just(Turn::Suspend),
    ];
    prop::collection::vec(one, 1..20)
}

const LARGEST: usize = 3;

fn sizes() -> impl Strategy<Value = (usize, usize)> {
    (0..=LARGEST, 1..=LARGEST).prop_map(|(min_size, max_size)| (min_size.min(max_size), max_size))
}

/// One turn of one caller, which survives what panics.
fn take(pool: &Pool<Moody>, turn: Turn) {
    let whole = || match turn {
        Turn::Open => drop(pool.open(&Caller::default())),
        Turn::Check => drop(pool.check(&Caller::default())),
        Turn::Drain => pool.drain(),
        Turn::Resize(min_size, max_size) => pool.resize(min_size, max_size).unwrap(),
        Turn::Suspend => {
            pool.suspend();
            thread::yield_now();
            pool.resume();
        }
        _ => lend(pool, turn),
    };
    drop(catch_unwind(AssertUnwindSafe(whole)));
}

/// From check-out to check-in.
fn lend(pool: &Pool<Moody>, turn: Turn) {
    let stop = || false;
    let caller = match turn {
        Turn::Hurry => Caller { timeout: Some(Duration::ZERO), ..Caller::default() },
        Turn::Stop => Caller { keep_waiting: Some(&stop), ..Caller::default() },
        _ => Caller::default(),
    };
    let Ok(mut lease) = pool.check_out_for(&caller) else { return };
    count(&pool.manage().facts.lent);
    thread::yield_now();
    match turn {
        Turn::Break => lease.unfit = Some(Discard::Broken),
        Turn::ReadOnly => lease.unfit = Some(Discard::ReadOnly),
        Turn::Discard => lease.discard(Discard::Expired),
        Turn::Panic => planned_panic(),
        _ => {}
    }
}

/// The most that the pool was ever allowed.
fn largest(max_size: usize, callers: &[Vec<Turn>]) -> usize {
    let sizes = callers.iter().flatten().map(|turn| match turn {
        Turn::Resize(_, max_size) => *max_size,
        _ => 0,
    });
    sizes.max().unwrap_or_default().max(max_size)
}

/// All callers' turns, each caller a thread; a hang is a failure.
fn run(pool: &Pool<Moody>, callers: Vec<Vec<Turn>>) -> TestCaseResult {
    let (done, all_done) = channel();
    let count = callers.len();
    for turns in callers {
        let (pool, done) = (pool.clone(), done.clone());
        thread::spawn(move || {
            turns.into_iter().for_each(|turn| take(&pool, turn));
            done.send(()).unwrap();
        });
    }
    for _ in 0..count {
        prop_assert!(all_done.recv_timeout(NEVER).is_ok(), "a caller hangs: {:?}", pool);
    }
    Ok(())
}

/// The books against the facts.
fn assert_counts_add_up(pool: &Pool<Moody>, largest: usize) -> TestCaseResult {
    let (stats, facts) = (pool.stats(), &pool.manage().facts);
    let of = |counter: &AtomicUsize| counter.load(SeqCst);
    prop_assert_eq!((stats.in_use, stats.waiting), (0, 0), "nobody has or wants anything");
    prop_assert_eq!(of(&facts.opened), of(&facts.let_go) + stats.idle, "a connection was lost");
    prop_assert!(of(&facts.most_at_once) <= largest, "more than may be at once");
    prop_assert_eq!(stats.connects, of(&facts.attempts) as u64);
    prop_assert_eq!(stats.connect_errors, of(&facts.refused) as u64);
    prop_assert_eq!(stats.check_outs, of(&facts.lent) as u64);
    prop_assert_eq!(stats.wait_time.count, stats.check_outs);
    prop_assert_eq!(discarded(&stats.discards), of(&facts.let_go) as u64);
    let told = (of(&facts.told_of_opened), of(&facts.told_of_let_go));
    prop_assert_eq!(told, (of(&facts.opened), of(&facts.let_go)), "the listener");
    Ok(())
}

fn discarded(by_reason: &Discards) -> u64 {
    let Discards { expired, idle, broken, inherited, closed, read_only, drained, surplus } =
        by_reason;
    expired + idle + broken + inherited + closed + read_only + drained + surplus
}

/// As many as there may be, at once, and not one beyond.
fn assert_every_slot_is_back(pool: &Pool<Moody>, max_size: usize) -> TestCaseResult {
    let leases: Result<Vec<_>, _> = (0..max_size).map(|_| pool.check_out(None)).collect();
    prop_assert!(leases.is_ok(), "{:?}", leases);
    let beyond = pool.check_out(Some(Duration::ZERO));
    prop_assert!(matches!(beyond, Err(Error::TimedOut(_))), "{:?}", beyond);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        // A hang is found by waiting: not to be tried too often.
        max_shrink_time: 60_000,
        ..Default::default()
    })]

    #[test]
    fn whatever_goes_wrong_every_slot_comes_back(
        (min_size, max_size) in sizes(),
        moods in moods(),
        callers in prop::collection::vec(turns(), 1..5),
    ) {
        let options = PoolOptions {
            min_size,
            max_size,
            timeout: 10 * NEVER,
            recycle: Some(Duration::from_secs(1)),
            max_idle: MaxIdle::Exactly(Some(Duration::from_millis(500))),
            ping_after: Duration::ZERO,
            ..PoolOptions::default()
        };
        let pool = Pool::new(Moody::new(moods), options).unwrap();
        let largest = largest(max_size, &callers);
        run(&pool, callers)?;
        assert_counts_add_up(&pool, largest)?;
        pool.manage().calm_down();
        // Longer than any delay between two attempts to connect.
        pool.manage().clock.pass(Duration::from_secs(6));
        pool.resize(min_size, max_size).unwrap();
        assert_every_slot_is_back(&pool, max_size)?;
    }
}
