#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::pool::caller::Caller;
use crate::pool::queue::Turn;

type Ledger = Books<&'static str, &'static str, &'static str>;

/// Later than any delay.
const LATER: Duration = Duration::from_secs(6);

fn of_size(max_size: usize) -> Ledger {
    Books::new(Slots::new(0, max_size, 0, false))
}

fn holder() -> Holder {
    Caller::default().holder(Instant::now())
}

fn connecting(books: &mut Ledger, now: Instant) -> usize {
    let grant = books.take(holder(), now).unwrap().unwrap();
    assert_eq!(grant.entry, None);
    grant.number
}

fn in_use(books: &mut Ledger, now: Instant) -> usize {
    let number = connecting(books, now);
    assert_eq!(books.connected(number, now).0, nobody());
    number
}

/// An attempt that the server is to blame for, and the end of its slot.
fn fails(books: &mut Ledger, number: usize, now: Instant) -> (Bells<&'static str>, bool) {
    let (bells, goes_down) = books.refused(number, Some("refused"), now, 7);
    assert_eq!(books.release(number, now), nobody());
    (bells, goes_down)
}

/// It takes the server down, and nobody waits.
fn goes_down(books: &mut Ledger, number: usize, now: Instant) {
    assert_eq!(fails(books, number, now), (nobody(), true));
}

/// One attempt has gone well since it was down.
fn in_a_slow_start(max_size: usize) -> (Ledger, Instant) {
    let (mut books, now) = (of_size(max_size), Instant::now());
    let number = connecting(&mut books, now);
    goes_down(&mut books, number, now);
    let then = now + LATER;
    let number = connecting(&mut books, then);
    assert!(books.connected(number, then).1.is_some());
    (books, then)
}

fn nobody() -> Bells<&'static str> {
    Bells { served: vec![], turned_away: vec![] }
}

fn turned_away(bells: &[&'static str]) -> Bells<&'static str> {
    Bells { served: vec![], turned_away: bells.to_vec() }
}

fn served(bells: &[&'static str]) -> Bells<&'static str> {
    Bells { served: bells.to_vec(), turned_away: vec![] }
}

#[test]
fn the_failure_that_takes_it_down_turns_away_all_who_wait() {
    let (mut books, now) = (of_size(2), Instant::now());
    in_use(&mut books, now);
    let number = connecting(&mut books, now);
    let tickets = ["a", "b"].map(|bell| books.slots.join(bell).unwrap());
    assert_eq!(fails(&mut books, number, now), (turned_away(&["a", "b"]), true));
    assert_eq!(books.slots.collect(tickets[0], holder()), Turn::TurnedAway);
    assert_eq!(books.slots.sizes().waiting, 0);
}

#[test]
fn while_it_is_down_one_connects_when_that_is_due_and_the_others_fail_at_once() {
    let (mut books, now) = (of_size(5), Instant::now());
    let number = connecting(&mut books, now);
    goes_down(&mut books, number, now);
    let trouble = books.take(holder(), now).unwrap_err();
    assert_eq!(trouble.cause, "refused");
    assert!(!trouble.retry_in.is_zero());
    let then = now + LATER;
    let number = connecting(&mut books, then);
    let trouble = books.take(holder(), then).unwrap_err();
    assert_eq!((trouble.since, trouble.retry_in), (LATER, Duration::ZERO), "one is under way");
    assert_eq!(fails(&mut books, number, then), (nobody(), false));
    books.take(holder(), then).unwrap_err();
}

#[test]
fn an_idle_entry_is_lent_while_it_is_down() {
    let (mut books, now) = (of_size(3), Instant::now());
    let number = in_use(&mut books, now);
    assert_eq!(books.put_back(number, "entry", now), Ok(nobody()));
    let numbers = [books.take(holder(), now).unwrap().unwrap().number, connecting(&mut books, now)];
    goes_down(&mut books, numbers[1], now);
    assert_eq!(books.put_back(numbers[0], "entry", now), Ok(nobody()));
    assert_eq!(books.take(holder(), now).unwrap().unwrap().entry, Some("entry"));
}

#[test]
fn a_caller_of_a_full_pool_waits_for_what_comes_back_even_while_it_is_down() {
    let (mut books, now) = (of_size(3), Instant::now());
    let numbers = [in_use(&mut books, now), in_use(&mut books, now)];
    let number = connecting(&mut books, now);
    goes_down(&mut books, number, now);
    drop(books.resize(0, 2, now));
    assert_eq!(books.take(holder(), now), Ok(None));
    let tickets = ["a", "b"].map(|bell| books.slots.join(bell).unwrap());
    assert_eq!(books.put_back(numbers[0], "entry", now), Ok(served(&["a"])));
    assert!(matches!(books.slots.collect(tickets[0], holder()), Turn::Handed(_)));
    assert_eq!(books.release(numbers[1], now), turned_away(&["b"]), "it would have to connect");
    assert_eq!(books.slots.collect(tickets[1], holder()), Turn::TurnedAway);
}

#[test]
fn an_error_that_is_no_outage_changes_nothing() {
    let (mut books, now) = (of_size(1), Instant::now());
    let number = connecting(&mut books, now);
    let waiting = books.slots.join("waiting").unwrap();
    assert_eq!(books.refused(number, None, now, 7), (nobody(), false));
    assert_eq!(books.release(number, now), served(&["waiting"]));
    assert!(matches!(books.slots.collect(waiting, holder()), Turn::Handed(_)));
    assert!(books.outage.is_up());
}

#[test]
fn an_error_that_is_no_outage_leaves_a_server_down_and_the_next_attempt_due() {
    let (mut books, now) = (of_size(2), Instant::now());
    let number = connecting(&mut books, now);
    goes_down(&mut books, number, now);
    let then = now + LATER;
    let number = connecting(&mut books, then);
    assert_eq!(books.refused(number, None, then, 7), (nobody(), false));
    assert!(books.outage.is_down());
    assert_eq!(books.release(number, then), nobody());
    connecting(&mut books, then);
}

#[test]
fn attempts_under_way_when_it_goes_down_neither_lengthen_the_delay_nor_keep_others_from_it() {
    let (mut books, now) = (of_size(5), Instant::now());
    let numbers = [(); 4].map(|()| connecting(&mut books, now));
    assert_eq!(fails(&mut books, numbers[0], now), (nobody(), true));
    let trouble = books.take(holder(), now).unwrap_err();
    assert_eq!(fails(&mut books, numbers[1], now), (nobody(), false));
    assert_eq!(books.take(holder(), now).unwrap_err(), trouble);
    let then = now + LATER;
    connecting(&mut books, then);
    assert_eq!(fails(&mut books, numbers[2], then), (nobody(), false));
    books.take(holder(), then).unwrap_err();
    let (bells, back) = books.connected(numbers[3], then);
    assert_eq!(bells, nobody());
    assert_eq!(back.unwrap().failures, 3, "a success is one, whenever it was begun");
}

#[test]
fn in_a_slow_start_callers_wait_and_are_served_twice_as_many_with_each_success() {
    let (mut books, then) = in_a_slow_start(10);
    let number = connecting(&mut books, then);
    assert_eq!(books.take(holder(), then), Ok(None), "it waits, and does not fail");
    let tickets = ["a", "b", "c", "d"].map(|bell| books.slots.join(bell).unwrap());
    assert_eq!(books.connected(number, then), (served(&["a", "b"]), None));
    let number = match books.slots.collect(tickets[0], holder()) {
        Turn::Handed(grant) => grant.number,
        other => panic!("{other:?}"),
    };
    assert_eq!(books.connected(number, then), (served(&["c", "d"]), None));
}

#[test]
fn a_failure_in_a_slow_start_turns_away_all_who_wait() {
    let (mut books, then) = in_a_slow_start(10);
    let number = connecting(&mut books, then);
    books.slots.join("waiting").unwrap();
    assert_eq!(fails(&mut books, number, then), (turned_away(&["waiting"]), true));
}

#[test]
fn an_error_that_is_no_outage_hands_on_the_one_right_of_a_slow_start() {
    let (mut books, then) = in_a_slow_start(10);
    let number = connecting(&mut books, then);
    books.slots.join("waiting").unwrap();
    assert_eq!(books.refused(number, None, then, 7), (served(&["waiting"]), false));
}

#[test]
fn who_needs_another_connection_fails_while_it_is_down_and_waits_in_a_slow_start() {
    let (mut books, now) = (of_size(4), Instant::now());
    let unfit = in_use(&mut books, now);
    let number = connecting(&mut books, now);
    goes_down(&mut books, number, now);
    assert_eq!(books.exchange(unfit, now).unwrap_err().cause, "refused");
    let then = now + LATER;
    assert_eq!(books.exchange(unfit, then).unwrap().unwrap().entry, None, "an attempt is due");
    drop(books.connected(unfit, then));
    connecting(&mut books, then);
    assert_eq!(books.exchange(unfit, then), Ok(None));
}

#[test]
fn suspended_books_keep_their_queue_when_the_server_goes_down() {
    let (mut books, now) = (of_size(2), Instant::now());
    let number = connecting(&mut books, now);
    books.slots.suspend();
    assert_eq!(books.take(holder(), now), Ok(None));
    let _ = ["a", "b", "c"].map(|bell| books.slots.join(bell).unwrap());
    assert_eq!(fails(&mut books, number, now), (nobody(), true));
    assert_eq!(books.take(holder(), now), Ok(None));
    let then = now + LATER;
    let bells = Bells { served: vec!["a"], turned_away: vec!["b", "c"] };
    assert_eq!(books.resume(then), bells, "one tries, and the others need not wait for it");
}

#[test]
fn slots_to_open_are_granted_under_the_same_limit() {
    let mut books = Ledger::new(Slots::new(3, 5, 0, false));
    let now = Instant::now();
    let number = books.take_to_open(holder(), now).unwrap().unwrap().number;
    goes_down(&mut books, number, now);
    assert_eq!(books.take_to_open(holder(), now).unwrap_err().cause, "refused");
    let then = now + LATER;
    let number = books.take_to_open(holder(), then).unwrap().unwrap().number;
    drop(books.connected(number, then));
    let _ = books.take_to_open(holder(), then).unwrap().unwrap();
    assert_eq!(books.take_to_open(holder(), then), Ok(None), "one at once");
}
