//! Counting anew: what begins at zero after pop_stats and in a child, and what does not.
#![allow(clippy::unwrap_used)]

mod common;

use std::thread;
use std::time::Duration;

use common::{in_fork, of_size, Failure, Fake, FakePool, NEVER};
use forksafe::pool::{Discard, Discards, PoolOptions, Stats};

const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

/// `stats` with nothing that is counted, but for what pop_stats leaves.
fn gauges(stats: Stats) -> Stats {
    Stats {
        pid: stats.pid,
        name: stats.name,
        min_size: stats.min_size,
        max_size: stats.max_size,
        size: stats.size,
        idle: stats.idle,
        in_use: stats.in_use,
        waiting: stats.waiting,
        closed: stats.closed,
        suspended: stats.suspended,
        down_for: stats.down_for,
        forks_noticed: stats.forks_noticed,
        leases: stats.leases,
        discards: Discards { inherited: stats.discards.inherited, ..Discards::default() },
        idle_limit: stats.idle_limit,
        idle_source: stats.idle_source,
        last_connect_error: stats.last_connect_error,
        ..Stats::default()
    }
}

#[test]
fn pop_stats_answers_as_stats_and_counts_from_zero() {
    let fake = Fake::connecting(|attempt| match attempt {
        1 => Err(Failure("refused")),
        _ => Ok(()),
    });
    let (pool, _) = fake.pool(PoolOptions { ping_after: Duration::ZERO, ..of_size(2) });
    pool.check_out(None).unwrap_err();
    drop(pool.check_out(None).unwrap());
    drop(pool.check_out(None).unwrap());
    pool.check_out(None).unwrap().discard(Discard::Inherited);
    let [one, _two] = [(); 2].map(|()| pool.check_out(None).unwrap());
    pool.check_out(AT_ONCE).unwrap_err();
    one.discard(Discard::Broken);

    let held_aside = |mut stats: Stats| {
        // Who holds one holds it longer at each look.
        stats.leases.iter_mut().for_each(|lease| lease.held = Duration::ZERO);
        stats
    };
    let looked = held_aside(pool.stats());
    assert_eq!(held_aside(pool.stats()), looked, "a look changes nothing");
    assert_eq!((looked.requests, looked.pings, looked.in_use), (7, 2, 1));
    assert_eq!(held_aside(pool.pop_stats()), looked);
    assert_eq!(held_aside(pool.stats()), gauges(looked.clone()));
    assert_eq!(looked.discards.inherited, 1);
    assert_eq!(looked.leases.len(), 1);
    assert_eq!(looked.last_connect_error.as_deref(), Some("refused"));
}

#[test]
fn what_pop_stats_takes_is_neither_a_connections_number_nor_what_a_child_inherits() {
    let (pool, _) = Fake::default().pool(of_size(3));
    let one = pool.check_out(None).unwrap();
    drop(pool.check_out(None).unwrap());
    pool.pop_stats();
    let two = pool.check_out(None).unwrap();
    assert_eq!((one.id(), two.id(), pool.check_out(None).unwrap().id()), (1, 2, 3));
    pool.pop_stats();
    in_fork(|| {
        let popped = pool.pop_stats();
        assert_eq!((popped.forks_noticed, popped.discards.inherited), (1, 3));
        let stats = pool.stats();
        assert_eq!((stats.forks_noticed, stats.discards.inherited), (1, 3));
    });
}

#[test]
fn what_is_counted_while_others_pop_is_told_exactly_once() {
    const EACH: u64 = 2_000;
    let (pool, _) = Fake::default().pool(of_size(2));
    let mut popped = thread::scope(|scope| {
        let work = || (0..EACH).for_each(|_| drop(pool.check_out(None).unwrap()));
        let working = [(); 3].map(|()| scope.spawn(work));
        let mut popped = Vec::new();
        while working.iter().any(|thread| !thread.is_finished()) {
            popped.push(pool.pop_stats());
        }
        popped
    });
    popped.push(pool.pop_stats());
    let sum = |count: fn(&Stats) -> u64| popped.iter().map(count).sum::<u64>();
    assert_eq!(sum(|stats| stats.requests), 3 * EACH);
    assert_eq!(sum(|stats| stats.check_outs), 3 * EACH);
    assert_eq!(sum(|stats| stats.use_time.count), 3 * EACH);
    assert_eq!(sum(|stats| stats.waits), sum(|stats| stats.hand_offs));
}

/// Nothing was counted here, and nobody holds anything.
fn assert_fresh(pool: &FakePool) {
    let stats = pool.stats();
    assert_eq!(stats, gauges(stats.clone()));
    assert_eq!((stats.forks_noticed, stats.discards.inherited), (1, 2));
    assert_eq!((stats.leases, stats.in_use), (vec![], 0));
}

#[test]
fn a_child_counts_from_zero_and_its_parents_holders_are_not_its_own() {
    let (pool, _) = Fake::default().pool(of_size(2));
    let _lease = pool.check_out(None).unwrap();
    drop(pool.check_out(None).unwrap());
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let lease = pool.check_out(Some(NEVER)).unwrap();
            in_fork(|| assert_fresh(&pool));
            drop(lease);
        });
        other.join().unwrap();
    });
    let stats = pool.stats();
    assert_eq!((stats.requests, stats.use_time.count, stats.leases.len()), (3, 2, 1));
}
