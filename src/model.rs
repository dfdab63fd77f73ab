//! Every order of threads, tried by loom: how a model is explored.

use std::env;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// One model at a time: some of them change who this process is.
static ALONE: Mutex<()> = Mutex::new(());

/// Run `model` in every order that has at most `switches` preemptions, which is where a thread that
/// could go on has to wait for another. Loom fails where threads wait for ever.
/// `LOOM_MAX_PREEMPTIONS` takes the place of `switches`.
pub(crate) fn explore(switches: usize, model: impl Fn() + Send + Sync + 'static) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (began, orders) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let mut builder = loom::model::Builder::new();
    if env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
        builder.preemption_bound = Some(switches);
    }
    let bound = builder.preemption_bound;
    builder.max_branches = 10_000;
    let counted = Arc::clone(&orders);
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        model();
    });
    println!("{} orders, preemptions {bound:?}, {:?}", orders.load(Relaxed), began.elapsed());
}
