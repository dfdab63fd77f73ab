//! The first touch of a [`PerProcess`] in a child, by several threads, in every order.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::Arc;

use loom::thread;

use super::{become_a_child, PerProcess};
use crate::model::explore;

/// Counts its end.
struct Mortal(Arc<AtomicUsize>);

impl Drop for Mortal {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn of_the_values_that_three_threads_of_a_child_make_one_wins_and_the_others_end_once() {
    explore(4, || {
        let cell = Arc::new(PerProcess::new());
        let (theirs, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        cell.get_or_make(|_| Mortal(Arc::clone(&theirs)));
        become_a_child();
        let made = Arc::new(AtomicUsize::new(0));
        let touch = {
            let (cell, made, ended) = (Arc::clone(&cell), Arc::clone(&made), Arc::clone(&ended));
            move || {
                let value = cell.get_or_make(|inherited| {
                    assert!(inherited.is_some());
                    made.fetch_add(1, SeqCst);
                    Mortal(Arc::clone(&ended))
                });
                std::ptr::from_ref(value) as usize
            }
        };
        let others = [thread::spawn(touch.clone()), thread::spawn(touch.clone())];
        let seen = touch();
        drop(touch);
        for other in others {
            assert_eq!(other.join().unwrap(), seen);
        }
        assert_eq!(ended.load(SeqCst), made.load(SeqCst) - 1);
        drop(cell);
        assert_eq!((ended.load(SeqCst), theirs.load(SeqCst)), (made.load(SeqCst), 0));
    });
}
