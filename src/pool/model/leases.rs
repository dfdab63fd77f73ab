//! Callers that ask the keeper of a lease for it.

use std::sync::{Arc, Weak};

use loom::sync::Mutex;

use super::{assert_at_rest, end, patient, pool, used, Counted};
use crate::model::explore;
use crate::pool::{Keeper, Lease, Reclaim};

/// Keeps a lease that nobody can use any more.
struct Orphan(Mutex<Option<Lease<Counted>>>);

impl Keeper for Orphan {
    fn reclaim_orphan(&self) {
        let lease = self.0.lock().unwrap().take();
        if let Some(lease) = lease {
            lease.reclaim(Reclaim::ThreadEnded);
        }
    }
}

#[test]
fn a_lease_that_three_callers_ask_back_reaches_each_of_them() {
    explore(2, || {
        let pool = pool(1);
        let lease = pool.check_out(None).unwrap();
        let orphan = Arc::new(Orphan(Mutex::new(None)));
        let keeper: Weak<Orphan> = Arc::downgrade(&orphan);
        lease.watch(keeper);
        *orphan.0.lock().unwrap() = Some(lease);
        let others = [patient(&pool), patient(&pool)];
        used(pool.check_out(None)).unwrap();
        others.into_iter().for_each(|other| end(other).unwrap());
        assert_at_rest(&pool);
        assert_eq!(pool.stats().orphaned, 1);
    });
}
