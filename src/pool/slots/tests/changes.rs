//! Other sizes, a drain, a suspension.

use super::*;

#[test]
fn a_smaller_pool_gives_out_what_is_idle_and_refuses_what_comes_back() {
    let mut books = of_size(4);
    let numbers = [(); 4].map(|()| in_use(&mut books));
    books.put_back(numbers[0], "old").unwrap();
    let (surplus, bells) = books.resize(0, 2);
    assert_eq!((entries(&surplus), bells), (vec!["old"], NOBODY));
    books.release(surplus[0].number);
    assert_eq!(books.limits(), (0, 2));
    assert_eq!(books.exchange(numbers[1]), None, "too many to open one more");
    assert_eq!(books.put_back(numbers[1], "third"), Err(("third", Discard::Surplus)));
    books.release(numbers[1]);
    assert_eq!(books.put_back(numbers[2], "second"), Ok(NOBODY));
    assert_eq!(books.sizes(), sizes(1, 1, 0));
    assert!(books.take(holder()).is_some_and(|grant| grant.entry.is_some()));
    assert!(books.take(holder()).is_none());
}

#[test]
fn of_the_idle_the_oldest_are_surplus() {
    let mut books = of_size(3);
    let numbers = [(); 3].map(|()| in_use(&mut books));
    for (number, entry) in numbers.into_iter().zip(["old", "older than new", "new"]) {
        books.put_back(number, entry).unwrap();
    }
    let (surplus, _) = books.resize(0, 1);
    assert_eq!(entries(&surplus), ["old", "older than new"]);
    assert_eq!(books.sizes(), sizes(1, 2, 0), "they keep their slots until they are gone");
}

#[test]
fn a_larger_pool_serves_those_who_wait() {
    let mut books = of_size(1);
    in_use(&mut books);
    let tickets = ["a", "b", "c"].map(|bell| books.join(bell).unwrap());
    let (surplus, bells) = books.resize(0, 3);
    assert_eq!((entries(&surplus), bells), (vec![], vec!["a", "b"]));
    assert_eq!(books.collect(tickets[2], holder()), Turn::Waiting);
}

#[test]
fn a_drain_gives_out_the_idle_and_refuses_what_was_opened_before() {
    let mut books = of_size(4);
    let numbers = [(); 2].map(|()| in_use(&mut books));
    let begun = connecting(&mut books);
    books.put_back(numbers[0], "idle").unwrap();
    let drained = books.drain();
    assert_eq!(entries(&drained), ["idle"]);
    let after = in_use(&mut books);
    assert_eq!(books.put_back(numbers[1], "before"), Err(("before", Discard::Drained)));
    assert_eq!(books.put_back(begun, "begun before"), Err(("begun before", Discard::Drained)));
    assert_eq!(books.put_back(after, "after"), Ok(NOBODY));
    books.release(numbers[1]);
    let number = books.take(holder()).unwrap().number;
    assert_eq!(books.put_back(number, "after"), Ok(NOBODY), "one drain does not follow it");
}

#[test]
fn a_slot_that_gets_another_connection_after_a_drain_may_keep_that() {
    let mut books = of_size(1);
    let number = in_use(&mut books);
    assert!(books.drain().is_empty());
    assert_eq!(books.exchange(number).unwrap().entry, None);
    assert_eq!(books.put_back(number, "new"), Ok(NOBODY));
}

#[test]
fn of_those_opened_before_a_drain_none_drains_again() {
    let mut books = of_size(3);
    let numbers = [(); 2].map(|()| in_use(&mut books));
    assert!(books.drain_era_of(numbers[0]).is_empty());
    let new = in_use(&mut books);
    books.put_back(new, "new").unwrap();
    assert!(books.drain_era_of(numbers[1]).is_empty(), "it knows nothing of the new one");
    assert_eq!(books.sizes(), sizes(1, 2, 0));
}

#[test]
fn suspended_books_lend_nothing_and_go_on_where_they_stopped() {
    let mut books = of_size(3);
    let numbers = [(); 2].map(|()| in_use(&mut books));
    books.put_back(numbers[0], "idle").unwrap();
    books.suspend();
    assert!(books.is_suspended() && books.take(holder()).is_none());
    let tickets = ["a", "b", "c", "d"].map(|bell| books.join(bell).unwrap());
    assert_eq!(books.put_back(numbers[1], "returned"), Ok(NOBODY));
    assert_eq!(books.sizes(), sizes(2, 0, 4));
    assert_eq!(books.resume(), ["a", "b", "c"]);
    let got = [0, 1, 2].map(|place| collected(&mut books, tickets[place]).entry);
    assert_eq!(got, [Some("returned"), Some("idle"), None]);
    assert_eq!(books.collect(tickets[3], holder()), Turn::Waiting);
    assert_eq!(books.resume(), NOBODY);
}
