use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::entry::Entry;
use super::manage::Manage;
use super::shared::Shared;
use super::slots::Grant;
use super::state::State;
use super::stats::Discard;
use crate::process::Process;

/// The right to one connection. Dropping it gives it back: to the first in the queue, if any.
pub(super) struct Slot<M: Manage> {
    shared: Arc<Shared<M>>,
    birth: Process,
    /// Its number in the books; `None` once they have it back.
    number: Option<usize>,
    /// Whether a connection is in it. If one still is when the slot is dropped, then a hook has
    /// panicked, and the connection went down with it.
    occupied: bool,
}

/// A connection in its slot. Whatever happens, the connection is let go before the slot, so that
/// there are never more than `max_size`: fields are dropped in this order.
pub(super) struct Held<M: Manage> {
    pub(super) entry: Entry<M::Conn>,
    pub(super) slot: Slot<M>,
}

impl<M: Manage> Slot<M> {
    pub(super) fn new(shared: &Arc<Shared<M>>, number: usize) -> Self {
        let shared = Arc::clone(shared);
        Self { shared, birth: Process::current(), number: Some(number), occupied: false }
    }

    pub(super) fn shared(&self) -> &Arc<Shared<M>> {
        &self.shared
    }

    pub(super) fn birth(&self) -> Process {
        self.birth
    }

    /// The state that the number belongs to, or `None` where the slot is inherited.
    pub(super) fn state(&self) -> Option<&State<M>> {
        self.birth.is_current().then(|| self.shared.state())
    }

    pub(super) fn with(mut self, entry: Entry<M::Conn>) -> Held<M> {
        self.occupied = true;
        Held { entry, slot: self }
    }
}

impl<M: Manage> Drop for Slot<M> {
    fn drop(&mut self) {
        let (Some(number), Some(state)) = (self.number, self.state()) else { return };
        if self.occupied {
            state.counters.discarded(Discard::Broken);
        }
        let bell = state.lock().release(number);
        state.ring(bell);
    }
}

impl<M: Manage> Held<M> {
    /// Let the connection go and keep the slot. Where it is inherited, it is forgotten.
    pub(super) fn discard(self, reason: Discard) -> Slot<M> {
        let Self { entry, mut slot } = self;
        drop(entry);
        if let Some(state) = slot.state() {
            state.counters.discarded(reason);
        }
        slot.occupied = false;
        slot
    }

    /// Back to the first in the queue or to the idle ones, as it is.
    pub(super) fn put_back(self) {
        let Self { entry, mut slot } = self;
        let (Some(number), Some(state)) = (slot.number, slot.state()) else { return };
        // Decide: who has it next? In a closed pool, nobody.
        let outcome = state.lock().put_back(number, entry);
        match outcome {
            Ok(bell) => {
                state.ring(bell);
                slot.number = None;
            }
            Err(entry) => drop(slot.with(entry).discard(Discard::Closed)),
        }
    }

    /// The end of a lease. In a child nothing is touched.
    pub(super) fn check_in(mut self) {
        if self.slot.state().is_none() {
            return;
        }
        if let Some(reason) = self.not_to_keep() {
            drop(self.discard(reason));
            return;
        }
        let shared = Arc::clone(&self.slot.shared);
        let now = Instant::now();
        self.entry.rests(now);
        self.put_back();
        sweep(&shared, now);
    }

    /// Make it like new, or say why it must go. Whatever costs nothing is asked first.
    fn not_to_keep(&mut self) -> Option<Discard> {
        let Shared { manage, options, .. } = &*self.slot.shared;
        let conn = self.entry.conn_mut()?;
        if self.slot.shared.state().is_closed() {
            return Some(Discard::Closed);
        }
        // A thread that panics may have left anything half done.
        if thread::panicking() {
            return Some(Discard::Broken);
        }
        if let Some(reason) = manage.unfit(conn) {
            return Some(reason);
        }
        if self.entry.is_expired(Instant::now()) {
            return Some(Discard::Expired);
        }
        let reset = manage.reset(self.entry.conn_mut()?, options.reset);
        reset.is_err().then_some(Discard::Broken)
    }
}

/// Let go of the connection at the bottom of the idle ones if its time is over. Those on top are
/// lent first, so without this a pool that is little used would keep the others for ever. One each
/// time bounds what a check-in may cost.
fn sweep<M: Manage>(shared: &Arc<Shared<M>>, now: Instant) {
    let swept = shared.state().lock().take_oldest_if(|entry| entry.unfit(now).is_some());
    if let Some(Grant { number, entry: Some(entry) }) = swept {
        let reason = entry.unfit(now).unwrap_or(Discard::Idle);
        drop(Slot::new(shared, number).with(entry).discard(reason));
    }
}
