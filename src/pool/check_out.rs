use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attempt::connect;
use super::caller::{Caller, Deadline};
use super::counters::add;
use super::decision::Decision;
use super::error::Error;
use super::manage::{Health, Manage};
use super::seats::Grant;
use super::shared::Shared;
use super::slot::{Got, Held, Slot};
use super::stats::Discard;

/// A connection that is fit to be lent: idle until now, or opened for this caller.
pub(super) fn check_out<M: Manage>(
    shared: &Arc<Shared<M>>,
    caller: &Caller<'_>,
    deadline: Deadline,
    mut now: Instant,
) -> Result<Held<M>, Error<M::Error>> {
    let mut got = take_or_wait(shared, caller, deadline, now)?;
    // Until there is one that is fit. The slot is kept meanwhile, so that a caller whose turn it is
    // does not lose it when what it got was unfit.
    let held = loop {
        got = match got {
            Got::Slot(slot) => break connect(slot, deadline)?,
            Got::Held(held) => match test(held, deadline, ping_after(shared), now)? {
                Got::Held(held) => break held,
                Got::Slot(slot) => {
                    now = shared.manage.now();
                    exchange(shared, slot, caller, deadline, now)?
                }
            },
        }
    };
    // Closed while this caller was connecting or testing: too late to lend.
    if shared.state().is_closed() {
        drop(held.discard(Discard::Closed));
        return Err(shared.closed());
    }
    Ok(held)
}

fn ping_after<M: Manage>(shared: &Shared<M>) -> Option<Duration> {
    shared.options.pre_ping.then_some(shared.options.ping_after)
}

fn take_or_wait<M: Manage>(
    shared: &Arc<Shared<M>>,
    caller: &Caller<'_>,
    deadline: Deadline,
    now: Instant,
) -> Result<Got<M>, Error<M::Error>> {
    loop {
        let decision = Decision::to_take(shared, caller, now);
        if let Some(got) = decision.settle(shared, caller, deadline)? {
            return Ok(got);
        }
    }
}

/// Look again for an idle connection before opening one.
fn exchange<M: Manage>(
    shared: &Arc<Shared<M>>,
    slot: Slot<M>,
    caller: &Caller<'_>,
    deadline: Deadline,
    now: Instant,
) -> Result<Got<M>, Error<M::Error>> {
    let Some((number, _)) = slot.seat() else {
        return take_or_wait(shared, caller, deadline, now);
    };
    let waiting = match Decision::to_exchange(shared, number, now) {
        Decision::Granted(Grant { entry: Some(entry), .. }) => {
            return Ok(Got::Held(slot.with(entry)));
        }
        Decision::Granted(Grant { entry: None, .. }) => return Ok(Got::Slot(slot)),
        Decision::Wait(waiter) => {
            slot.given_back();
            Decision::Wait(waiter)
        }
        refusal => refusal,
    };
    match waiting.settle(shared, caller, deadline)? {
        Some(got) => Ok(got),
        None => take_or_wait(shared, caller, deadline, now),
    }
}

/// The connection if it is fit, else its slot alone. It is probed and perhaps pinged if there is a
/// `ping_after`, and always shown to the application's own test.
pub(super) fn test<M: Manage>(
    mut held: Held<M>,
    deadline: Deadline,
    ping_after: Option<Duration>,
    now: Instant,
) -> Result<Got<M>, Error<M::Error>> {
    if let Some(reason) = held.entry.unfit(now) {
        return Ok(Got::Slot(held.discard(reason)));
    }
    let health = ping_after.map_or(Health::Open, |ping_after| probe(&mut held, ping_after, now));
    match health {
        Health::Dead => {
            add(&held.slot.shared().state().counters.probe_failures);
            return Ok(Got::Slot(held.discard(Discard::Broken)));
        }
        Health::Suspect => match ping(held, deadline)? {
            Got::Held(pinged) => held = pinged,
            unfit => return Ok(unfit),
        },
        Health::Open => {}
    }
    Ok(check(held, deadline))
}

/// One that has rested for too long is suspect.
fn probe<M: Manage>(held: &mut Held<M>, ping_after: Duration, now: Instant) -> Health {
    let rested = held.entry.rested(now);
    let Some(conn) = held.entry.conn_mut() else { return Health::Open };
    match held.slot.shared().manage.probe(conn) {
        Health::Open if rested >= ping_after => Health::Suspect,
        health => health,
    }
}

fn ping<M: Manage>(mut held: Held<M>, deadline: Deadline) -> Result<Got<M>, Error<M::Error>> {
    let shared = Arc::clone(held.slot.shared());
    let now = Instant::now();
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
    let reason = held.found_broken();
    Ok(Got::Slot(held.discard(reason)))
}

fn check<M: Manage>(mut held: Held<M>, deadline: Deadline) -> Got<M> {
    let Some(conn) = held.entry.conn_mut() else { return Got::Held(held) };
    match held.slot.shared().manage.check(conn, deadline.at()) {
        Ok(()) => Got::Held(held),
        Err(_) => {
            let reason = held.found_broken();
            Got::Slot(held.discard(reason))
        }
    }
}
