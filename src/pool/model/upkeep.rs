//! What is done to a pool as a whole, while others come and wait.

use super::*;

#[test]
fn resuming_serves_all_who_wait() {
    explore(2, || {
        let pool = pool(1);
        pool.suspend();
        let others = [patient(&pool), patient(&pool)];
        pool.resume();
        others.into_iter().for_each(|other| end(other).unwrap());
        assert_at_rest(&pool);
    });
}

#[test]
fn a_drain_loses_no_slot_and_keeps_nobody_waiting() {
    explore(2, || {
        let pool = pool(1);
        used(pool.check_out(None)).unwrap();
        let others = [patient(&pool), patient(&pool)];
        pool.drain();
        others.into_iter().for_each(|other| end(other).unwrap());
        assert_at_rest(&pool);
        used(pool.check_out(None)).unwrap();
        assert_eq!(pool.stats().idle, 1);
    });
}

#[test]
fn other_sizes_lose_no_slot_and_keep_nobody_waiting() {
    explore(2, || {
        let pool = pool(2);
        pool.resize(0, 1).unwrap();
        let held = pool.check_out(None).unwrap();
        let other = patient(&pool);
        let smaller = {
            let pool = pool.clone();
            thread::spawn(move || {
                pool.resize(0, 2).unwrap();
                pool.resize(0, 1).unwrap();
                Ok(())
            })
        };
        drop(held);
        [other, smaller].into_iter().for_each(|other| end(other).unwrap());
        assert_at_rest(&pool);
        assert!(pool.size() <= 1, "more than may be");
    });
}

#[test]
fn closing_waits_until_the_last_has_come_back() {
    explore(2, || {
        let pool = pool(2);
        let held = pool.check_out(None).unwrap();
        let others = [patient_or_closed(&pool), thread::spawn(move || used(Ok(held)))];
        let day = Duration::from_secs(24 * 3600);
        assert_eq!(pool.close_within(day, None), 0);
        assert_eq!(pool.manage().open.load(SeqCst), 0);
        others.into_iter().for_each(|other| end(other).unwrap());
        assert_at_rest(&pool);
    });
}

fn patient_or_closed(pool: &Pool<Counted>) -> JoinHandle<Outcome> {
    let pool = pool.clone();
    thread::spawn(move || match used(pool.check_out(None)) {
        Err(Error::Closed { .. }) => Ok(()),
        other => other,
    })
}
