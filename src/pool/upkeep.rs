use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attempt::connect;
use super::caller::{Caller, Deadline};
use super::check_out::test;
use super::counters::add;
use super::decision::Decision;
use super::error::Error;
use super::manage::Manage;
use super::shared::Shared;
use super::slot::{all_granted, discard_all, Got, Slot};
use super::stats::Discard;
use super::waiter::ASK_EVERY;

pub(super) fn open<M: Manage>(
    shared: &Arc<Shared<M>>,
    caller: &Caller<'_>,
) -> Result<(), Error<M::Error>> {
    let deadline = shared.deadline(caller.timeout);
    loop {
        let now = shared.manage.now();
        let Some(decision) = Decision::to_open(shared, caller, now) else {
            return Ok(());
        };
        match decision.settle(shared, caller, deadline)? {
            Some(Got::Slot(slot)) => connect(slot, deadline)?.put_back(),
            Some(Got::Held(held)) => held.put_back(),
            None => {}
        }
    }
}

pub(super) fn check<M: Manage>(shared: &Arc<Shared<M>>, caller: &Caller<'_>) -> usize {
    let deadline = shared.deadline(caller.timeout);
    let (mut checked, mut discarded) = (Vec::new(), 0);
    let idle = shared.state().lock().slots.sizes().idle;
    // From the bottom of the idle ones to their top, one after another: in the end they are as they
    // were, and the others can be lent meanwhile.
    while checked.len() < idle && Instant::now() < deadline.at() {
        let new = |id: u64| !checked.contains(&id);
        let taken = shared.state().lock().slots.take_oldest_if(|entry| new(entry.id()));
        let Some(grant) = taken else { break };
        let Got::Held(held) = Slot::granted(shared, grant) else { break };
        checked.push(held.entry.id());
        let now = shared.manage.now();
        let in_time = held.entry.unfit(now).is_none();
        match test(held, deadline, Some(Duration::ZERO), now) {
            Ok(Got::Held(held)) => held.put_back(),
            Ok(Got::Slot(_)) => {
                discarded += 1;
                if in_time {
                    add(&shared.state().counters.lost);
                }
            }
            Err(_) => break,
        }
    }
    discarded
}

pub(super) fn drain<M: Manage>(shared: &Arc<Shared<M>>) {
    let idle = shared.state().lock().slots.drain();
    discard_all(all_granted(shared, idle), Discard::Drained);
}

pub(super) fn resize<M: Manage>(
    shared: &Arc<Shared<M>>,
    min_size: usize,
    max_size: usize,
) -> Result<(), String> {
    let mut options = shared.options.clone();
    (options.min_size, options.max_size) = (min_size, max_size);
    options.validate()?;
    let (state, now) = (shared.state(), shared.manage.now());
    let (surplus, bells) = {
        let mut books = state.lock();
        state.set_limits(min_size, max_size);
        books.resize(min_size, max_size, now)
    };
    state.ring(&bells);
    discard_all(all_granted(shared, surplus), Discard::Surplus);
    Ok(())
}

pub(super) fn resume<M: Manage>(shared: &Arc<Shared<M>>) {
    let (state, now) = (shared.state(), shared.manage.now());
    let bells = state.lock().resume(now);
    state.ring(&bells);
}

pub(super) fn close<M: Manage>(shared: &Arc<Shared<M>>) {
    let state = shared.state();
    // Decide: from here on nothing is lent, so nothing can come to rest behind our back.
    let (grants, bells) = {
        let mut books = state.lock();
        state.set_closed();
        books.slots.close()
    };
    bells.iter().for_each(|bell| bell.notify_one());
    discard_all(all_granted(shared, grants), Discard::Closed);
}

/// Wait until nothing is in use in a closed pool. Returns how many still are.
pub(super) fn until_quiet<M: Manage>(
    shared: &Shared<M>,
    timeout: Duration,
    keep_waiting: Option<&(dyn Fn() -> bool + Sync)>,
) -> usize {
    let deadline = Deadline::new(Instant::now(), timeout);
    let mut goes_on = true;
    loop {
        shared.reclaim_orphans();
        // Anew each time: `keep_waiting` may run a signal handler that forks, and then this is the
        // child, where nothing is in use.
        let state = shared.state();
        let books = state.lock();
        let in_use = books.slots.sizes().in_use;
        let until = deadline.at().saturating_duration_since(Instant::now());
        if in_use == 0 || until.is_zero() || !goes_on {
            return in_use;
        }
        let rest = keep_waiting.map_or(until, |_| until.min(ASK_EVERY));
        drop(state.quiet.wait_timeout(books, rest));
        goes_on = keep_waiting.is_none_or(|keep_waiting| keep_waiting());
    }
}
