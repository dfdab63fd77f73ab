use std::num::NonZeroU64;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::entry::Entry;
use super::event::Event;
use super::manage::Manage;
use super::shared::Shared;
use super::state::{Granted, State};
use super::stats::Discard;
use crate::process::Process;

/// The right to one connection. Dropping it gives it back, and with it the right to open one: to
/// the first in the queue, if any.
pub(super) struct Slot<M: Manage> {
    shared: Arc<Shared<M>>,
    birth: Process,
    /// Its number in the books; `None` once they have it back.
    number: Option<usize>,
    /// The number of the connection in it, which is never zero. If one still is there when the slot is dropped, then a
    /// hook has panicked, and the connection went down with it.
    occupant: Option<NonZeroU64>,
}

/// A connection in its slot. Whatever happens, the connection is let go before the slot, so that
/// there are never more than `max_size`: fields are dropped in this order.
pub(super) struct Held<M: Manage> {
    pub(super) entry: Entry<M::Conn>,
    pub(super) slot: Slot<M>,
}

/// What a caller has got hold of: a connection, or the right to open one.
pub(super) enum Got<M: Manage> {
    Held(Held<M>),
    Slot(Slot<M>),
}

impl<M: Manage> Got<M> {
    /// As it is: to the first in the queue, else to where it came from.
    pub(super) fn give_back(self) {
        match self {
            Self::Held(held) => held.put_back(),
            Self::Slot(slot) => drop(slot),
        }
    }
}

impl<M: Manage> Slot<M> {
    /// What the books have granted.
    pub(super) fn granted(shared: &Arc<Shared<M>>, grant: Granted<M>) -> Got<M> {
        let (shared, birth, number) = (Arc::clone(shared), Process::current(), Some(grant.number));
        let slot = Self { shared, birth, number, occupant: None };
        match grant.entry {
            Some(entry) => Got::Held(slot.with(entry)),
            None => Got::Slot(slot),
        }
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

    /// Its number, and the state that this belongs to. `None` where the slot is inherited.
    pub(super) fn seat(&self) -> Option<(usize, &State<M>)> {
        Some((self.number?, self.state()?))
    }

    /// The books have it back, with what is in it.
    pub(super) fn given_back(mut self) {
        (self.number, self.occupant) = (None, None);
    }

    pub(super) fn with(mut self, entry: Entry<M::Conn>) -> Held<M> {
        self.occupant = NonZeroU64::new(entry.id());
        Held { entry, slot: self }
    }

    /// The connection in it is let go.
    fn discarded(&mut self, reason: Discard) {
        let (Some(id), Some(state)) = (self.occupant.take(), self.state()) else { return };
        state.counters.discarded(reason);
        self.shared.tell(Event::Discarded { id: id.get(), reason });
    }
}

impl<M: Manage> Drop for Slot<M> {
    fn drop(&mut self) {
        self.discarded(Discard::Broken);
        let Some((number, state)) = self.seat() else { return };
        let now = self.shared.manage.now();
        let bells = state.lock().release(number, now);
        state.ring(&bells);
        if state.is_closed() {
            state.quiet.notify_all();
        }
    }
}

impl<M: Manage> Held<M> {
    /// Let the connection go and keep the slot. Where it is inherited, it is forgotten.
    pub(super) fn discard(self, reason: Discard) -> Slot<M> {
        let Self { entry, mut slot } = self;
        drop(entry);
        slot.discarded(reason);
        slot
    }

    /// Let go of connection and slot. When its server takes no changes any more, the others have to
    /// go too: they are of the same server.
    pub(super) fn let_go(self, reason: Discard) {
        let Some((number, state)) = self.slot.seat() else { return };
        state.counters.returned(reason);
        let others = match reason {
            Discard::ReadOnly => state.lock().slots.drain_era_of(number),
            _ => Vec::new(),
        };
        let shared = Arc::clone(&self.slot.shared);
        let others = all_granted(&shared, others);
        drop(self.discard(reason));
        discard_all(others, Discard::Drained);
    }

    /// Back to the first in the queue or to the idle ones, as it is.
    pub(super) fn put_back(self) {
        let now = self.slot.shared.manage.now();
        self.put_back_at(now);
    }

    fn put_back_at(self, now: Instant) {
        let Self { entry, slot } = self;
        let Some((number, state)) = slot.seat() else { return };
        // Decide: who has it next? Nobody, where it must not be kept.
        let outcome = state.lock().put_back(number, entry, now);
        match outcome {
            Ok(bells) => {
                state.ring(&bells);
                slot.given_back();
            }
            Err((entry, reason)) => drop(slot.with(entry).discard(reason)),
        }
    }

    /// The end of a lease, whose use was over at `now`: its rest is counted from there, which errs
    /// on the safe side where a reset takes its time. In a child nothing is touched.
    pub(super) fn check_in(mut self, now: Instant) {
        if self.slot.state().is_none() {
            return;
        }
        if let Some(reason) = self.not_to_keep(now) {
            return self.let_go(reason);
        }
        let shared = Arc::clone(&self.slot.shared);
        self.entry.rests(now);
        self.put_back_at(now);
        sweep(&shared, now);
    }

    /// Make it like new, or say why it must go. Whatever costs nothing is asked first.
    fn not_to_keep(&mut self, now: Instant) -> Option<Discard> {
        let shared = &*self.slot.shared;
        let conn = self.entry.conn_mut()?;
        if shared.state().is_closed() {
            return Some(Discard::Closed);
        }
        // A thread that panics may have left anything half done.
        if thread::panicking() {
            return Some(Discard::Broken);
        }
        if let Some(reason) = shared.manage.unfit(conn) {
            return Some(reason);
        }
        if self.entry.is_expired(now) {
            return Some(Discard::Expired);
        }
        let conn = self.entry.conn_mut()?;
        if shared.manage.reset(conn, shared.options.reset).is_err() {
            return Some(self.found_broken());
        }
        let limit = shared.idle_limit(conn);
        self.entry.set_idle_limit(limit);
        None
    }

    /// A test or a reset has failed: it may know why.
    pub(super) fn found_broken(&self) -> Discard {
        let manage = &self.slot.shared.manage;
        self.entry.conn().and_then(|conn| manage.unfit(conn)).unwrap_or(Discard::Broken)
    }
}

/// As values, so that none of the slots can get lost from here on.
pub(super) fn all_granted<M: Manage>(
    shared: &Arc<Shared<M>>,
    grants: Vec<Granted<M>>,
) -> Vec<Got<M>> {
    grants.into_iter().map(|grant| Slot::granted(shared, grant)).collect()
}

pub(super) fn discard_all<M: Manage>(all: Vec<Got<M>>, reason: Discard) {
    for got in all {
        match got {
            Got::Held(held) => drop(held.discard(reason)),
            Got::Slot(slot) => drop(slot),
        }
    }
}

/// Let go of the connection at the bottom of the idle ones if its time is over. Those on top are
/// lent first, so without this a pool that is little used would keep the others for ever. One each
/// time bounds what a check-in may cost.
fn sweep<M: Manage>(shared: &Arc<Shared<M>>, now: Instant) {
    let swept = shared.state().lock().slots.sweep_if(|entry| entry.unfit(now).is_some());
    let Some(grant) = swept else { return };
    if let Got::Held(held) = Slot::granted(shared, grant) {
        let reason = held.entry.unfit(now).unwrap_or(Discard::Idle);
        drop(held.discard(reason));
    }
}
