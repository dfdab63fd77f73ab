use std::sync::Arc;
use std::time::Instant;

use super::caller::{Caller, Deadline};
use super::error::Error;
use super::manage::Manage;
use super::shared::Shared;
use super::slot::{Got, Slot};
use super::state::{Books, Granted, Trouble};
use super::waiter::Waiter;

/// What was decided under the lock, to be acted upon outside it.
pub(super) enum Decision<'a, M: Manage> {
    Granted(Granted<M>),
    Wait(Waiter<'a, M>),
    /// So many wait already.
    Full(usize),
    Closed,
    Down(Trouble<M>),
}

impl<'a, M: Manage> Decision<'a, M> {
    /// For a newcomer: the newest idle connection, the right to open one, or the end of the queue?
    #[inline]
    pub(super) fn to_take(shared: &'a Arc<Shared<M>>, caller: &Caller<'_>, now: Instant) -> Self {
        let mut asked = false;
        loop {
            let mut books = shared.state().lock();
            if books.slots.is_closed() {
                return Self::Closed;
            }
            let granted = books.take(caller.holder(now), now);
            if matches!(granted, Ok(None)) && !asked {
                asked = true;
                let Some(unchanged) = shared.ask_keepers(books) else { continue };
                books = unchanged;
            }
            return Self::granted_or_wait(granted, shared, &mut books, now);
        }
    }

    /// To open one more for `min_size`; `None`: there are enough.
    pub(super) fn to_open(
        shared: &'a Arc<Shared<M>>,
        caller: &Caller<'_>,
        now: Instant,
    ) -> Option<Self> {
        let mut books = shared.state().lock();
        if books.slots.is_closed() {
            return Some(Self::Closed);
        }
        if !books.slots.lacks() {
            return None;
        }
        let granted = books.take_to_open(caller.holder(now), now);
        Some(Self::granted_or_wait(granted, shared, &mut books, now))
    }

    /// For somebody whose turn it is, and whose slot has lost its connection. Where none may be
    /// opened, the slot is given back, and what comes next is waited for before all others.
    pub(super) fn to_exchange(shared: &'a Arc<Shared<M>>, number: usize, now: Instant) -> Self {
        let mut books = shared.state().lock();
        if books.slots.is_closed() {
            return Self::Closed;
        }
        match books.exchange(number, now) {
            Ok(Some(grant)) => Self::Granted(grant),
            Ok(None) => Self::Wait(Waiter::join_first(shared, &mut books, number, now)),
            Err(trouble) => Self::Down(trouble),
        }
    }

    #[inline]
    fn granted_or_wait(
        granted: Result<Option<Granted<M>>, Trouble<M>>,
        shared: &'a Arc<Shared<M>>,
        books: &mut Books<M>,
        now: Instant,
    ) -> Self {
        match granted {
            Ok(Some(grant)) => Self::Granted(grant),
            Ok(None) => match Waiter::join(shared, books, now) {
                Some(waiter) => Self::Wait(waiter),
                None => Self::Full(books.slots.sizes().waiting),
            },
            Err(trouble) => Self::Down(trouble),
        }
    }

    /// `None`: it was waited for in vain, because this is a child by now.
    #[inline]
    pub(super) fn settle(
        self,
        shared: &Arc<Shared<M>>,
        caller: &Caller<'_>,
        deadline: Deadline,
    ) -> Result<Option<Got<M>>, Error<M::Error>> {
        match self {
            Self::Granted(grant) => Ok(Some(Slot::granted(shared, grant))),
            Self::Wait(waiter) => {
                let grant = waiter.wait(caller, deadline)?;
                Ok(grant.map(|grant| Slot::granted(shared, grant)))
            }
            Self::Full(waiting) => Err(shared.too_many(waiting)),
            Self::Closed => Err(shared.closed()),
            Self::Down(trouble) => Err(shared.down(&trouble)),
        }
    }
}
