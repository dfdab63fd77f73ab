use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Instant;

use super::caller::Deadline;
use super::counters::add;
use super::error::Error;
use super::event::Event;
use super::manage::Manage;
use super::outage::Back;
use super::shared::{seed, Shared};
use super::slot::{Held, Slot};
use crate::process;

/// Open a connection into a slot that has the right to.
pub(super) fn connect<M: Manage>(
    slot: Slot<M>,
    deadline: Deadline,
) -> Result<Held<M>, Error<M::Error>> {
    let shared = Arc::clone(slot.shared());
    let started = Instant::now();
    shared.still_in_time(deadline, started)?;
    let began = shared.manage.now();
    add(&shared.state().counters.connects);
    match shared.manage.connect(deadline.at()) {
        Ok(conn) => {
            let now = shared.manage.now();
            let held = slot.with(shared.admit(conn, began, now));
            succeeded(&held, began, now);
            Ok(held)
        }
        Err(error) => {
            failed(&slot, &error, is_hasty(&shared, started, deadline));
            Err(Error::Connect(error))
        }
    }
}

fn succeeded<M: Manage>(held: &Held<M>, began: Instant, now: Instant) {
    let Some((number, state)) = held.slot.seat() else { return };
    let shared = held.slot.shared();
    let (bells, back) = state.lock().connected(number, now);
    state.ring(&bells);
    let id = held.entry.id();
    shared.tell(Event::Connected { id, took: now.saturating_duration_since(began) });
    if let Some(Back { after, failures }) = back {
        shared.tell(Event::ServerBack { after, failures });
    }
    if let Some(conn) = held.entry.conn() {
        warn_of_a_crowd(shared, conn, id);
    }
}

/// Whether an attempt was cut short by its own caller, who had little time left: a healthy server
/// may be slower than that.
fn is_hasty<M: Manage>(shared: &Shared<M>, started: Instant, deadline: Deadline) -> bool {
    let given = deadline.at().saturating_duration_since(started);
    Instant::now() >= deadline.at() && given < shared.options.timeout / 2
}

fn failed<M: Manage>(slot: &Slot<M>, error: &M::Error, hasty: bool) {
    let shared = slot.shared();
    let now = shared.manage.now();
    shared.state().connect_failed(error.clone(), now);
    let Some((number, state)) = slot.seat() else { return };
    let cause = shared.manage.is_outage(error).then(|| Arc::new(error.clone()));
    let (bells, goes_down) = {
        let mut books = state.lock();
        // It takes nobody down; but where the server is down already, the next delay is due.
        let cause = cause.filter(|_| !hasty || books.outage.is_down());
        books.refused(number, cause, now, seed(number as u64))
    };
    state.ring(&bells);
    if goes_down {
        shared.tell(Event::ServerDown { error });
    }
}

/// Tell once when all processes together may want more connections than the server takes. Looked
/// for at the first connection, the second, the fourth and so on: when the first is opened not all
/// siblings may have been started.
fn warn_of_a_crowd<M: Manage>(shared: &Shared<M>, conn: &M::Conn, id: u64) {
    let state = shared.state();
    if !id.is_power_of_two() || state.crowd_told.load(Ordering::Relaxed) {
        return;
    }
    let Some(limit) = shared.manage.limit(conn) else { return };
    let workers = shared.options.workers.unwrap_or_else(process::siblings);
    let (_, max_size) = state.lock().slots.limits();
    if workers.saturating_mul(max_size) <= limit {
        return;
    }
    let first =
        state.crowd_told.compare_exchange(false, true, Ordering::Relaxed, Ordering::Relaxed);
    if first.is_ok() {
        shared.tell(Event::Crowded { workers, max_size, limit });
    }
}
