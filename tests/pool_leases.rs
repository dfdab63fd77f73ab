//! Leases that nobody can use any more: asked for when others need them, and counted.
#![allow(clippy::unwrap_used)]

mod common;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;
use std::time::Duration;

use common::{in_fork, of_size, until_waiting, Failure, Fake, FakeLease, FakePool, NEVER};
use forksafe::pool::{Caller, Error, Event, Keeper, Pool, Reclaim};

const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

/// Keeps a lease, and counts how often it is asked for it.
#[derive(Default)]
struct Keeping {
    lease: Mutex<Option<FakeLease>>,
    /// Whether it gives the lease back when it is asked.
    orphan: Mutex<Option<Reclaim>>,
    asked: AtomicUsize,
    when_asked: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Keeper for Keeping {
    fn reclaim_orphan(&self) {
        self.asked.fetch_add(1, SeqCst);
        if let Some(look) = self.when_asked.get() {
            look();
        }
        let Some(cause) = *self.orphan.lock().unwrap() else { return };
        let lease = self.lease.lock().unwrap().take();
        if let Some(lease) = lease {
            lease.reclaim(cause);
        }
    }
}

impl Keeping {
    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    fn is_orphaned(&self) {
        *self.orphan.lock().unwrap() = Some(Reclaim::ThreadEnded);
    }
}

/// What keeps a lease of this pool, as the pool knows.
fn keeping(pool: &FakePool) -> Arc<Keeping> {
    let lease = pool.check_out(None).unwrap();
    let keeping = Arc::new(Keeping::default());
    let watched: Weak<Keeping> = Arc::downgrade(&keeping);
    lease.watch(watched);
    *keeping.lease.lock().unwrap() = Some(lease);
    keeping
}

fn pool_of(max_size: usize) -> FakePool {
    Fake::default().pool(of_size(max_size)).0
}

#[test]
fn a_lease_whose_thread_has_ended_goes_to_who_would_have_to_queue() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let keeping = keeping(&pool);
    keeping.is_orphaned();
    assert_eq!(pool.check_out(AT_ONCE).unwrap().number, 1);
    let stats = pool.stats();
    assert_eq!((stats.orphaned, stats.collected, stats.waits), (1, 0, 0));
    assert_eq!((stats.use_time.count, counts.resets.load(SeqCst)), (2, 2), "it was checked in");
}

#[test]
fn nobody_is_asked_while_a_connection_can_be_had() {
    let pool = pool_of(2);
    let keeping = keeping(&pool);
    keeping.is_orphaned();
    drop(pool.check_out(AT_ONCE));
    drop(pool.check_out(None).unwrap());
    assert_eq!((keeping.asked(), pool.stats().orphaned), (0, 0));
}

#[test]
fn all_keepers_are_asked_before_a_caller_queues_and_again_when_it_wakes() {
    let pool = pool_of(2);
    let keepers = [keeping(&pool), keeping(&pool)];
    assert!(matches!(pool.check_out(AT_ONCE), Err(Error::TimedOut(_))));
    assert_eq!(keepers.each_ref().map(|keeping| keeping.asked()), [1, 1]);
    let woken = AtomicUsize::new(0);
    // Woken three times, and then the thread of one has ended.
    let keep_waiting = || {
        if woken.fetch_add(1, SeqCst) == 2 {
            keepers[1].is_orphaned();
        }
        true
    };
    let caller =
        Caller { timeout: Some(NEVER), keep_waiting: Some(&keep_waiting), ..Caller::default() };
    assert_eq!(pool.check_out_for(&caller).unwrap().number, 2);
    assert_eq!(keepers.each_ref().map(|keeping| keeping.asked()), [5, 5]);
    let stats = pool.stats();
    assert_eq!((stats.orphaned, stats.hand_offs, stats.timeouts), (1, 1, 1));
}

#[test]
fn what_comes_back_goes_to_the_first_in_the_queue_whoever_asked_for_it() {
    let pool = pool_of(1);
    let keeping = keeping(&pool);
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            let lease = pool.check_out(None).unwrap();
            until_waiting(&pool, 1);
            lease.id()
        });
        until_waiting(&pool, 1);
        keeping.is_orphaned();
        // It gets the lease back, and waits until the first has been served.
        let second = pool.check_out(None).unwrap();
        assert_eq!((second.id(), first.join().unwrap()), (1, 1));
    });
    assert_eq!((pool.stats().orphaned, pool.stats().hand_offs), (1, 2));
}

#[test]
fn closing_does_not_wait_for_a_lease_that_nobody_can_use() {
    let pool = pool_of(3);
    let [at_once, later, used] = [(); 3].map(|()| keeping(&pool));
    at_once.is_orphaned();
    assert_eq!(pool.close_within(Duration::ZERO, None), 2);
    let end_later = || {
        later.is_orphaned();
        used.lease.lock().unwrap().take();
        true
    };
    assert_eq!(pool.close_within(NEVER, Some(&end_later)), 0);
    assert_eq!((pool.stats().orphaned, pool.stats().discards.closed), (2, 3));
}

#[test]
fn a_keeper_is_asked_without_the_pools_lock() {
    let pool = pool_of(1);
    let keeping = keeping(&pool);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (handle, seeing) = (pool.clone(), Arc::clone(&seen));
    let look = move || seeing.lock().unwrap().push(handle.stats().in_use);
    assert!(keeping.when_asked.set(Box::new(look)).is_ok());
    pool.check_out(Some(Duration::from_millis(1))).unwrap_err();
    assert_eq!(*seen.lock().unwrap(), [1, 1], "before it queued and when it woke");
}

#[test]
fn a_keeper_that_is_gone_is_not_missed_and_one_that_ends_while_asked_checks_in() {
    let pool = pool_of(1);
    let gone = keeping(&pool);
    let lease = gone.lease.lock().unwrap().take().unwrap();
    drop(gone);
    pool.check_out(AT_ONCE).unwrap_err();
    drop(lease);

    let owner = Arc::new(Mutex::new(Some(keeping(&pool))));
    let owned = Arc::clone(&owner);
    // The pool is the last to know it, so it ends in the pool's hands.
    let let_go = move || drop(owned.lock().unwrap().take());
    assert!(owner.lock().unwrap().as_ref().unwrap().when_asked.set(Box::new(let_go)).is_ok());
    assert_eq!(pool.check_out(AT_ONCE).unwrap().number, 1);
    assert_eq!((pool.stats().orphaned, pool.stats().collected), (0, 0), "it checked in by itself");
}

#[test]
fn a_keeper_answers_for_its_own_lease_and_not_for_the_next() {
    let pool = pool_of(1);
    let keeping = keeping(&pool);
    let lease = keeping.lease.lock().unwrap().take().unwrap();
    drop(lease);
    let _next = pool.check_out(None).unwrap();
    pool.check_out(AT_ONCE).unwrap_err();
    assert_eq!(keeping.asked(), 0);
}

#[test]
fn a_keeper_that_panics_loses_no_slot() {
    let pool = pool_of(1);
    let keeping = keeping(&pool);
    assert!(keeping.when_asked.set(Box::new(|| panic!("in a keeper"))).is_ok());
    catch_unwind(AssertUnwindSafe(|| pool.check_out(None))).unwrap_err();
    assert_eq!((pool.stats().waiting, pool.stats().in_use), (0, 1));
    drop(keeping);
    drop(pool.check_out(AT_ONCE).unwrap());
}

#[test]
fn each_cause_is_counted_and_told_with_who_had_it_before_it_comes_back() {
    let pool = Arc::new(OnceLock::<FakePool>::new());
    let told = Arc::new(Mutex::new(Vec::new()));
    let (handle, telling) = (Arc::clone(&pool), Arc::clone(&told));
    let on_event = Box::new(move |_: &str, event: Event<'_, Failure>| {
        if let Event::Reclaimed { holding, cause } = event {
            let stats = handle.get().unwrap().stats();
            telling.lock().unwrap().push((holding.thread.clone(), cause, stats.in_use));
        }
    });
    let fake = Fake { on_event, ..Fake::default() };
    let pool = pool.get_or_init(|| Pool::new(fake, of_size(1)).unwrap());
    for (thread, cause) in [("one", Reclaim::Collected), ("two", Reclaim::ThreadEnded)] {
        let caller = Caller { thread: Some(thread.into()), ..Caller::default() };
        pool.check_out_for(&caller).unwrap().reclaim(cause);
    }
    let stats = pool.stats();
    assert_eq!((stats.collected, stats.orphaned, stats.idle, stats.in_use), (1, 1, 1, 0));
    let expected = [("'one'", Reclaim::Collected, 1), ("'two'", Reclaim::ThreadEnded, 1)];
    let expected = expected.map(|(thread, cause, in_use)| (thread.to_owned(), cause, in_use));
    assert_eq!(*told.lock().unwrap(), expected);
}

#[test]
fn a_child_asks_no_keeper_of_its_parents_and_reclaims_nothing_of_its() {
    let (pool, counts) = Fake::default().pool(of_size(1));
    let keeping = keeping(&pool);
    keeping.is_orphaned();
    in_fork(|| {
        let own = pool.check_out(None).unwrap();
        pool.check_out(AT_ONCE).unwrap_err();
        assert_eq!((keeping.asked(), pool.stats().leases.len()), (0, 1));
        let inherited = keeping.lease.lock().unwrap().take().unwrap();
        let keeper: Weak<Keeping> = Arc::downgrade(&keeping);
        inherited.watch(keeper);
        pool.check_out(AT_ONCE).unwrap_err();
        assert_eq!(keeping.asked(), 0, "the number of its slot means another here");
        inherited.reclaim(Reclaim::Collected);
        let stats = pool.stats();
        assert_eq!((stats.collected, stats.orphaned, stats.in_use), (0, 0, 1));
        assert_eq!((stats.use_time.count, counts.dropped()), (0, 0));
        drop(own);
    });
    assert_eq!(pool.check_out(AT_ONCE).unwrap().number, 1);
    assert_eq!((keeping.asked(), pool.stats().orphaned), (1, 1));
}
