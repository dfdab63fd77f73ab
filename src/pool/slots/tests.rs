#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use super::*;
use crate::pool::caller::Caller;

type Books = Slots<&'static str, &'static str>;

fn of_size(max_size: usize) -> Books {
    Books::new(0, max_size, 0, false)
}

fn holder() -> Holder {
    Caller::default().holder(Instant::now())
}

fn in_use(books: &mut Books) -> usize {
    let grant = books.take(holder()).unwrap();
    assert_eq!(grant.entry, None);
    grant.number
}

fn sizes(idle: usize, in_use: usize, waiting: usize) -> Sizes {
    Sizes { idle, in_use, waiting }
}

#[test]
fn the_newest_idle_entry_is_taken_first() {
    let mut books = of_size(3);
    let numbers = [in_use(&mut books), in_use(&mut books)];
    assert_eq!(books.put_back(numbers[0], "first"), Ok(None));
    assert_eq!(books.put_back(numbers[1], "second"), Ok(None));
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
    assert_eq!(books.put_back(number, "entry"), Ok(Some("first")));
    assert!(books.take(holder()).is_none(), "a newcomer pushed in");
    assert!(books.collect(second, holder()).is_none());
    let grant = books.collect(first, holder()).unwrap();
    assert_eq!(grant.entry, Some("entry"));
    assert_eq!(books.release(grant.number), Some("second"));
    assert_eq!(books.collect(second, holder()).unwrap().entry, None);
    assert_eq!(books.sizes(), sizes(0, 1, 0));
}

#[test]
fn who_leaves_passes_on_what_was_handed_over() {
    let mut books = of_size(1);
    let number = in_use(&mut books);
    let first = books.join("first").unwrap();
    let second = books.join("second").unwrap();
    assert_eq!(books.put_back(number, "entry"), Ok(Some("first")));
    assert_eq!(books.leave(first), Some("second"));
    assert_eq!(books.collect(second, holder()).unwrap().entry, Some("entry"));
}

#[test]
fn who_leaves_last_leaves_it_idle() {
    let mut books = of_size(1);
    let number = in_use(&mut books);
    let only = books.join("only").unwrap();
    assert_eq!(books.put_back(number, "entry"), Ok(Some("only")));
    assert_eq!(books.leave(only), None);
    assert_eq!(books.sizes(), sizes(1, 0, 0));
}

#[test]
fn who_leaves_the_middle_of_the_queue_is_not_served() {
    let mut books = of_size(1);
    let number = in_use(&mut books);
    let tickets = ["a", "b", "c"].map(|bell| books.join(bell).unwrap());
    assert_eq!(books.leave(tickets[1]), None);
    assert_eq!(books.sizes(), sizes(0, 1, 2));
    assert_eq!(books.release(number), Some("a"));
    let number = books.collect(tickets[0], holder()).unwrap().number;
    assert_eq!(books.release(number), Some("c"));
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
fn closing_gives_out_everything_that_is_not_in_use() {
    let mut books = of_size(3);
    let numbers = [in_use(&mut books), in_use(&mut books), in_use(&mut books)];
    let woken = books.join("woken").unwrap();
    books.join("waiting").unwrap();
    assert_eq!(books.put_back(numbers[0], "handed"), Ok(Some("woken")));
    assert_eq!(books.close(), (vec!["handed"], vec!["waiting"]));
    assert!(books.collect(woken, holder()).is_none());
    assert_eq!(books.put_back(numbers[1], "late"), Err("late"));
    assert_eq!(books.sizes(), sizes(0, 2, 0), "a refused entry keeps its slot");
    assert_eq!(books.release(numbers[1]), None);
    assert_eq!(books.release(numbers[2]), None);
    assert!(books.take(holder()).is_none());
    assert_eq!(books.sizes(), sizes(0, 0, 0));
}

#[test]
fn the_oldest_idle_entry_is_swept_and_keeps_its_slot_meanwhile() {
    let mut books = of_size(2);
    let numbers = [in_use(&mut books), in_use(&mut books)];
    assert!(books.take_oldest_if(|_| true).is_none(), "nothing is idle");
    books.put_back(numbers[0], "old").unwrap();
    books.put_back(numbers[1], "new").unwrap();
    assert!(books.take_oldest_if(|entry| *entry == "new").is_none());
    let swept = books.take_oldest_if(|entry| *entry == "old").unwrap();
    assert_eq!(swept.entry, Some("old"));
    assert_eq!(books.sizes(), sizes(1, 1, 0));
    books.release(swept.number);
    assert_eq!(books.sizes(), sizes(1, 0, 0));
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

/// Ten thousand arbitrary steps. After each: no slot lost or made, nobody waits for nothing.
#[test]
fn the_books_balance_whatever_happens() {
    let mut books = Slots::<u32, ()>::new(0, 4, 5, false);
    let (mut held, mut queue) = (Vec::new(), Vec::new());
    let mut dice = 1_u64;
    for step in 0..10_000 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pick = |len: usize| (dice >> 40) as usize % len.max(1);
        match dice >> 61 {
            0 | 1 => match books.take(holder()) {
                Some(grant) => held.push(grant.number),
                None => queue.extend(books.join(())),
            },
            2 | 3 if !held.is_empty() => {
                books.put_back(held.swap_remove(pick(held.len())), step).unwrap();
            }
            4 if !held.is_empty() => drop(books.release(held.swap_remove(pick(held.len())))),
            5 if !held.is_empty() => drop(books.exchange()),
            6 if !queue.is_empty() => drop(books.leave(queue.swap_remove(pick(queue.len())))),
            _ => queue.retain(|ticket| match books.collect(*ticket, holder()) {
                Some(grant) => {
                    held.push(grant.number);
                    false
                }
                None => true,
            }),
        }
        let Sizes { idle, in_use, waiting } = books.sizes();
        assert_eq!(in_use, held.len() + books.handed.len());
        assert_eq!(queue.len(), waiting + books.handed.len());
        assert!(idle + in_use <= 4 && waiting <= 5);
        assert!(
            waiting == 0 || (idle == 0 && in_use == 4),
            "someone waits while something is free"
        );
        let mut numbers = held.clone();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), held.len(), "a slot was given out twice");
    }
}
