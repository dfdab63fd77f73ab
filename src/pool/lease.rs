use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Weak;

use super::event::Reclaim;
use super::manage::Manage;
use super::slot::Held;
use super::stats::Discard;
use crate::process::Process;

/// A connection while it is lent. Dropping it checks in: the connection is reset and goes to the
/// next caller. Dropped in a child it touches neither the connection nor the pool.
pub struct Lease<M: Manage> {
    /// `None` only while it is being taken apart.
    held: Option<Held<M>>,
}

impl<M: Manage> Lease<M> {
    pub(super) fn new(held: Held<M>) -> Self {
        Self { held: Some(held) }
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
        if let Some(held) = self.held.take() {
            held.let_go(reason);
        }
    }

    /// The pool may ask this one for the lease back when others wait for a connection.
    pub fn watch(&self, _keeper: Weak<dyn Keeper>) {
        todo!()
    }

    /// Check in on behalf of a holder that never did, which is counted.
    pub fn reclaim(self, _cause: Reclaim) {
        todo!()
    }

    fn held(&self) -> &Held<M> {
        self.held.as_ref().expect(TAKEN)
    }

    fn held_mut(&mut self) -> &mut Held<M> {
        self.held.as_mut().expect(TAKEN)
    }
}

const TAKEN: &str = "BUG: a lease was used while it was taken apart";

/// Whoever keeps a lease on behalf of a thread.
pub trait Keeper: Send + Sync {
    /// Give the lease back, by [`Lease::reclaim`], if nobody can use it any more. Called without
    /// any lock of the pool's; must not wait.
    fn reclaim_orphan(&self);
}

impl<M: Manage> Drop for Lease<M> {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            held.check_in();
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
