//! What a connection object holds: a session of its own or one lent by a pool, for one thread at
//! a time.

use parking_lot::{Mutex, MutexGuard};
use pyo3::prelude::*;

use super::errors::{busy, closed, detached, finally, raise};
use crate::pool::{Discard, Lease};
use crate::process::{Owned, Process};
use crate::session::{Connector, Error, Session};

/// A session, and how it ends when it is let go: closed, or checked in.
pub(super) enum Held {
    Own(Session),
    Lent(Lease<Connector>),
}

impl Held {
    pub(super) fn session(&self) -> &Session {
        match self {
            Self::Own(session) => session,
            Self::Lent(lease) => lease,
        }
    }

    fn session_mut(&mut self) -> &mut Session {
        match self {
            Self::Own(session) => session,
            Self::Lent(lease) => lease,
        }
    }
}

/// What the last statement left, for the connection and for cursors.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    pub(super) affected: u64,
    pub(super) insert_id: u64,
    pub(super) warnings: u16,
    /// The cursor whose further answers are still unread; zero for none.
    pub(super) reader: u64,
}

/// Before a statement of `reader`: skip unread answers, unless another cursor still wants them.
pub(super) fn skip_answers(
    session: &mut Session,
    last: &mut Last,
    reader: u64,
) -> Result<(), Error> {
    if last.reader != 0 && last.reader != reader {
        return Err(Error::unread());
    }
    last.reader = 0;
    session.finish_answers()
}

/// What is behind the lock.
pub(super) struct Inside {
    held: Option<Held>,
    pub(super) last: Last,
}

/// The way from a connection object to its session.
///
/// Inherited or ours is asked before the lock. `try_lock` alone is used: a connection is not for
/// two threads at once, and `parking_lot`'s queues would not survive a fork.
pub(super) struct Link {
    inside: Owned<Mutex<Inside>>,
}

impl Link {
    pub(super) fn new(held: Held) -> Self {
        let inside = Inside { held: Some(held), last: Last::default() };
        Self { inside: Owned::new(Mutex::new(inside)) }
    }

    pub(super) fn birth(&self) -> Process {
        self.inside.birth()
    }

    pub(super) fn is_inherited(&self) -> bool {
        self.inside.get().is_none()
    }

    /// Use the session, away from the interpreter: `act` may wait.
    pub(super) fn work<T: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut Session, &mut Last) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let mut inside = self.enter()?;
        let Inside { held: Some(held), last } = &mut *inside else {
            return Err(closed());
        };
        // The guard stays with this thread; only what it guards goes along.
        let session = held.session_mut();
        let mut panicked = true;
        let outcome = detached(py, || {
            let result = act(session, last);
            panicked = false;
            result
        });
        if panicked {
            discard(inside.held.take());
        }
        outcome?.map_err(|error| raise(&error))
    }

    /// Look at the session, without waiting for anything.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Session) -> T) -> PyResult<T> {
        match &mut self.enter()?.held {
            Some(held) => Ok(look(held.session_mut())),
            None => Err(closed()),
        }
    }

    /// What the last statement left.
    pub(super) fn last(&self) -> PyResult<Last> {
        Ok(self.enter()?.last)
    }

    /// A cursor goes without having read all its answers: the next statement may skip them.
    pub(super) fn forget_reader(&self, reader: u64) {
        if let Some(mut inside) = self.inside.get().and_then(Mutex::try_lock) {
            if inside.last.reader == reader {
                inside.last.reader = 0;
            }
        }
    }

    /// Let the session go: closed or checked in, away from the interpreter. Nothing where it is
    /// inherited or gone already.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_inherited() {
            return Ok(());
        }
        let held = self.enter()?.held.take();
        detached(py, || drop(held))
    }

    pub(super) fn is_open(&self) -> bool {
        match self.inside.get().map(Mutex::try_lock) {
            Some(Some(inside)) => inside.held.is_some(),
            // In use by another thread, so open.
            Some(None) => true,
            None => false,
        }
    }

    fn enter(&self) -> PyResult<MutexGuard<'_, Inside>> {
        let inside = self.inside.get().ok_or_else(|| raise(&Error::inherited(self.birth())))?;
        inside.try_lock().ok_or_else(|| busy("connection"))
    }
}

/// After a panic nobody knows how far the session got: it is not checked in.
fn discard(held: Option<Held>) {
    match held {
        Some(Held::Lent(lease)) => lease.discard(Discard::Broken),
        own => drop(own),
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Check-in may wait for the server.
        if let Some(held) = self.inside.get_mut().and_then(|inside| inside.get_mut().held.take()) {
            finally(|| drop(held));
        }
    }
}
