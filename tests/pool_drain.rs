//! All connections replaced, by hand or because their server takes no changes any more.
#![allow(clippy::unwrap_used)]

mod common;

use std::thread;

use common::{gate, in_fork, of_size, Failure, Fake};
use forksafe::pool::Discard;

#[test]
fn a_drain_replaces_the_idle_at_once_and_the_rest_at_check_in() {
    let (pool, counts) = Fake::default().pool(of_size(3));
    let [one, two, three] = [(); 3].map(|()| pool.check_out(None).unwrap());
    drop(one);
    pool.drain();
    assert_eq!((counts.dropped(), pool.stats().idle, pool.stats().in_use), (1, 0, 2));
    drop((two, three));
    assert_eq!((counts.dropped(), pool.size(), pool.stats().discards.drained), (3, 0, 3));
    for _ in 0..2 {
        assert_eq!(pool.check_out(None).unwrap().number, 4, "what was opened since stays");
    }
}

#[test]
fn a_connection_whose_opening_began_before_a_drain_is_lent_once() {
    let (gate, keeper) = gate();
    let fake = Fake::connecting(move |attempt| {
        if attempt == 1 {
            gate.pass();
        }
        Ok(())
    });
    let (pool, counts) = fake.pool(of_size(1));
    thread::scope(|scope| {
        let opening = scope.spawn(|| pool.check_out(None).unwrap().number);
        keeper.somebody_came();
        pool.drain();
        keeper.open();
        assert_eq!(opening.join().unwrap(), 1);
    });
    assert_eq!((counts.dropped(), pool.stats().discards.drained), (1, 1));
}

#[test]
fn a_drained_connection_is_let_go_before_another_takes_its_slot() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let mut lease = pool.check_out(None).unwrap();
    let handle = pool.clone();
    lease.on_drop = Some(Box::new(move || assert_eq!(handle.stats().in_use, 1)));
    drop(lease);
    pool.drain();
    assert_eq!((counts.dropped(), pool.size()), (1, 0));
}

#[test]
fn draining_an_empty_or_closed_pool_harms_nothing() {
    let (pool, _) = Fake::default().pool(of_size(1));
    pool.drain();
    drop(pool.check_out(None).unwrap());
    pool.close();
    pool.drain();
    assert_eq!((pool.size(), pool.stats().discards.drained), (0, 0));
}

#[test]
fn a_drain_in_the_parent_is_nothing_to_its_child() {
    let (pool, _) = Fake::default().pool(of_size(1));
    pool.drain();
    in_fork(|| {
        assert_eq!(pool.check_out(None).unwrap().number, 1);
        assert_eq!(pool.check_out(None).unwrap().number, 1);
    });
}

#[test]
fn one_of_a_server_that_takes_no_changes_takes_the_others_with_it() {
    let (pool, counts) = Fake::default().pool(of_size(4));
    let [mut one, mut two, three, four] = [(); 4].map(|()| pool.check_out(None).unwrap());
    drop(three);
    (one.read_only, two.read_only) = (true, true);
    drop(one);
    let discards = pool.stats().discards;
    assert_eq!((discards.read_only, discards.drained, counts.dropped()), (1, 1, 2));
    let new = pool.check_out(None).unwrap();
    assert_eq!(new.number, 5);
    drop(new);
    // Opened before the first was found out: it knows nothing of the new one.
    drop(two);
    assert_eq!((pool.stats().discards.read_only, pool.stats().idle), (2, 1));
    drop(four);
    assert_eq!((pool.stats().discards.drained, pool.size()), (2, 1));
    assert_eq!(pool.check_out(None).unwrap().number, 5);
}

#[test]
fn one_that_is_discarded_as_such_by_its_holder_does_so_too() {
    let (pool, _) = Fake::default().pool(of_size(2));
    let [one, two] = [(); 2].map(|()| pool.check_out(None).unwrap());
    drop(two);
    one.discard(Discard::ReadOnly);
    assert_eq!((pool.stats().discards.drained, pool.size()), (1, 0));
}

#[test]
fn a_reset_that_fails_because_of_it_is_counted_so() {
    let (pool, counts) = Fake::resetting(|_, _| Err(Failure("gone"))).pool(of_size(1));
    let mut lease = pool.check_out(None).unwrap();
    lease.read_only = true;
    drop(lease);
    assert_eq!((pool.stats().discards.read_only, counts.dropped()), (1, 1));
}
