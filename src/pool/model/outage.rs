//! A server that is down, and one that is back. Here the clock is a part of the model: it stands
//! still, so that no attempt comes due, or goes on so far with each look that one always is.

use super::*;

/// Longer than any delay.
const LONG: Duration = Duration::from_secs(10);

/// Its next attempts fail.
fn refusing(max_size: usize, refusals: usize, step: Duration) -> Pool<Counted> {
    let refusals = AtomicUsize::new(refusals);
    pool_of(Counted { refusals, step, slow: true, ..Counted::new(max_size) })
}

/// One attempt has failed, and so do as many more.
fn down(max_size: usize, refusals: usize, step: Duration) -> Pool<Counted> {
    let pool = refusing(max_size, refusals + 1, step);
    assert!(matches!(used(pool.check_out(None)), Err(Error::Connect(Refused))));
    pool
}

fn at_once(pool: &Pool<Counted>) -> usize {
    pool.manage().most_at_once.load(SeqCst)
}

#[test]
fn while_it_is_down_one_connects_at_a_time_and_nobody_waits() {
    explore(2, || {
        let pool = down(2, 2, LONG);
        let others = [late_or_down(&pool), late_or_down(&pool)];
        let own = used(pool.check_out(None));
        assert!(matches!(own, Err(Error::Connect(_) | Error::Down(_)) | Ok(())), "{own:?}");
        others.into_iter().for_each(|other| end(other).unwrap());
        assert_eq!(pool.stats().waits, 0);
        // Two attempts of theirs may have failed; the rest goes well, one after another.
        assert!(at_once(&pool) == 1, "{} at once", at_once(&pool));
        pool.manage().refusals.store(0, SeqCst);
        used(pool.check_out(None)).unwrap();
        assert_at_rest(&pool);
    });
}

/// A caller that must not wait for others.
fn late_or_down(pool: &Pool<Counted>) -> JoinHandle<Outcome> {
    let pool = pool.clone();
    thread::spawn(move || match used(pool.check_out(None)) {
        Err(Error::Connect(_) | Error::Down(_)) | Ok(()) => Ok(()),
        other => other,
    })
}

#[test]
fn whoever_waits_or_comes_when_it_goes_down_is_turned_away() {
    for max_size in [1, 2] {
        explore(2, move || {
            let pool = refusing(max_size, max_size, Duration::ZERO);
            let others = [late_or_down(&pool), late_or_down(&pool)];
            let own = used(pool.check_out(None));
            assert!(matches!(own, Err(Error::Connect(_) | Error::Down(_)) | Ok(())), "{own:?}");
            others.into_iter().for_each(|other| end(other).unwrap());
            assert_at_rest(&pool);
        });
    }
}

#[test]
fn what_comes_back_while_it_goes_down_is_lent_or_rests() {
    explore(2, || {
        let pool = pool(2);
        let held = pool.check_out(None).unwrap();
        pool.manage().refusals.store(9, SeqCst);
        let others = [late_or_down(&pool), late_or_down(&pool)];
        drop(held);
        others.into_iter().for_each(|other| end(other).unwrap());
        used(pool.check_out(None)).unwrap();
        assert_at_rest(&pool);
    });
}

#[test]
fn in_a_slow_start_everybody_is_served() {
    for max_size in [2, 3] {
        explore(2, move || {
            let pool = down(max_size, 0, LONG);
            let held = pool.check_out(None).unwrap();
            let others = [patient(&pool), patient(&pool)];
            used(pool.check_out(None)).unwrap();
            others.into_iter().for_each(|other| end(other).unwrap());
            drop(held);
            assert_at_rest(&pool);
        });
    }
}

#[test]
fn a_failure_in_a_slow_start_leaves_nobody_waiting() {
    explore(2, || {
        let pool = down(3, 0, Duration::from_secs(1));
        let held = loop {
            if let Ok(held) = pool.check_out(None) {
                break held;
            }
        };
        pool.manage().refusals.store(1, SeqCst);
        let others = [late_or_down(&pool), late_or_down(&pool)];
        drop(held);
        others.into_iter().for_each(|other| end(other).unwrap());
        assert_at_rest(&pool);
    });
}
