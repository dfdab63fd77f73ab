//! Who may connect.

use super::*;

#[test]
fn no_more_connect_at_once_than_may() {
    let mut books = of_size(4);
    books.limit_connects(2);
    let one = connecting(&mut books);
    let _two = connecting(&mut books);
    assert!(books.take(holder()).is_none());
    let waiting = books.join("waiting").unwrap();
    assert_eq!(books.attempt_ended(one), ["waiting"], "the right goes on, the slot does not");
    assert_eq!(books.sizes(), sizes(0, 3, 0));
    let number = collected(&mut books, waiting).number;
    assert!(books.take(holder()).is_none());
    assert_eq!(books.release(number), NOBODY);
    assert_eq!(connecting(&mut books), number, "a slot comes back with its right");
}

#[test]
fn a_raised_limit_serves_as_many_as_it_allows() {
    let mut books = of_size(5);
    books.limit_connects(1);
    let number = connecting(&mut books);
    let _ = ["a", "b", "c", "d"].map(|bell| books.join(bell).unwrap());
    books.limit_connects(2);
    assert_eq!(books.attempt_ended(number), ["a", "b"]);
}

#[test]
fn a_connection_that_comes_back_serves_whatever_the_limit() {
    let mut books = of_size(2);
    let number = in_use(&mut books);
    books.limit_connects(0);
    let waiting = books.join("waiting").unwrap();
    assert_eq!(books.put_back(number, "entry"), Ok(vec!["waiting"]));
    assert_eq!(collected(&mut books, waiting).entry, Some("entry"));
}

#[test]
fn an_attempt_that_was_disowned_counts_no_more_and_frees_nothing_when_it_ends() {
    let mut books = of_size(5);
    let old = [(); 3].map(|()| connecting(&mut books));
    books.disown_attempts();
    books.limit_connects(1);
    let new = connecting(&mut books);
    assert!(books.is_disowned(old[0]) && !books.is_disowned(new));
    assert!(books.take(holder()).is_none());
    assert_eq!(books.attempt_ended(old[0]), NOBODY);
    assert_eq!(books.release(old[1]), NOBODY);
    assert!(books.take(holder()).is_none(), "one is still under way");
    assert_eq!(books.attempt_ended(new), NOBODY);
    assert_eq!(connecting(&mut books), old[1]);
}

#[test]
fn an_exchange_gives_the_newest_idle_entry_or_the_right_to_connect() {
    let mut books = of_size(2);
    books.limit_connects(1);
    let numbers = [in_use(&mut books), in_use(&mut books)];
    books.put_back(numbers[0], "idle").unwrap();
    assert_eq!(books.exchange(numbers[1]).unwrap().entry, Some("idle"));
    assert_eq!(books.exchange(numbers[1]).unwrap().entry, None);
    assert!(books.take(holder()).is_none(), "the right is given");
    assert_eq!(books.release(numbers[1]), NOBODY);
    connecting(&mut books);
}

#[test]
fn whether_connects_are_all_there_is_to_wait_for() {
    let mut books = of_size(1);
    assert!(books.depends_on_connects(), "there is room");
    let number = connecting(&mut books);
    assert!(books.depends_on_connects(), "one is under way");
    books.attempt_ended(number);
    assert!(!books.depends_on_connects(), "all are in use: one will come back");
    books.release(number);
    books.suspend();
    assert!(!books.depends_on_connects(), "all wait to be resumed");
}

#[test]
fn slots_to_open_are_granted_up_to_min_size() {
    let mut books = between(2, 3);
    let held = in_use(&mut books);
    assert!(books.lacks());
    let grant = books.take_to_open(holder()).unwrap();
    assert_eq!(grant.entry, None);
    assert!(!books.lacks());
    assert!(books.take_to_open(holder()).is_none());
    books.put_back(held, "idle").unwrap();
    books.release(grant.number);
    let grant = books.take_to_open(holder()).unwrap();
    assert_eq!(grant.entry, None, "what is idle already is left alone");
    drop(books.close());
    assert!(!books.lacks());
}
