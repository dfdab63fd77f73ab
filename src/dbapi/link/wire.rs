//! What is behind a connection object's lock, and what the pool may know of it.

use std::sync::{self, Arc, PoisonError, Weak};

use parking_lot::Mutex;

use super::held::Held;
use crate::pool::{Keeper, Reclaim};
use crate::process::Owned;
use crate::session::{Error, Session};

thread_local! {
    /// Lives as long as the thread does.
    static LIFE: Arc<()> = Arc::new(());
}

/// What the last statement left, for the connection and for cursors.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Last {
    pub(in super::super) affected: u64,
    pub(in super::super) insert_id: u64,
    pub(in super::super) warnings: u16,
    /// How many columns its rows have; zero where it answered none.
    pub(in super::super) columns: usize,
    /// The cursor whose further answers are still unread; zero for none.
    pub(in super::super) reader: u64,
}

/// Before a statement of `reader`: skip unread answers, unless another cursor still wants them.
pub(in super::super) fn skip_answers(
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
    pub(super) held: Option<Held>,
    pub(super) last: Last,
    /// What went wrong with the last thing that was asked of the session.
    pub(super) trouble: Option<Error>,
    /// The address of the life of the thread that used the connection last; zero for none. It
    /// means no other life as long as the wire knows that one.
    user: usize,
    /// Whether the pool took the lease back.
    pub(super) taken_back: bool,
}

/// What the pool may know too, of a lease that it gave: it looks whether the lease is orphaned.
pub(super) struct Wire(pub(super) Owned<Ends>);

pub(super) struct Ends {
    pub(super) inside: Mutex<Inside>,
    /// The life of the thread that used the connection last, where it could be told. Behind a lock
    /// of its own: one who looked behind the other would be in the way of the user. It is held for
    /// a moment only, and never while anything else is done.
    pub(super) user: sync::Mutex<Option<Weak<()>>>,
}

impl Ends {
    pub(super) fn new(held: Held) -> Self {
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
pub(super) fn used(inside: &mut Inside, known: &sync::Mutex<Option<Weak<()>>>) {
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
