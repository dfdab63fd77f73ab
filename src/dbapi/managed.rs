//! Where the pool meets Python: sessions, with the application's hooks around them.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::callable::Callable;
use super::events;
use super::hooks::{Blamed, Hook, Kit};
use crate::pool::{Discard, Event, Health, Manage, Reset};
use crate::session::{Connector, Error, Session};

/// The hook whose work is part of opening a session.
const CONFIGURE: &str = "configure";

/// Makes the connections of a Python pool.
pub(super) struct Managed {
    connector: Connector,
    kit: Arc<Kit>,
    /// Whether nothing is told any more.
    quiet: AtomicBool,
}

/// One connection of the pool. Its session is out only while a hook has it.
pub(super) struct Conn(Option<Session>);

impl Conn {
    pub(super) fn session(&self) -> Option<&Session> {
        self.0.as_ref()
    }

    pub(super) fn session_mut(&mut self) -> Option<&mut Session> {
        self.0.as_mut()
    }

    /// The session, or the error of one that a hook has not given back.
    fn own(&mut self) -> Result<&mut Session, Failure> {
        self.0.as_mut().ok_or_else(|| Error::gone("a hook has closed it").into())
    }
}

/// Why a connection could not be opened, tested or reset.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Session(Error),
    /// Which hook, and what it did.
    Hook(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Hook(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl Managed {
    pub(super) fn new(connector: Connector, kit: Arc<Kit>) -> Self {
        Self { connector, kit, quiet: AtomicBool::new(false) }
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Tell nothing more: the functions themselves may be half gone.
    pub(super) fn be_quiet(&self) {
        self.quiet.store(true, Ordering::Relaxed);
    }

    /// What the hook sets up is set up again on every other session, so it is no change.
    fn configure(&self, conn: &mut Conn, deadline: Instant, blamed: Blamed) -> Result<(), Failure> {
        self.call(CONFIGURE, &self.kit.hooks.configure, conn, deadline, blamed)
    }

    /// Call a hook, if there is one, and roll back what it leaves open. Its statements are done
    /// at `deadline` at the latest.
    fn call(
        &self,
        name: &'static str,
        hook: &Option<Callable>,
        conn: &mut Conn,
        deadline: Instant,
        blamed: Blamed,
    ) -> Result<(), Failure> {
        let Some(function) = hook else { return Ok(()) };
        conn.own()?.set_deadline(Some(deadline));
        let hook = Hook { name, function, blamed };
        let called = hook.call(&self.connector, &self.kit, &mut conn.0);
        let Some(session) = &mut conn.0 else { return called };
        session.set_deadline(None);
        called?;
        if name == CONFIGURE {
            session.adopt();
        }
        Ok(self.connector.restore(session, Reset::Rollback).map(drop)?)
    }

    fn listener(&self) -> Option<&Callable> {
        self.kit.hooks.on_event.as_ref().filter(|_| !self.quiet.load(Ordering::Relaxed))
    }

    /// By a hook that makes the pool discard an idle connection.
    fn blamed(&self) -> Blamed {
        self.listener().map_or(Blamed::Nothing, |_| Blamed::Event)
    }
}

impl Manage for Managed {
    type Conn = Conn;
    type Error = Failure;

    fn connect(&self, deadline: Instant) -> Result<Conn, Failure> {
        let mut conn = Conn(Some(self.connector.open(Some(deadline))?));
        self.configure(&mut conn, deadline, Blamed::Error)?;
        Ok(conn)
    }

    fn probe(&self, conn: &mut Conn) -> Health {
        conn.session_mut().map_or(Health::Dead, |session| self.connector.probe(session))
    }

    fn ping(&self, conn: &mut Conn, deadline: Instant) -> Result<(), Failure> {
        Ok(self.connector.ping(conn.own()?, deadline)?)
    }

    /// A caller that has no time at all gets what can be lent without a round trip.
    fn check(&self, conn: &mut Conn, deadline: Instant) -> Result<(), Failure> {
        if Instant::now() >= deadline {
            return Ok(());
        }
        self.call("check", &self.kit.hooks.check, conn, deadline, self.blamed())
    }

    fn reset(&self, conn: &mut Conn, how: Reset) -> Result<(), Failure> {
        let renewed = self.connector.restore(conn.own()?, how)?;
        let deadline = Instant::now() + self.connector.options().connect_timeout;
        if renewed {
            self.configure(conn, deadline, self.blamed())?;
        }
        self.call("reset", &self.kit.hooks.reset, conn, deadline, self.blamed())
    }

    fn unfit(&self, conn: &Conn) -> Option<Discard> {
        conn.session().map_or(Some(Discard::Broken), |session| self.connector.unfit(session))
    }

    fn idle_limit(&self, conn: &Conn) -> Option<Duration> {
        conn.session().and_then(|session| self.connector.idle_limit(session))
    }

    fn lifetime(&self, conn: &Conn) -> Option<Duration> {
        conn.session().and_then(|session| self.connector.lifetime(session))
    }

    fn limit(&self, conn: &Conn) -> Option<usize> {
        conn.session().and_then(|session| self.connector.limit(session))
    }

    /// What a hook raises tells nothing of the server.
    fn is_outage(&self, failure: &Failure) -> bool {
        match failure {
            Failure::Session(error) => self.connector.is_outage(error),
            Failure::Hook(_) => false,
        }
    }

    fn on_event(&self, pool: &str, event: Event<'_, Failure>) {
        if let Some(listener) = self.listener() {
            events::tell(listener, pool, &event);
        }
    }
}
