//! A fork in every order with what the threads of the parent do.
//!
//! The kernel's part is played here: tables of descriptors that give the lowest number and a fresh
//! inode; a fork that copies the table first and the slots one by one; a child that looks while
//! its parent goes on. Slots, notes and registry are the real ones.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::os::fd::RawFd;
use std::sync::Arc;

use loom::sync::Mutex;
use loom::thread;

use super::notes::Notes;
use super::registry::{Claim, Registry};
use super::slot::Slot;
use super::Process;
use crate::model::explore;

/// Inodes from here on belong to the application.
const FOREIGN: u64 = 1_000;

/// A table of descriptors.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
struct Table(BTreeMap<RawFd, u64>);

impl Table {
    fn open(&mut self, inode: u64) -> RawFd {
        let number = (0..).find(|number| !self.0.contains_key(number)).unwrap();
        self.0.insert(number, inode);
        number
    }

    fn close_if(&mut self, number: RawFd, inode: u64) {
        if self.0.get(&number) == Some(&inode) {
            self.0.remove(&number);
        }
    }

    fn ours(&self) -> usize {
        self.0.values().filter(|inode| **inode < FOREIGN).count()
    }

    fn foreign(&self) -> usize {
        self.0.len() - self.ours()
    }
}

/// A process: what is its own, and what it shares.
struct Proc {
    generation: u32,
    table: Mutex<Table>,
    registry: Registry,
    notes: &'static Notes,
}

/// A socket of ours.
struct Open {
    slot: &'static Slot,
    number: RawFd,
    inode: u64,
}

impl Proc {
    fn first() -> Arc<Self> {
        let generation = Process::current().generation();
        let notes = Box::leak(Box::new(Notes::new(generation)));
        // A copy has its slots already: loom does not see that the pointer to them is atomic.
        let registry = Registry::new().copied();
        Arc::new(Self { generation, table: Mutex::default(), registry, notes })
    }

    fn claim(&self) -> Claim {
        self.registry.claim(self.generation, Some(self.notes))
    }

    fn open(&self, inode: u64) -> Open {
        let claim = self.claim();
        let number = self.socket(inode);
        Open { slot: claim.fill(number, inode), number, inode }
    }

    fn close(&self, open: Open) {
        self.table.lock().unwrap().close_if(open.number, open.inode);
        self.registry.free(open.slot, self.generation, open.number);
    }

    /// As anybody makes one, registered or not.
    fn socket(&self, inode: u64) -> RawFd {
        self.table.lock().unwrap().open(inode)
    }

    /// The table first, the memory after, page by page.
    fn fork(&self) -> Self {
        let table = self.table.lock().unwrap().clone();
        let registry = self.registry.copied();
        let generation = self.generation + 1;
        Self { generation, table: Mutex::new(table), registry, notes: self.notes }
    }

    /// Until nothing is missing: here every thread of the parent goes on some time.
    fn settle(&self) {
        while !self.look(true) {
            thread::yield_now();
        }
    }

    fn look(&self, patient: bool) -> bool {
        let close = |number, inode| self.table.lock().unwrap().close_if(number, inode);
        self.registry.let_go(self.generation, Some(self.notes), patient, close)
    }

    fn ours(&self) -> usize {
        self.table.lock().unwrap().ours()
    }

    fn foreign(&self) -> usize {
        self.table.lock().unwrap().foreign()
    }
}

#[test]
fn a_child_holds_nothing_of_a_thread_that_opens_and_closes() {
    explore(4, || {
        let parent = Proc::first();
        let other = {
            let parent = Arc::clone(&parent);
            thread::spawn(move || parent.close(parent.open(1)))
        };
        let child = parent.fork();
        child.settle();
        assert_eq!(child.ours(), 0);
        other.join().unwrap();
        assert_eq!(parent.ours(), 0);
    });
}

#[test]
fn a_child_holds_nothing_of_two_threads_that_open() {
    explore(2, || {
        let parent = Proc::first();
        let others = [1, 2].map(|inode| {
            let parent = Arc::clone(&parent);
            thread::spawn(move || {
                parent.open(inode);
            })
        });
        let child = parent.fork();
        child.settle();
        assert_eq!(child.ours(), 0);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(parent.ours(), 2);
    });
}

#[test]
fn a_child_holds_nothing_of_a_thread_that_closes_one_and_opens_another_under_its_number() {
    explore(4, || {
        let parent = Proc::first();
        let old = parent.open(1);
        let other = {
            let parent = Arc::clone(&parent);
            thread::spawn(move || {
                parent.close(old);
                parent.open(2);
            })
        };
        let child = parent.fork();
        child.settle();
        assert_eq!(child.ours(), 0);
        other.join().unwrap();
        assert_eq!(parent.ours(), 1, "the parent keeps what it opened");
    });
}

#[test]
fn nothing_of_the_application_is_closed_under_numbers_that_were_ours() {
    explore(4, || {
        let parent = Proc::first();
        let old = parent.open(1);
        let other = {
            let parent = Arc::clone(&parent);
            thread::spawn(move || {
                parent.close(old);
                parent.socket(FOREIGN);
                parent.open(2);
            })
        };
        let child = parent.fork();
        let inherited = child.foreign();
        // Before the child looks it takes the numbers that its parent's slots and notes tell of.
        child.socket(FOREIGN + 1);
        child.settle();
        assert_eq!((child.ours(), child.foreign()), (0, inherited + 1));
        other.join().unwrap();
        assert_eq!((parent.ours(), parent.foreign()), (1, 1));
    });
}

#[test]
fn what_a_thread_of_the_child_opens_meanwhile_is_its_own() {
    explore(3, || {
        let parent = Proc::first();
        let old = parent.open(1);
        let other = {
            let parent = Arc::clone(&parent);
            thread::spawn(move || parent.close(old))
        };
        let child = Arc::new(parent.fork());
        let loser = {
            let child = Arc::clone(&child);
            thread::spawn(move || child.open(FOREIGN))
        };
        child.settle();
        let own = loser.join().unwrap();
        assert_eq!((child.ours(), child.foreign()), (0, 1));
        child.close(own);
        assert_eq!(child.foreign(), 0);
        other.join().unwrap();
    });
}

#[test]
fn a_slot_that_a_thread_of_the_child_takes_meanwhile_is_not_wiped() {
    explore(3, || {
        let parent = Proc::first();
        parent.close(parent.open(1));
        // The slot has rested when the child's first turn comes, and that turn is its.
        (0..7).for_each(|_| drop(parent.claim()));
        let child = Arc::new(parent.fork());
        let loser = {
            let child = Arc::clone(&child);
            thread::spawn(move || {
                child.open(FOREIGN);
            })
        };
        child.settle();
        loser.join().unwrap();
        let grandchild = child.fork();
        grandchild.settle();
        assert_eq!((child.foreign(), grandchild.foreign()), (1, 0), "the child knows its socket");
    });
}

#[test]
fn a_grandchild_forked_while_the_child_lets_go_holds_nothing_either() {
    explore(4, || {
        let parent = Proc::first();
        parent.open(1);
        let claim = parent.claim();
        let number = parent.socket(2);
        let child = Arc::new(parent.fork());
        claim.fill(number, 2);
        let forker = {
            let child = Arc::clone(&child);
            thread::spawn(move || {
                let grandchild = child.fork();
                grandchild.settle();
                grandchild.ours()
            })
        };
        child.settle();
        assert_eq!((forker.join().unwrap(), child.ours(), parent.ours()), (0, 0, 2));
    });
}

#[test]
fn a_child_whose_parent_is_stopped_keeps_one_socket_and_closes_all_others() {
    explore(4, || {
        let parent = Proc::first();
        let other = {
            let parent = Arc::clone(&parent);
            thread::spawn(move || {
                parent.open(1);
                let claim = parent.claim();
                parent.socket(2);
                std::mem::forget(claim);
            })
        };
        let child = parent.fork();
        other.join().unwrap();
        child.look(false);
        assert!(child.look(true), "nothing is left to wait for");
        assert!(child.ours() <= 1, "{:?}", child.table);
    });
}

#[test]
fn a_failed_opening_keeps_no_child_waiting() {
    explore(4, || {
        let parent = Proc::first();
        let other = {
            let parent = Arc::clone(&parent);
            thread::spawn(move || drop(parent.claim()))
        };
        parent.fork().settle();
        other.join().unwrap();
    });
}
