//! What a connection object holds: a session of its own or one lent by a pool, for one thread at
//! a time.

mod cut_off;
mod held;
mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::MutexGuard;
use pyo3::prelude::*;

use super::errors::{busy, closed, detached, finally, raise, reclaimed};
use crate::process::{Owned, Process};
use crate::session::{Error, Session};
use cut_off::kill;
use held::discard;
use wire::{used, Ends, Inside, Wire};

pub(super) use held::{Held, Missing};
pub(super) use wire::{skip_answers, Last};

/// The way from a connection object to its session.
///
/// Inherited or ours is asked before the lock. `try_lock` alone is used: a connection is not for
/// two threads at once, and `parking_lot`'s queues would not survive a fork.
pub(super) struct Link {
    wire: Arc<Wire>,
    /// Whether the session was lent to a hook, and the hook has returned.
    withdrawn: AtomicBool,
}

impl Link {
    pub(super) fn new(held: Held) -> Self {
        let wire = Arc::new_cyclic(|wire: &Weak<Wire>| {
            if let Held::Lent(lease) = &held {
                lease.watch(wire.clone());
            }
            Wire(Owned::new(Ends::new(held)))
        });
        Self { wire, withdrawn: AtomicBool::new(false) }
    }

    pub(super) fn birth(&self) -> Process {
        self.wire.0.birth()
    }

    pub(super) fn is_inherited(&self) -> bool {
        self.wire.0.get().is_none()
    }

    /// Use the session, away from the interpreter: `act` may wait.
    pub(super) fn work<T: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut Session, &mut Last) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let mut inside = self.enter()?;
        let Inside { held, last, taken_back, .. } = &mut *inside;
        // The guard stays with this thread; only what it guards goes along.
        let Some(session) = held.as_mut().and_then(Held::session_mut) else {
            return Err(gone(*taken_back));
        };
        let mut panicked = true;
        let outcome = detached(py, || {
            let result = act(session, last);
            panicked = false;
            result
        });
        let outcome = match inside.held.as_mut().and_then(Held::session_mut) {
            Some(session) if session.is_cut_off() => outcome.map_err(|e| kill(py, session, e)),
            _ => outcome,
        };
        if panicked {
            discard(inside.held.take());
        }
        if self.is_withdrawn() {
            let held = inside.held.take();
            detached(py, || drop(held))?;
        }
        let outcome = outcome?;
        inside.trouble = outcome.as_ref().err().cloned();
        outcome.map_err(|error| raise(&error))
    }

    /// Look at the session, without waiting for anything.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Session) -> T) -> PyResult<T> {
        let mut inside = self.enter()?;
        let taken_back = inside.taken_back;
        match inside.held.as_mut().and_then(Held::session_mut) {
            Some(session) => Ok(look(session)),
            None => Err(gone(taken_back)),
        }
    }

    /// What the last statement left.
    pub(super) fn last(&self) -> PyResult<Last> {
        Ok(self.enter()?.last)
    }

    /// What went wrong with the last thing that was asked of the session, if it did.
    pub(super) fn trouble(&self) -> PyResult<Option<Error>> {
        Ok(self.enter()?.trouble.clone())
    }

    /// A cursor goes without having read all its answers: the next statement may skip them.
    pub(super) fn forget_reader(&self, reader: u64) {
        if let Some(mut inside) = self.wire.0.get().and_then(|ends| ends.inside.try_lock()) {
            if inside.last.reader == reader {
                inside.last.reader = 0;
            }
        }
    }

    /// Let the session go: closed or checked in, away from the interpreter. Nothing where it is
    /// inherited or gone already.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.end(py, drop)
    }

    /// The same without a check-in: a session that was lent is closed too.
    pub(super) fn discard(&self, py: Python<'_>) -> PyResult<()> {
        self.end(py, discard)
    }

    fn end(&self, py: Python<'_>, let_go: fn(Option<Held>)) -> PyResult<()> {
        if self.is_inherited() || self.is_withdrawn() {
            return Ok(());
        }
        let held = self.enter()?.held.take();
        detached(py, || let_go(held))
    }

    /// Take back a session of our own that was lent to a hook. Whoever kept the connection object
    /// finds it closed from here on.
    pub(super) fn withdraw(&self) -> Result<Session, Missing> {
        let inherited = || Missing::Inherited(Error::inherited(self.birth()));
        let ends = self.wire.0.get().ok_or_else(inherited)?;
        self.withdrawn.store(true, Ordering::SeqCst);
        match ends.inside.try_lock().ok_or(Missing::Busy)?.held.take() {
            Some(Held::Own(session)) => Ok(session),
            _ => Err(Missing::Closed),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        match self.wire.0.get().map(|ends| ends.inside.try_lock()) {
            _ if self.is_withdrawn() => false,
            Some(Some(inside)) => inside.held.is_some(),
            // In use by another thread, so open.
            Some(None) => true,
            None => false,
        }
    }

    fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::SeqCst)
    }

    fn enter(&self) -> PyResult<MutexGuard<'_, Inside>> {
        let ends = self.wire.0.get().ok_or_else(|| raise(&Error::inherited(self.birth())))?;
        if self.is_withdrawn() {
            return Err(closed());
        }
        let mut inside = ends.inside.try_lock().ok_or_else(|| busy("connection"))?;
        used(&mut inside, &ends.user);
        Ok(inside)
    }
}

/// The error of a connection without a session.
fn gone(taken_back: bool) -> PyErr {
    if taken_back {
        reclaimed()
    } else {
        closed()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The pool may be looking at it right now: then it has what is to be checked in.
        let inside = self.wire.0.get().and_then(|ends| ends.inside.try_lock());
        let Some(held) = inside.and_then(|mut inside| inside.held.take()) else { return };
        // Check-in may wait for the server.
        finally(|| held.forgotten());
    }
}
