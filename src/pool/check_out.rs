use std::sync::Arc;
use std::time::Instant;

use super::caller::{Caller, Deadline};
use super::entry::Entry;
use super::error::Error;
use super::manage::{Health, Manage};
use super::shared::Shared;
use super::slot::{Held, Slot};
use super::slots::Grant;
use super::state::Granted;
use super::stats::{add, Discard};
use super::waiter::Waiter;

/// What a caller has got hold of: a connection, or the right to have one.
enum Got<M: Manage> {
    Held(Held<M>),
    Slot(Slot<M>),
}

/// A connection that is fit to be lent: idle until now, or opened for this caller.
pub(super) fn check_out<M: Manage>(
    shared: &Arc<Shared<M>>,
    caller: &Caller<'_>,
) -> Result<Held<M>, Error<M::Error>> {
    let deadline = shared.deadline(caller.timeout);
    let Grant { number, entry } = take_or_wait(shared, caller, deadline)?;
    let slot = Slot::new(shared, number);
    settle(with_or_without(slot, entry), deadline)
}

fn take_or_wait<M: Manage>(
    shared: &Shared<M>,
    caller: &Caller<'_>,
    deadline: Deadline,
) -> Result<Granted<M>, Error<M::Error>> {
    loop {
        let waiter = {
            let mut books = shared.state().lock();
            // Decide: the newest idle connection, a free slot, or the end of the queue?
            if books.is_closed() {
                return Err(shared.closed());
            }
            if let Some(grant) = books.take(caller.holder(deadline.began())) {
                return Ok(grant);
            }
            let waiter = Waiter::join(shared, &mut books, deadline.began());
            waiter.ok_or_else(|| shared.too_many(books.sizes().waiting))?
        };
        if let Some(grant) = waiter.wait(caller, deadline)? {
            return Ok(grant);
        }
    }
}

/// Until there is a connection that is fit. The slot is kept meanwhile, so that a caller whose
/// turn it is does not lose it when what it got was unfit.
fn settle<M: Manage>(mut got: Got<M>, deadline: Deadline) -> Result<Held<M>, Error<M::Error>> {
    let held = loop {
        got = match got {
            Got::Slot(slot) => break connect(slot, deadline)?,
            Got::Held(held) => match test(held, deadline)? {
                Got::Held(held) => break held,
                Got::Slot(slot) => exchange(slot),
            },
        }
    };
    let shared = Arc::clone(held.slot.shared());
    // Closed while this caller was connecting or testing: too late to lend.
    if shared.state().is_closed() {
        drop(held.discard(Discard::Closed));
        return Err(shared.closed());
    }
    add(&shared.state().counters.check_outs);
    Ok(held)
}

/// Look again for an idle connection before opening one.
fn exchange<M: Manage>(slot: Slot<M>) -> Got<M> {
    let entry = slot.state().and_then(|state| state.lock().exchange());
    with_or_without(slot, entry)
}

fn with_or_without<M: Manage>(slot: Slot<M>, entry: Option<Entry<M::Conn>>) -> Got<M> {
    match entry {
        Some(entry) => Got::Held(slot.with(entry)),
        None => Got::Slot(slot),
    }
}

fn connect<M: Manage>(slot: Slot<M>, deadline: Deadline) -> Result<Held<M>, Error<M::Error>> {
    let shared = slot.shared();
    shared.still_in_time(deadline, Instant::now())?;
    match shared.manage.connect(deadline.at()) {
        Ok(conn) => {
            let entry = shared.admit(conn, Instant::now());
            Ok(slot.with(entry))
        }
        Err(error) => {
            shared.state().connect_failed(error.clone(), Instant::now());
            Err(Error::Connect(error))
        }
    }
}

/// The connection if it is fit, else its slot alone.
fn test<M: Manage>(mut held: Held<M>, deadline: Deadline) -> Result<Got<M>, Error<M::Error>> {
    let now = Instant::now();
    if let Some(reason) = held.entry.unfit(now) {
        return Ok(Got::Slot(held.discard(reason)));
    }
    let Shared { manage, options, .. } = &**held.slot.shared();
    let rested = held.entry.rested(now);
    let Some(conn) = held.entry.conn_mut().filter(|_| options.pre_ping) else {
        return Ok(Got::Held(held));
    };
    match manage.probe(conn) {
        Health::Dead => {
            add(&held.slot.shared().state().counters.probe_failures);
            Ok(Got::Slot(held.discard(Discard::Broken)))
        }
        Health::Open if rested < options.ping_after => Ok(Got::Held(held)),
        Health::Open | Health::Suspect => ping(held, deadline, now),
    }
}

fn ping<M: Manage>(
    mut held: Held<M>,
    deadline: Deadline,
    now: Instant,
) -> Result<Got<M>, Error<M::Error>> {
    let shared = Arc::clone(held.slot.shared());
    if let Err(error) = shared.still_in_time(deadline, now) {
        // Nothing was found wrong with it, so the next caller may have it.
        held.put_back();
        return Err(error);
    }
    let Some(conn) = held.entry.conn_mut() else { return Ok(Got::Held(held)) };
    let counters = &shared.state().counters;
    add(&counters.pings);
    if shared.manage.ping(conn, deadline.of_a_ping(now)).is_ok() {
        return Ok(Got::Held(held));
    }
    add(&counters.ping_failures);
    Ok(Got::Slot(held.discard(Discard::Broken)))
}
