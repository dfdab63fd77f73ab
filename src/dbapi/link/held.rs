//! A session of one's own, or one lent by a pool.

use super::super::managed::{Conn, Managed};
use crate::pool::{Discard, Lease, Reclaim};
use crate::session::{Error, Session};

/// A session, and how it ends when it is let go: closed, or checked in.
pub(in super::super) enum Held {
    Own(Session),
    Lent(Lease<Managed>),
}

impl Held {
    pub(in super::super) fn session(&self) -> Option<&Session> {
        match self {
            Self::Own(session) => Some(session),
            Self::Lent(lease) => lease.conn().and_then(Conn::session),
        }
    }

    pub(super) fn session_mut(&mut self) -> Option<&mut Session> {
        match self {
            Self::Own(session) => Some(session),
            Self::Lent(lease) => lease.conn_mut().and_then(Conn::session_mut),
        }
    }

    /// The connection object is collected, and nobody has closed it.
    pub(super) fn forgotten(self) {
        match self {
            Self::Own(session) => drop(session),
            Self::Lent(lease) => lease.reclaim(Reclaim::Collected),
        }
    }
}

/// Why a session that was lent to a hook does not come back.
pub(in super::super) enum Missing {
    Closed,
    /// Another thread is using it. It is closed when that thread is done.
    Busy,
    /// The hook has forked, and this is the child.
    Inherited(Error),
}

/// As after a panic, when nobody knows how far the session got.
pub(super) fn discard(held: Option<Held>) {
    match held {
        Some(Held::Lent(lease)) => lease.discard(Discard::Broken),
        own => drop(own),
    }
}
