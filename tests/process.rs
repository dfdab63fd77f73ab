//! The ground: who is who after a fork, and what becomes of what was inherited.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use common::in_fork;
use forksafe::process::{Owned, PerProcess, Process};

/// A value that counts its end.
struct Mortal(Arc<AtomicUsize>);

impl Drop for Mortal {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn mortal() -> (Mortal, Arc<AtomicUsize>) {
    let ends = Arc::new(AtomicUsize::new(0));
    (Mortal(Arc::clone(&ends)), ends)
}

#[test]
fn a_process_stays_who_it_is_in_all_its_threads() {
    let me = Process::current();
    assert_eq!((me.pid(), me.is_current()), (std::process::id(), true));
    assert!(me.generation() >= 1);
    thread::scope(|scope| scope.spawn(|| assert_eq!(Process::current(), me)).join().unwrap());
}

#[test]
fn a_child_is_somebody_else_and_the_parent_is_not() {
    let parent = Process::current();
    in_fork(|| {
        let child = Process::current();
        assert_eq!((child.pid(), child.is_current()), (std::process::id(), true));
        assert_eq!(child.generation(), parent.generation() + 1);
        assert!(child != parent && !parent.is_current());
        assert_eq!(Process::current(), child);
    });
    assert_eq!((Process::current(), parent.is_current()), (parent, true));
}

#[test]
fn each_generation_is_somebody_else_also_when_one_never_asked() {
    let parent = Process::current();
    in_fork(|| {
        let child = Process::current();
        in_fork(|| {
            in_fork(|| {
                assert_eq!(Process::current().generation(), parent.generation() + 2);
                assert!(!child.is_current() && !parent.is_current());
            });
        });
        assert!(child.is_current());
    });
}

#[test]
fn threads_of_a_child_that_ask_first_at_once_agree() {
    for _ in 0..50 {
        in_fork(|| {
            let start = Barrier::new(4);
            let ask = || {
                start.wait();
                Process::current()
            };
            let seen = thread::scope(|s| {
                [(); 4].map(|()| s.spawn(ask)).map(|thread| thread.join().unwrap())
            });
            assert_eq!(seen, [Process::current(); 4]);
        });
    }
}

#[test]
fn a_value_per_process_is_made_once() {
    let cell = PerProcess::new();
    assert_eq!(*cell.get_or_make(|inherited: Option<&i32>| inherited.map_or(1, |_| 2)), 1);
    assert_eq!(*cell.get_or_make(|_| 3), 1);
}

#[test]
fn a_value_per_process_is_fresh_in_each_generation_and_shown_the_one_before() {
    let cell = PerProcess::new();
    let make = |inherited: Option<&u32>| inherited.map_or(1, |before| before + 1);
    assert_eq!(*cell.get_or_make(make), 1);
    in_fork(|| {
        assert_eq!(*cell.get_or_make(make), 2);
        in_fork(|| assert_eq!(*cell.get_or_make(make), 3));
        assert_eq!(*cell.get_or_make(make), 2);
    });
    assert_eq!(*cell.get_or_make(make), 1);
}

#[test]
fn threads_that_touch_a_value_first_at_once_see_the_same_and_the_losers_are_dropped() {
    for _ in 0..200 {
        let (cell, start) = (PerProcess::new(), Barrier::new(4));
        let (made, ended) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let touch = || {
            start.wait();
            let value = cell.get_or_make(|_| {
                made.fetch_add(1, SeqCst);
                Mortal(Arc::clone(&ended))
            });
            std::ptr::from_ref(value) as usize
        };
        let seen = thread::scope(|s| {
            [(); 4].map(|()| s.spawn(touch)).map(|thread| thread.join().unwrap())
        });
        assert_eq!(seen, [seen[0]; 4]);
        assert_eq!(ended.load(SeqCst), made.load(SeqCst) - 1);
        drop(cell);
        assert_eq!(ended.load(SeqCst), made.load(SeqCst));
    }
}

#[test]
fn a_value_per_process_is_dropped_by_its_own_process_alone() {
    let (value, ends) = mortal();
    let cell = PerProcess::new();
    cell.get_or_make(|_| value);
    let mut cell = Some(cell);
    in_fork(|| {
        drop(cell.take());
        assert_eq!(ends.load(SeqCst), 0);
    });
    in_fork(|| {
        let (own, own_ends) = mortal();
        cell.as_ref().unwrap().get_or_make(|_| own);
        drop(cell.take());
        assert_eq!((ends.load(SeqCst), own_ends.load(SeqCst)), (0, 1));
    });
    drop(cell);
    assert_eq!(ends.load(SeqCst), 1);
}

#[test]
fn a_lock_that_another_thread_holds_at_the_fork_is_free_in_the_child() {
    let cell = PerProcess::new();
    let lock = || cell.get_or_make(|_| Mutex::new(0)).lock().unwrap();
    let ((tell, held), (end, ended)) = (channel(), channel::<()>());
    thread::scope(|scope| {
        scope.spawn(move || {
            let _guard = lock();
            tell.send(()).unwrap();
            let _ = ended.recv(); // or the forker has failed
        });
        held.recv().unwrap();
        in_fork(|| {
            *lock() += 1;
            assert_eq!(*lock(), 1);
        });
        drop(end);
    });
    assert_eq!(*lock(), 0);
}

#[test]
fn what_is_owned_is_read_changed_and_dropped_by_its_maker() {
    let (value, ends) = mortal();
    let mut owned = Owned::new((value, 1));
    owned.get_mut().unwrap().1 += 1;
    assert_eq!((owned.get().unwrap().1, owned.birth()), (2, Process::current()));
    assert_eq!(ends.load(SeqCst), 0);
    drop(owned);
    assert_eq!(ends.load(SeqCst), 1);
}

#[test]
fn what_is_owned_is_neither_read_nor_dropped_in_a_child() {
    let (value, ends) = mortal();
    let mut owned = Some(Owned::new(value));
    let parent = Process::current();
    in_fork(|| {
        let inherited = owned.as_mut().unwrap();
        assert!(inherited.get().is_none() && inherited.get_mut().is_none());
        assert_eq!(inherited.birth(), parent);
        drop(owned.take());
        assert_eq!(ends.load(SeqCst), 0);
    });
    drop(owned);
    assert_eq!(ends.load(SeqCst), 1);
}
