//! What a connection object holds: a session of its own or one lent by a pool, for one thread at
//! a time.

mod cut_off;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{self, Arc, PoisonError, Weak};

use parking_lot::{Mutex, MutexGuard};
use pyo3::prelude::*;

use super::errors::{busy, closed, detached, finally, raise, reclaimed};
use super::managed::{Conn, Managed};
use crate::pool::{Discard, Keeper, Lease, Reclaim};
use crate::process::{Owned, Process};
use crate::session::{Error, Session};
use cut_off::kill;

thread_local! {
    /// Lives as long as the thread does.
    static LIFE: Arc<()> = Arc::new(());
}

/// A session, and how it ends when it is let go: closed, or checked in.
pub(super) enum Held {
    Own(Session),
    Lent(Lease<Managed>),
}

impl Held {
    pub(super) fn session(&self) -> Option<&Session> {
        match self {
            Self::Own(session) => Some(session),
            Self::Lent(lease) => lease.conn().and_then(Conn::session),
        }
    }

    fn session_mut(&mut self) -> Option<&mut Session> {
        match self {
            Self::Own(session) => Some(session),
            Self::Lent(lease) => lease.conn_mut().and_then(Conn::session_mut),
        }
    }

    /// The connection object is collected, and nobody has closed it.
    fn forgotten(self) {
        match self {
            Self::Own(session) => drop(session),
            Self::Lent(lease) => lease.reclaim(Reclaim::Collected),
        }
    }
}

/// Why a session that was lent to a hook does not come back.
pub(super) enum Missing {
    Closed,
    /// Another thread is using it. It is closed when that thread is done.
    Busy,
    /// The hook has forked, and this is the child.
    Inherited(Error),
}

/// What the last statement left, for the connection and for cursors.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    pub(super) affected: u64,
    pub(super) insert_id: u64,
    pub(super) warnings: u16,
    /// How many columns its rows have; zero where it answered none.
    pub(super) columns: usize,
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
    /// What went wrong with the last thing that was asked of the session.
    trouble: Option<Error>,
    /// The address of the life of the thread that used the connection last; zero for none. It
    /// means no other life as long as the wire knows that one.
    user: usize,
    /// Whether the pool took the lease back.
    taken_back: bool,
}

/// What the pool may know too, of a lease that it gave: it looks whether the lease is orphaned.
struct Wire(Owned<Ends>);

struct Ends {
    inside: Mutex<Inside>,
    /// The life of the thread that used the connection last, where it could be told. Behind a lock
    /// of its own: one who looked behind the other would be in the way of the user. It is held for
    /// a moment only, and never while anything else is done.
    user: sync::Mutex<Option<Weak<()>>>,
}

impl Ends {
    fn new(held: Held) -> Self {
        let mut inside = Inside {
            held: Some(held),
            last: Last::default(),
            trouble: None,
            user: 0,
            taken_back: false,
        };
        let user = sync::Mutex::new(None);
        used(&mut inside, &user);
        Self { inside: Mutex::new(inside), user }
    }

    fn is_orphaned(&self) -> bool {
        let user = self.user.lock().unwrap_or_else(PoisonError::into_inner);
        user.as_ref().is_some_and(|user| user.strong_count() == 0)
    }
}

/// This thread uses the connection now. At its very end a thread has no life to be told any more:
/// then the one before stays.
fn used(inside: &mut Inside, known: &sync::Mutex<Option<Weak<()>>>) {
    let _ = LIFE.try_with(|life| {
        let user = Arc::as_ptr(life) as usize;
        if inside.user != user {
            inside.user = user;
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some(Arc::downgrade(life));
        }
    });
}

impl Keeper for Wire {
    fn reclaim_orphan(&self) {
        let Some(ends) = self.0.get().filter(|ends| ends.is_orphaned()) else { return };
        // From here on nobody but one to whom the connection was handed can be in the way, who has
        // used it meanwhile if it is no orphan any more.
        let Some(mut inside) = ends.inside.try_lock().filter(|_| ends.is_orphaned()) else {
            return;
        };
        match inside.held.take() {
            Some(Held::Lent(lease)) => {
                inside.taken_back = true;
                drop(inside);
                lease.reclaim(Reclaim::ThreadEnded);
            }
            other => inside.held = other,
        }
    }
}

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

/// As after a panic, when nobody knows how far the session got.
fn discard(held: Option<Held>) {
    match held {
        Some(Held::Lent(lease)) => lease.discard(Discard::Broken),
        own => drop(own),
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
