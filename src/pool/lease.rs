use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::caller::Caller;
use super::check_out::check_out;
use super::counters::add;
use super::error::Error;
use super::event::Reclaim;
use super::holder::Keeper;
use super::manage::Manage;
use super::shared::Shared;
use super::slot::Held;
use super::stats::Discard;
use crate::process::Process;

/// A connection while it is lent. Dropping it checks in: the connection is reset and goes to the
/// next caller. Dropped in a child it touches neither the connection nor the pool.
pub struct Lease<M: Manage> {
    /// `None` only while it is being taken apart.
    held: Option<Held<M>>,
    since: Instant,
}

impl<M: Manage> Lease<M> {
    /// Ask for one, and count how that went.
    pub(super) fn check_out(
        shared: &Arc<Shared<M>>,
        caller: &Caller<'_>,
    ) -> Result<Self, Error<M::Error>> {
        let deadline = shared.deadline(caller.timeout);
        let began = shared.manage.now();
        add(&shared.state().counters.requests);
        shared.find_leaks(began);
        match check_out(shared, caller, deadline, began) {
            Ok(held) => Ok(Self::begin(held, began)),
            Err(error) => {
                add(&shared.state().counters.request_errors);
                Err(error)
            }
        }
    }

    fn begin(held: Held<M>, requested: Instant) -> Self {
        let shared = held.slot.shared();
        let now = shared.manage.now();
        if let Some((number, state)) = held.slot.seat() {
            state.counters.lent(now.saturating_duration_since(requested));
            shared.expect_back(number, now);
        }
        Self { held: Some(held), since: now }
    }

    /// Count its use, which is over. `None` in a child, where nothing is touched.
    fn end(&mut self) -> Option<(Held<M>, Instant)> {
        let held = self.held.take()?;
        let state = held.slot.state()?;
        let shared = held.slot.shared();
        let now = shared.manage.now();
        state.counters.used(now.saturating_duration_since(self.since));
        shared.find_leaks(now);
        Some((held, now))
    }

    /// The number of the connection, counted from one in each process of a pool.
    pub fn id(&self) -> u64 {
        self.held().entry.id()
    }

    /// The process that checked it out.
    pub fn birth(&self) -> Process {
        self.held().slot.birth()
    }

    /// The connection, or `None` where it is inherited.
    pub fn conn(&self) -> Option<&M::Conn> {
        self.held().entry.conn()
    }

    /// The connection, or `None` where it is inherited.
    pub fn conn_mut(&mut self) -> Option<&mut M::Conn> {
        self.held_mut().entry.conn_mut()
    }

    /// Do not check in: let the connection go, with a counted reason, and free its slot.
    pub fn discard(mut self, reason: Discard) {
        if let Some((held, _)) = self.end() {
            held.let_go(reason);
        }
    }

    /// The pool may ask this one for the lease back when others wait for a connection.
    pub fn watch(&self, keeper: Weak<dyn Keeper>) {
        if let Some((number, state)) = self.held().slot.seat() {
            state.lock().slots.watch(number, keeper);
        }
    }

    /// Check in on behalf of a holder that never did, which is counted and told. In a child
    /// nothing is touched.
    pub fn reclaim(self, cause: Reclaim) {
        let slot = &self.held().slot;
        if let Some((number, _)) = slot.seat() {
            slot.shared().reclaimed(number, cause);
        }
    }

    fn held(&self) -> &Held<M> {
        self.held.as_ref().expect(TAKEN)
    }

    fn held_mut(&mut self) -> &mut Held<M> {
        self.held.as_mut().expect(TAKEN)
    }
}

const TAKEN: &str = "BUG: a lease was used while it was taken apart";

impl<M: Manage> Drop for Lease<M> {
    fn drop(&mut self) {
        if let Some((held, now)) = self.end() {
            held.check_in(now);
        }
    }
}

/// # Panics
/// Where the lease is inherited: the connection belongs to another process. Ask [`Lease::conn`]
/// where that may be.
impl<M: Manage> Deref for Lease<M> {
    type Target = M::Conn;

    fn deref(&self) -> &M::Conn {
        self.conn().expect("a lease was used in a child of the process that checked it out")
    }
}

/// # Panics
/// As [`Lease::deref`].
impl<M: Manage> DerefMut for Lease<M> {
    fn deref_mut(&mut self) -> &mut M::Conn {
        self.conn_mut().expect("a lease was used in a child of the process that checked it out")
    }
}

impl<M: Manage> fmt::Debug for Lease<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("id", &self.id())
            .field("birth", &self.birth())
            .finish_non_exhaustive()
    }
}
