#![allow(clippy::unwrap_used)]

mod changes;
mod connects;

use std::time::{Duration, Instant};

use super::*;
use crate::pool::caller::Caller;

type Books = Slots<&'static str, &'static str>;

fn of_size(max_size: usize) -> Books {
    Books::new(0, max_size, 0, false)
}

fn between(min_size: usize, max_size: usize) -> Books {
    Books::new(min_size, max_size, 0, false)
}

fn holder() -> Holder {
    Caller::default().holder(Instant::now())
}

/// The number of a free slot, with the right to connect used up.
fn in_use(books: &mut Books) -> usize {
    let number = connecting(books);
    assert_eq!(books.attempt_ended(number), NOBODY);
    number
}

/// The number of a free slot, with the right to connect.
fn connecting(books: &mut Books) -> usize {
    let grant = books.take(holder()).unwrap();
    assert_eq!(grant.entry, None);
    grant.number
}

fn collected(books: &mut Books, ticket: Ticket) -> Grant<&'static str> {
    match books.collect(ticket, holder()) {
        Turn::Handed(grant) => grant,
        other => panic!("nothing was handed over: {other:?}"),
    }
}

fn entries(grants: &[Grant<&'static str>]) -> Vec<&'static str> {
    grants.iter().filter_map(|grant| grant.entry).collect()
}

fn sizes(idle: usize, in_use: usize, waiting: usize) -> Sizes {
    Sizes { idle, in_use, waiting }
}

const NOBODY: Vec<&str> = Vec::new();

#[test]
fn the_newest_idle_entry_is_taken_first() {
    let mut books = of_size(3);
    let numbers = [in_use(&mut books), in_use(&mut books)];
    assert_eq!(books.put_back(numbers[0], "first"), Ok(NOBODY));
    assert_eq!(books.put_back(numbers[1], "second"), Ok(NOBODY));
    assert_eq!(books.take(holder()).unwrap().entry, Some("second"));
    assert_eq!(books.take(holder()).unwrap().entry, Some("first"));
    assert_eq!(books.take(holder()).unwrap().entry, None);
    assert!(books.take(holder()).is_none(), "a fourth of three");
}

#[test]
fn what_comes_back_goes_to_the_first_in_the_queue_and_past_newcomers() {
    let mut books = of_size(1);
    let number = in_use(&mut books);
    let first = books.join("first").unwrap();
    let second = books.join("second").unwrap();
    assert_eq!(books.put_back(number, "entry"), Ok(vec!["first"]));
    assert!(books.take(holder()).is_none(), "a newcomer pushed in");
    assert_eq!(books.collect(second, holder()), Turn::Waiting);
    let grant = collected(&mut books, first);
    assert_eq!(grant.entry, Some("entry"));
    assert_eq!(books.release(grant.number), ["second"]);
    assert_eq!(collected(&mut books, second).entry, None);
    assert_eq!(books.sizes(), sizes(0, 1, 0));
}

#[test]
fn who_leaves_gives_back_what_was_handed_over() {
    let mut books = of_size(1);
    let number = in_use(&mut books);
    let first = books.join("first").unwrap();
    let second = books.join("second").unwrap();
    assert_eq!(books.put_back(number, "entry"), Ok(vec!["first"]));
    let grant = books.leave(first).unwrap();
    assert_eq!(books.put_back(grant.number, grant.entry.unwrap()), Ok(vec!["second"]));
    assert_eq!(collected(&mut books, second).entry, Some("entry"));
    assert_eq!(books.sizes(), sizes(0, 1, 0));
}

#[test]
fn who_leaves_the_middle_of_the_queue_is_not_served() {
    let mut books = of_size(1);
    let number = in_use(&mut books);
    let tickets = ["a", "b", "c"].map(|bell| books.join(bell).unwrap());
    assert_eq!(books.leave(tickets[1]), None);
    assert_eq!(books.sizes(), sizes(0, 1, 2));
    assert_eq!(books.release(number), ["a"]);
    let number = collected(&mut books, tickets[0]).number;
    assert_eq!(books.release(number), ["c"]);
}

#[test]
fn no_more_wait_than_may() {
    let mut books = Books::new(0, 1, 1, false);
    let first = books.join("first");
    assert!(first.is_some());
    assert!(books.join("second").is_none());
    books.leave(first.unwrap());
    assert!(books.join("third").is_some());
}

#[test]
fn whose_turn_it_was_waits_before_all_others_and_past_max_waiting() {
    let mut books = Books::new(0, 2, 1, false);
    let numbers = [in_use(&mut books), in_use(&mut books)];
    let other = books.join("other").unwrap();
    books.limit_connects(0);
    assert_eq!(books.exchange(numbers[0]), None);
    let first = books.join_first(numbers[0], "first");
    assert_eq!(books.sizes(), sizes(0, 1, 2));
    assert_eq!(books.put_back(numbers[1], "entry"), Ok(vec!["first"]));
    assert_eq!(collected(&mut books, first).entry, Some("entry"));
    assert_eq!(books.collect(other, holder()), Turn::Waiting);
}

#[test]
fn closing_gives_out_everything_that_is_not_in_use() {
    let mut books = of_size(4);
    let numbers = [(); 4].map(|()| in_use(&mut books));
    let woken = ["one", "two"].map(|bell| books.join(bell).unwrap());
    assert_eq!(books.put_back(numbers[0], "handed"), Ok(vec!["one"]));
    assert_eq!(books.release(numbers[1]), ["two"]);
    let waiting = books.join("waiting").unwrap();
    let (grants, bells) = books.close();
    assert_eq!((entries(&grants), grants.len(), bells), (vec!["handed"], 2, vec!["waiting"]));
    for ticket in [woken[0], woken[1], waiting] {
        assert_eq!(books.collect(ticket, holder()), Turn::TurnedAway);
    }
    for grant in grants {
        assert_eq!(books.release(grant.number), NOBODY);
    }
    assert_eq!(books.put_back(numbers[2], "late"), Err(("late", Discard::Closed)));
    assert_eq!(books.sizes(), sizes(0, 2, 0), "a refused entry keeps its slot");
    assert_eq!(books.release(numbers[2]), NOBODY);
    assert_eq!(books.exchange(numbers[3]), None);
    assert_eq!(books.release(numbers[3]), NOBODY);
    assert!(books.take(holder()).is_none());
    assert_eq!(books.sizes(), sizes(0, 0, 0));
}

#[test]
fn the_oldest_idle_entry_is_swept_and_keeps_its_slot_meanwhile() {
    let mut books = of_size(2);
    let numbers = [in_use(&mut books), in_use(&mut books)];
    assert!(books.sweep_if(|_| true).is_none(), "nothing is idle");
    books.put_back(numbers[0], "old").unwrap();
    books.put_back(numbers[1], "new").unwrap();
    assert!(books.sweep_if(|entry| *entry == "new").is_none());
    let swept = books.sweep_if(|entry| *entry == "old").unwrap();
    assert_eq!(swept.entry, Some("old"));
    assert_eq!(books.sizes(), sizes(1, 1, 0));
    books.release(swept.number);
    assert_eq!(books.sizes(), sizes(1, 0, 0));
}

#[test]
fn the_sweep_leaves_min_size_and_counts_what_is_in_use() {
    let mut books = between(2, 3);
    let numbers = [(); 3].map(|()| in_use(&mut books));
    books.put_back(numbers[0], "old").unwrap();
    books.put_back(numbers[1], "new").unwrap();
    let swept = books.sweep_if(|_| true).unwrap();
    books.release(swept.number);
    assert!(books.sweep_if(|_| true).is_none(), "one idle and one in use are left");
    assert!(books.take_oldest_if(|_| true).is_some(), "a test may take what a sweep may not");
}

#[test]
fn those_who_held_longest_are_named_first() {
    let mut books = of_size(4);
    let now = Instant::now();
    for (name, age) in [("b", 2), ("a", 3), ("d", 0), ("c", 1)] {
        let caller = Caller { thread: Some(name.into()), ..Caller::default() };
        let _ = books.take(caller.holder(now - Duration::from_secs(age))).unwrap();
    }
    let named = books.longest(3).iter().map(|holder| holder.holding(now)).collect::<Vec<_>>();
    assert_eq!(named.iter().map(|one| &*one.thread).collect::<Vec<_>>(), ["'a'", "'b'", "'c'"]);
    assert_eq!(named[0].held, Duration::from_secs(3));
}
