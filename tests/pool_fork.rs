//! The pool in a child: the same, made anew, whatever the parent was doing.
#![allow(clippy::unwrap_used)]

mod common;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use common::{gate, in_fork, of_size, until_waiting, Fake, FakePool};
use forksafe::pool::{Discard, Error, PoolOptions};
use forksafe::process::Process;

/// The pool works here at its full size, with connections of its own.
fn works_at_full_size(pool: &FakePool) {
    let max_size = pool.options().max_size;
    let leases: Vec<_> = (0..max_size).map(|_| pool.check_out(None).unwrap()).collect();
    assert!(leases.iter().all(|lease| lease.birth().is_current() && lease.conn().is_some()));
    let full = pool.check_out(Some(Duration::ZERO));
    assert!(matches!(full, Err(Error::TimedOut(_))), "{full:?}");
    drop(leases);
    let stats = pool.stats();
    assert_eq!((stats.idle, stats.in_use, stats.connects), (max_size, 0, max_size as u64));
}

#[test]
fn a_child_gets_an_empty_pool_of_full_size() {
    let (pool, counts) = Fake::default().pool(of_size(3));
    let [lent, idle] = [(); 2].map(|()| pool.check_out(None).unwrap());
    drop(idle);
    in_fork(|| {
        let stats = pool.stats();
        assert_eq!((stats.size, stats.idle, stats.in_use, stats.waiting), (0, 0, 0, 0));
        assert_eq!(stats.pid, std::process::id());
        works_at_full_size(&pool);
        assert_eq!(
            (counts.opened(), counts.dropped()),
            (5, 0),
            "opened here: none of the parent's"
        );
    });
    assert_eq!((lent.number, pool.stats().idle, pool.stats().in_use), (1, 1, 1));
    drop(lent);
    assert_eq!(pool.check_out(None).unwrap().number, 1);
    assert_eq!((counts.opened(), counts.dropped(), pool.stats().forks_noticed), (2, 0, 0));
}

#[test]
fn a_child_counts_what_it_inherited_and_nothing_else() {
    let fake = Fake::connecting(|attempt| match attempt {
        1 => Err(common::Failure("refused")),
        _ => Ok(()),
    });
    let (pool, _) = fake.pool(of_size(4));
    pool.check_out(None).unwrap_err();
    let [one, two, three] = [(); 3].map(|()| pool.check_out(None).unwrap());
    one.discard(Discard::Inherited);
    drop(two);
    assert_eq!(pool.stats().discards.inherited, 1);
    in_fork(|| {
        let stats = pool.stats();
        assert_eq!((stats.forks_noticed, stats.discards.inherited), (1, 2));
        assert_eq!((stats.connects, stats.connect_errors, stats.check_outs), (0, 0, 0));
        assert_eq!((stats.discards.broken, stats.last_connect_error), (0, None));
        assert_eq!((stats.name, stats.max_size), (pool.name().to_owned(), 4));
    });
    drop(three);
}

#[test]
fn an_inherited_lease_leaves_no_trace_in_the_child() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let mut lease = Some(pool.check_out(None).unwrap());
    let parent = Process::current();
    in_fork(|| {
        let mut lease = lease.take().unwrap();
        assert_eq!((lease.birth(), lease.id()), (parent, 1));
        assert!(lease.conn().is_none() && lease.conn_mut().is_none());
        catch_unwind(AssertUnwindSafe(|| lease.number)).unwrap_err();
        drop(lease);
        assert_eq!((counts.dropped(), counts.resets.load(SeqCst)), (0, 0));
        assert_eq!((pool.stats().size, pool.stats().discards.inherited), (0, 1));
        works_at_full_size(&pool);
    });
    assert_eq!((lease.unwrap().number, counts.dropped()), (1, 0));
}

#[test]
fn an_inherited_lease_may_be_dropped_after_the_child_has_filled_its_pool() {
    let (pool, counts) = Fake::default().pool(of_size(2));
    let mut leases = Some([(); 2].map(|()| pool.check_out(None).unwrap()));
    in_fork(|| {
        let own = [(); 2].map(|()| pool.check_out(None).unwrap());
        drop(leases.take());
        assert_eq!((pool.stats().in_use, pool.stats().idle), (2, 0), "slots of the parent's pool");
        drop(own);
        assert_eq!((pool.stats().in_use, pool.stats().idle, counts.dropped()), (0, 2, 0));
    });
}

#[test]
fn an_inherited_lease_can_be_discarded_in_the_child() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let mut lease = Some(pool.check_out(None).unwrap());
    in_fork(|| {
        lease.take().unwrap().discard(Discard::Broken);
        let stats = pool.stats();
        assert_eq!((stats.discards.broken, stats.discards.inherited), (0, 1));
        assert_eq!(counts.dropped(), 0);
    });
}

#[test]
fn the_last_handle_in_a_child_lets_nothing_of_the_parent_go() {
    let (pool, counts) = Fake::default().pool(of_size(2));
    drop(pool.check_out(None).unwrap());
    let mut pool = Some(pool);
    in_fork(|| {
        drop(pool.take());
        assert_eq!(counts.dropped(), 0);
    });
    in_fork(|| {
        let pool = pool.take().unwrap();
        drop(pool.check_out(None).unwrap());
        drop(pool);
        assert_eq!(counts.dropped(), 1, "its own, and only that");
    });
    assert_eq!(pool.unwrap().check_out(None).unwrap().number, 1);
}

#[test]
fn a_grandchild_gets_a_pool_of_its_own_too() {
    let (pool, counts) = Fake::default().pool(of_size(2));
    let _lease = pool.check_out(None).unwrap();
    in_fork(|| {
        let own = [(); 2].map(|()| pool.check_out(None).unwrap());
        in_fork(|| {
            assert_eq!((pool.stats().forks_noticed, pool.stats().discards.inherited), (2, 2));
            works_at_full_size(&pool);
        });
        assert!(own.iter().all(|lease| lease.conn().is_some()));
        assert_eq!((pool.stats().in_use, counts.dropped()), (2, 0));
    });
}

#[test]
fn a_grandchild_of_a_child_that_never_used_the_pool_works_as_well() {
    let (pool, _) = Fake::default().pool(of_size(2));
    let _lease = pool.check_out(None).unwrap();
    in_fork(|| {
        in_fork(|| {
            assert_eq!((pool.stats().forks_noticed, pool.stats().discards.inherited), (1, 1));
            works_at_full_size(&pool);
        });
    });
}

#[test]
fn a_pool_that_was_never_used_before_the_fork_works_in_both() {
    let (pool, _) = Fake::default().pool(of_size(2));
    in_fork(|| {
        works_at_full_size(&pool);
        assert_eq!(pool.stats().forks_noticed, 0);
    });
    works_at_full_size(&pool);
}

#[test]
fn closed_before_the_fork_is_closed_in_the_child() {
    let (pool, _) = Fake::default().pool(of_size(1));
    pool.close();
    in_fork(|| {
        assert!(pool.is_closed());
        assert!(matches!(pool.check_out(None), Err(Error::Closed { .. })));
    });
}

#[test]
fn closing_in_the_child_leaves_the_parent_open() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    drop(pool.check_out(None).unwrap());
    in_fork(|| {
        pool.close();
        assert_eq!(counts.dropped(), 0);
        assert!(matches!(pool.check_out(None), Err(Error::Closed { .. })));
    });
    assert_eq!(pool.check_out(None).unwrap().number, 1);
}

#[test]
fn callers_that_wait_in_the_parent_do_not_wait_in_the_child() {
    let (pool, _) = Fake::default().pool(of_size(1));
    let lease = pool.check_out(None).unwrap();
    thread::scope(|scope| {
        let waiting = [(); 2].map(|()| scope.spawn(|| pool.check_out(None).map(drop)));
        until_waiting(&pool, 2);
        in_fork(|| {
            assert_eq!(pool.stats().waiting, 0);
            works_at_full_size(&pool);
        });
        drop(lease);
        assert!(waiting.into_iter().all(|waiter| waiter.join().unwrap().is_ok()));
    });
}

#[test]
fn a_fork_while_another_thread_connects_costs_the_child_nothing() {
    let (gate, keeper) = gate();
    let fake = Fake::connecting(move |attempt| {
        if attempt == 1 {
            gate.pass();
        }
        Ok(())
    });
    let (pool, _) = fake.pool(of_size(1));
    thread::scope(|scope| {
        let connecting = scope.spawn(|| pool.check_out(None).unwrap().number);
        keeper.somebody_came();
        in_fork(|| {
            works_at_full_size(&pool);
            assert_eq!(pool.stats().discards.inherited, 0);
        });
        keeper.open();
        assert_eq!(connecting.join().unwrap(), 1);
    });
}

/// Two threads do nothing but take the pool's lock, two check out and in and have each other
/// wait: of 300 forks many catch the lock held. A child that touched it would hang.
#[test]
fn a_fork_while_other_threads_hold_the_lock_never_hangs_the_child() {
    let options = PoolOptions { recycle: Some(Duration::from_micros(200)), ..of_size(2) };
    let (pool, _) = Fake::default().pool(options);
    // The first fork may come before any of the threads has run.
    drop(pool.check_out(None).unwrap());
    let done = AtomicBool::new(false);
    let until_done = |work: &dyn Fn()| {
        while !done.load(SeqCst) {
            work()
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| until_done(&|| drop(pool.stats())));
            scope.spawn(|| until_done(&|| drop(pool.check_out(None).unwrap())));
        }
        let forks = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..300 {
                in_fork(|| {
                    drop([(); 2].map(|()| pool.check_out(None).unwrap()));
                    assert_eq!((pool.stats().forks_noticed, pool.stats().connects), (1, 2));
                });
            }
        }));
        done.store(true, SeqCst);
        forks.unwrap();
    });
    assert_eq!(pool.stats().in_use, 0);
}
